// How the sources of the sent log are, for people and metrics.

import Synchronization

/// The state of one source at one moment. Times in seconds since 1970.
public struct SourceStatus: Sendable, Equatable, Codable {
    /// As the configuration names it: the path of a log, or `journal`.
    public let name: String
    public let format: String
    /// It can be read.
    public var isAlive = false
    /// Why it can't be read, or records nothing; nil when all is well.
    public var problem: String?
    /// The id that was recorded last, washed; nil: none since the start.
    public var lastID: String?
    /// When the mail of that id was sent, by the log.
    public var lastSent: Int64?
    /// When all that had been written was recorded.
    public var caughtUp: Int64?
    /// Octets that were written and not read yet; 0 where nobody knows.
    public var behind = 0
    public var counts = LogCounts()

    public init(name: String, format: String) {
        self.name = name
        self.format = format
    }
}

/// All sources. Any thread.
public final class SourceRegistry: Sendable {
    private let kept = Mutex<[SourceStatus]>([])

    public init() {}

    /// In the order of the configuration.
    public var all: [SourceStatus] { kept.withLock { $0 } }

    func add(_ status: SourceStatus) -> Int {
        kept.withLock { list in
            list.append(status)
            return list.count - 1
        }
    }

    func set(_ index: Int, _ status: SourceStatus) {
        kept.withLock { if $0.indices.contains(index) { $0[index] = status } }
    }
}
