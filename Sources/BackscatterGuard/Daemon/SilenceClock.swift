// How long a shared log has been silent. Bounces are deferred meanwhile, but not for ever: after four hours they pass,
// before other servers give them up (THREATS section 4).

import Synchronization

/// One for all workers. Times in milliseconds of the monotonic clock.
final class SilenceClock: Sendable {
    static let limit: Int64 = 4 * 3_600_000

    private let since = Mutex<Int64?>(nil)

    /// A question was not answered in time.
    ///
    /// - Returns: what its asker hears; and whether this is the first since the log has spoken.
    func fell(at now: Int64) -> (availability: Findings.Availability, isFirst: Bool) {
        since.withLock { since in
            let isFirst = since == nil
            let began = since ?? now
            since = began
            return (now - began >= SilenceClock.limit ? .silentForLong : .silent, isFirst)
        }
    }

    /// - Returns: whether it had been silent.
    func spoke() -> Bool {
        since.withLock { since in
            defer { since = nil }
            return since != nil
        }
    }
}
