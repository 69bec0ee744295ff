// Log lines to standard error: whole lines in one write, so that lines of several threads never mix. Under systemd it
// is the journal, which reads the priority from `<N>` (sd-daemon(3)).

import Glibc

struct LogWriter: Sendable {
    let level: Severity
    /// Standard error is the journal.
    private let isJournal: Bool
    private let descriptor: CInt
    private let tape: LogTape?
    private let queue: LogQueue?

    /// - Parameters:
    ///   - tape: gets every line; the descriptor then only while the tape echoes.
    ///   - isQueued: from `start` on nobody who logs waits for the descriptor.
    init(level: Severity, descriptor: CInt = STDERR_FILENO, tape: LogTape? = nil, isQueued: Bool = false) {
        self.level = level
        self.tape = tape
        self.descriptor = descriptor
        isJournal = unsafe getenv("JOURNAL_STREAM") != nil
        queue = isQueued ? LogQueue(descriptor: descriptor, prefix: isJournal ? "<\(Severity.warning.rawValue)>" : "") : nil
    }

    /// Lines go to the descriptor by a thread of their own.
    func start() { queue?.start() }

    /// Writes what waits, within a bounded time.
    func close() { queue?.close() }

    /// - Parameter text: one line, already washed.
    func write(_ severity: Severity, _ text: @autoclosure () -> String) {
        guard severity.rawValue <= level.rawValue else { return }
        var line: Octets = []
        append(severity, text(), to: &line)
        write(line)
    }

    /// Appends the line as it is to be written.
    func append(_ severity: Severity, _ text: String, to lines: inout Octets) {
        append(severity, to: &lines) { $0.append(contentsOf: text.utf8) }
    }

    func append(_ severity: Severity, to lines: inout Octets, _ text: (inout Octets) -> Void) {
        let start = lines.count
        if isJournal { lines.append(contentsOf: "<\(severity.rawValue)>".utf8) }
        let textStart = lines.count
        text(&lines)
        if let tape {
            tape.add(String(decoding: lines[textStart...], as: UTF8.self))
            guard tape.echoes else { return lines.removeLast(lines.count - start) }
        }
        lines.append(ASCII.lf)
    }

    /// Whole lines. A log that can't be written must not stop the mail: what is not taken is lost.
    func write(_ lines: Octets) {
        guard !lines.isEmpty else { return }
        if let queue { return queue.add(lines) }
        _ = unsafe lines.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}

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
        write(severity) { $0.append(contentsOf: text().utf8) }
    }

    func write(_ event: SessionEvent) { write(event.severity) { event.append(to: &$0) } }

    private func write(_ severity: Severity, _ text: (inout Octets) -> Void) {
        guard severity.rawValue <= writer.level.rawValue else { return }
        if lines.isEmpty { loop.callDelayed(after: LogGatherer.delay) }
        writer.append(severity, to: &lines, text)
        if severity.rawValue < Severity.info.rawValue || lines.count > LogGatherer.limit { flush() }
    }

    func flush() {
        guard !lines.isEmpty else { return }
        writer.write(lines)
        lines.removeAll(keepingCapacity: true)
    }
}
