// Log lines kept in memory: for the demo, which tells why guardd answered as it did, and for tests.

import Synchronization

/// The last lines of a log. Any thread may look.
final class LogTape: Sendable {
    private static let limit = 1_000
    private let kept = Mutex<[String]>([])
    private let echo = Atomic(false)

    var lines: [String] { kept.withLock { $0 } }

    /// Whether lines go to the log's descriptor as well.
    var echoes: Bool {
        get { echo.load(ordering: .relaxed) }
        set { echo.store(newValue, ordering: .relaxed) }
    }

    func add(_ line: String) {
        kept.withLock { lines in
            lines.append(line)
            if lines.count > Self.limit { lines.removeFirst(lines.count - Self.limit) }
        }
    }
}
