// What libevent says, as lines of guardd's log. Every worker has its own name servers in it, and each tells of the same
// one that does not answer: the same text is written once a minute.

import Synchronization

/// Any thread.
final class LibeventLines: Sendable {
    /// Seconds until a text is written again, and so many texts are remembered.
    static let pause: Int64 = 60
    private static let limit = 32

    private let log: LogWriter
    private let written = Mutex<[String: Int64]>([:])

    init(_ log: LogWriter) { self.log = log }

    /// - Parameter now: seconds since 1970.
    func take(isWarning: Bool, _ text: String, at now: Int64 = EventLoop.seconds()) {
        let line = "libevent: \(ASCII.washed(Octets(text.utf8)))"
        let isNew = written.withLock { written in
            if let before = written[line], (before..<before + LibeventLines.pause).contains(now) { return false }
            if written.count >= LibeventLines.limit { written = written.filter { ($0.value..<$0.value + LibeventLines.pause).contains(now) } }
            guard written.count < LibeventLines.limit else { return false }
            written[line] = now
            return true
        }
        if isNew { log.write(isWarning ? .warning : .info, line) }
    }
}
