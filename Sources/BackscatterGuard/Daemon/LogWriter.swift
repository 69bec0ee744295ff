// Log lines: whole lines in one write, so that lines of several threads never mix. To standard error, where under systemd
// the journal reads the priority from `<N>` (sd-daemon(3)), or to syslog. As text or as JSON. Lines of a kind that come too
// often are counted (`RepeatFolding`) and told in one.

import Glibc
import Synchronization

struct LogWriter: Sendable {
    /// How lines are written, and which.
    struct Settings: Sendable {
        var level: Severity
        var format = Configuration.LogFormat.text
        /// Lines of a kind within a minute that are written one by one. 0: all.
        var repeatLimit = 0
    }

    /// How a line looks.
    private struct Form: Sendable {
        let format: Configuration.LogFormat
        /// Who reads the lines takes `<N>` off.
        let hasPriorities: Bool

        /// - Parameter text: washed.
        func append(_ severity: Severity, _ text: String, to line: inout Octets) {
            guard format == .json else { return line.append(contentsOf: text.utf8) }
            var object = JSONLine(severity, at: EventLoop.seconds())
            object.add("text", text)
            line += object.closed
        }

        func line(_ severity: Severity, _ text: String) -> Octets {
            var line = hasPriorities ? Octets("<\(severity.rawValue)>".utf8) : []
            append(severity, text, to: &line)
            return line + [ASCII.lf]
        }
    }

    let level: Severity
    private let form: Form
    private let sink: LogSink
    private let tape: LogTape?
    private let queue: LogQueue?
    private let repeats: Repeats

    /// Mutable, and shared by all copies.
    private final class Repeats: Sendable {
        let folding: Mutex<RepeatFolding<LogRepeat.Kind>>
        init(_ limit: Int) { folding = Mutex(RepeatFolding(.init(each: limit, all: max(limit, limit.multipliedReportingOverflow(by: 20).partialValue)))) }
    }

    /// - Parameters:
    ///   - tape: gets every line; the sink then only while the tape echoes.
    ///   - isQueued: from `start` on nobody who logs waits for the sink.
    init(_ settings: Settings, to sink: LogSink = .descriptor(STDERR_FILENO), tape: LogTape? = nil, isQueued: Bool = false) {
        level = settings.level
        self.tape = tape
        self.sink = sink
        form = Form(format: settings.format, hasPriorities: sink.hasPriorities)
        repeats = Repeats(settings.repeatLimit)
        queue = isQueued ? LogQueue(sink) { [form] in form.line(.warning, "log: \($0) lines dropped: \(sink.name) does not take them") } : nil
    }

    init(level: Severity, tape: LogTape? = nil) { self.init(Settings(level: level), tape: tape) }

    /// Lines go to the sink by a thread of their own.
    func start() { queue?.start() }

    /// Writes what waits, within a bounded time.
    func close() {
        tellRepeats(at: EventLoop.seconds(), isLast: true)
        queue?.close()
    }

    /// - Parameter text: one line, already washed.
    func write(_ severity: Severity, _ text: @autoclosure () -> String) {
        guard severity.rawValue <= level.rawValue else { return }
        var line: Octets = []
        append(severity, text(), to: &line)
        write(line)
    }

    /// Appends the line as it is to be written.
    func append(_ severity: Severity, _ text: String, to lines: inout Octets) {
        append(severity, to: &lines) { form.append(severity, text, to: &$0) }
    }

    func append(_ event: SessionEvent, to lines: inout Octets) {
        append(event.severity, to: &lines) { line in
            if form.format == .json { line += event.json(at: EventLoop.seconds()) } else { event.append(to: &line) }
        }
    }

    private func append(_ severity: Severity, to lines: inout Octets, _ text: (inout Octets) -> Void) {
        let start = lines.count
        if form.hasPriorities { lines.append(contentsOf: "<\(severity.rawValue)>".utf8) }
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
        if let queue { queue.add(lines) } else { sink.write(lines) }
    }

    // MARK: Repeats

    /// Whether to write such a line; else it is counted.
    func takes(_ line: LogRepeat, at now: Int64) -> Bool {
        repeats.folding.withLock { $0.take(line.kind, rest: line.rest, client: line.client, recipients: line.recipients, at: now) }
    }

    /// Every second: what was counted, when its minute is over.
    func tellRepeats(at now: Int64, isLast: Bool = false) {
        let told = repeats.folding.withLock { $0.due(at: now, all: isLast) }
        var lines: Octets = []
        for line in told where line.key.severity.rawValue <= level.rawValue {
            append(line.key.severity, to: &lines) { text in
                if form.format == .json { text += line.json(at: now) } else { text += Octets(line.text.utf8) }
            }
        }
        write(lines)
    }
}

extension Configuration {
    /// The daemon's log.
    func makeLog() -> LogWriter {
        LogWriter(.init(level: logLevel.severity, format: logFormat, repeatLimit: logRepeatLimit), to: LogSink(logTo), isQueued: true)
    }
}
