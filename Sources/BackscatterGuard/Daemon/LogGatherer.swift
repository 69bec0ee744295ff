// The lines of one worker, gathered: a write for each would cost more than the lines.

/// The lines of one worker, written together: at most `delay` after the first of them, and at once when one is urgent.
final class LogGatherer {
    /// Milliseconds.
    static let delay = 20
    private static let limit = 16_384
    private let writer: LogWriter
    private let loop: EventLoop
    private var lines: Octets = []

    init(_ writer: LogWriter, loop: EventLoop) {
        self.writer = writer
        self.loop = loop
        loop.delayed = { [unowned self] in flush() }
    }

    func write(_ severity: Severity, _ text: @autoclosure () -> String) {
        guard severity.rawValue <= writer.level.rawValue else { return }
        write(severity) { writer.append(severity, text(), to: &$0) }
    }

    /// A line that is counted when it comes too often; `kind` says with which others.
    func write(_ kind: LogRepeat, _ text: @autoclosure () -> String) {
        guard kind.kind.severity.rawValue <= writer.level.rawValue, writer.takes(kind, at: EventLoop.seconds()) else { return }
        write(kind.kind.severity, text())
    }

    func write(_ event: SessionEvent) {
        guard event.severity.rawValue <= writer.level.rawValue else { return }
        if let kind = event.repeatable, !writer.takes(kind, at: EventLoop.seconds()) { return }
        write(event.severity) { writer.append(event, to: &$0) }
    }

    private func write(_ severity: Severity, _ append: (inout Octets) -> Void) {
        if lines.isEmpty { loop.callDelayed(after: LogGatherer.delay) }
        append(&lines)
        if severity.rawValue < Severity.info.rawValue || lines.count > LogGatherer.limit { flush() }
    }

    func flush() {
        guard !lines.isEmpty else { return }
        writer.write(lines)
        lines.removeAll(keepingCapacity: true)
    }
}
