// What keeps a protected domain from being enforced in mode "auto": a bounce that would be refused, but returned a mail
// that a host of ours sent. Then mail leaves from there unrecorded (a forgotten web server), and refusing would lose
// genuine bounces. Bounded by the number of protected patterns; kept over restarts by the daemon.

import Synchronization

/// The protected patterns with such bounces, each with the last of them. Used by all workers.
public final class EnforcementBlocks: Sendable {
    /// The bounces in the way of one protected pattern.
    public struct Block: Sendable, Equatable {
        /// How many there were.
        public var count: Int
        /// Of the last one: seconds since 1970, the host of ours (an address or a name), and the id it returned, washed.
        public var time: Int64
        public var host: String
        public var messageID: String
    }

    private let blocks: Mutex<[String: Block]>

    public init(_ blocks: [String: Block] = [:]) { self.blocks = Mutex(blocks) }

    /// By pattern, as the configuration writes it.
    public var all: [String: Block] { blocks.withLock { $0 } }

    /// Whether any of `patterns` is blocked.
    func hold(_ patterns: [String]) -> Bool {
        blocks.withLock { blocks in !blocks.isEmpty && patterns.contains { blocks[$0] != nil } }
    }

    var isEmpty: Bool { blocks.withLock { $0.isEmpty } }

    /// Counts one more such bounce.
    ///
    /// - Returns: whether it is the first for any of `patterns`.
    func note(_ patterns: [String], host: String, messageID: String, at now: Int64) -> Bool {
        blocks.withLock { blocks in
            var isNew = false
            for pattern in patterns {
                let count = blocks[pattern]?.count ?? 0
                if count == 0 { isNew = true }
                blocks[pattern] = Block(count: count < .max ? count + 1 : count, time: now, host: host, messageID: messageID)
            }
            return isNew
        }
    }

    /// Forgets those whose last bounce came before `time`, or whose pattern is not among `patterns`.
    ///
    /// - Returns: whether there were any.
    func forget(before time: Int64, except patterns: Set<String>) -> Bool {
        blocks.withLock { blocks in
            let kept = blocks.filter { $0.value.time >= time && patterns.contains($0.key) }
            defer { blocks = kept }
            return kept.count != blocks.count
        }
    }
}
