// How many clients there may be, in all and from one address, counted over all workers.

import Synchronization

/// Counts the clients that are connected.
final class ConnectionLimits: Sendable {
    struct Settings: Sendable, Equatable {
        /// 0: no limit.
        var total: Int
        /// 0: no limit.
        var perClient: Int
        /// A client's time for a command, in milliseconds, while more than three quarters of `total` are taken.
        var stressTimeout: Int64
    }

    private struct Counts {
        var total = 0
        var byAddress: [PeerAddress: Int] = [:]
    }

    private let counts = Mutex(Counts())

    /// Counts one more client of `address`, unless there are too many.
    ///
    /// - Parameter address: without a port.
    func admit(_ address: PeerAddress, _ limits: Settings) -> Bool {
        counts.withLock { counts in
            if limits.total > 0, counts.total >= limits.total { return false }
            let ofAddress = counts.byAddress[address, default: 0]
            if limits.perClient > 0, ofAddress >= limits.perClient { return false }
            counts.total += 1
            counts.byAddress[address] = ofAddress + 1
            return true
        }
    }

    func release(_ address: PeerAddress) {
        counts.withLock { counts in
            counts.total -= 1
            let left = counts.byAddress[address, default: 1] - 1
            counts.byAddress[address] = left > 0 ? left : nil
        }
    }

    /// More than three quarters of all that are allowed.
    func isStressed(_ limits: Settings) -> Bool {
        limits.total > 0 && counts.withLock { $0.total } > limits.total / 4 * 3
    }
}

/// Session numbers, one row for all workers.
final class SessionNumbers: Sendable {
    private let last = Atomic<UInt64>(0)
    func next() -> UInt64 { last.add(1, ordering: .relaxed).newValue }
}
