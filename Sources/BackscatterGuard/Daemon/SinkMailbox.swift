// Where the sink puts its messages and others wait for them: a bounded list, and a condition that tells of new ones.

import Foundation
import Synchronization

/// The last messages that a sink received. Any thread may look and wait.
public final class SinkMailbox: Sendable {
    private struct Kept {
        var messages: [SinkMessage] = []
        var octets = 0
        var received = 0
        var isClosed = false
    }

    private let kept = Mutex(Kept())
    private let changed = NSCondition()
    private let messagesLimit: Int
    private let octetsLimit: Int

    init(messagesKept: Int, octetsKept: Int) {
        messagesLimit = messagesKept
        octetsLimit = octetsKept
    }

    /// Oldest first.
    public var messages: [SinkMessage] { kept.withLock { $0.messages } }
    /// How many came, those that are no longer kept included.
    public var received: Int { kept.withLock { $0.received } }

    /// Waits for a message.
    ///
    /// - Parameter seconds: how long at most.
    /// - Parameter fits: whether it is the one; the messages are asked from the newest to the oldest.
    /// - Returns: nil when none came in time, or the sink ended.
    public func wait(seconds: Double, for fits: (SinkMessage) -> Bool) -> SinkMessage? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        var isInTime = true
        while true {
            let (messages, isClosed) = kept.withLock { ($0.messages, $0.isClosed) }
            if let found = messages.last(where: fits) { return found }
            guard isInTime, !isClosed else { return nil }
            isInTime = changed.wait(until: deadline)
        }
    }

    func add(_ messages: [SinkMessage]) {
        guard !messages.isEmpty else { return }
        change { kept in
            for message in messages {
                kept.messages.append(message)
                kept.octets += message.content.count
                kept.received += 1
            }
            while kept.messages.count > messagesLimit || kept.octets > octetsLimit, !kept.messages.isEmpty {
                kept.octets -= kept.messages.removeFirst().content.count
            }
        }
    }

    /// Nothing will come any more.
    func close() { change { $0.isClosed = true } }

    private func change(_ body: (inout Kept) -> Void) {
        changed.lock()
        kept.withLock { body(&$0) }
        changed.broadcast()
        changed.unlock()
    }
}
