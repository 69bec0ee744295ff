// Log lines to standard error: one write a line, so that lines of several threads never mix. Under systemd it is the
// journal, which reads the priority from `<N>` (sd-daemon(3)).

import Glibc

struct LogWriter: Sendable {
    let level: Severity
    /// Standard error is the journal.
    private let isJournal: Bool
    private let descriptor: CInt
    private let tape: LogTape?

    /// - Parameter tape: gets every line; the descriptor then only if the tape echoes.
    init(level: Severity, descriptor: CInt = STDERR_FILENO, tape: LogTape? = nil) {
        self.level = level
        self.tape = tape
        self.descriptor = descriptor
        isJournal = unsafe getenv("JOURNAL_STREAM") != nil
    }

    /// - Parameter text: one line, already washed.
    func write(_ severity: Severity, _ text: @autoclosure () -> String) {
        guard severity.rawValue <= level.rawValue else { return }
        let text = text()
        if let tape {
            tape.add(text)
            guard tape.echoes else { return }
        }
        var line = isJournal ? Octets("<\(severity.rawValue)>".utf8) : []
        line.append(contentsOf: text.utf8)
        line.append(ASCII.lf)
        // A log that can't be written must not stop the mail.
        _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
