// Whether outgoing mail waits for the acknowledgement of a shared log, or goes on without one. It waits for a moment only,
// and not again and again: a log that was slow has to be quick for a while first. What becomes of a mail that went on
// without is no matter of this: others know by the sender's row that it may be missing (SenderRow).

/// Times in milliseconds of the monotonic clock.
struct RedisPace: Sendable {
    /// How long a mail waits at most.
    static let patience: Int64 = 100
    /// For so long all has to be acknowledged within `patience` before mail waits again.
    static let calm: Int64 = 500
    /// From then on a log that is only slow is told of as one that is away.
    static let alarm: Int64 = 1_000

    /// A mail waits for its acknowledgement.
    private(set) var waits = true
    /// It was said that the log is away.
    private(set) var isAway = false
    private var since: Int64 = 0
    private var isLost = false
    private var hasLetGo = false
    private var timelySince: Int64?

    /// There is no connection.
    mutating func lost(at now: Int64) {
        isLost = true
        stop(at: now)
    }

    /// There is one again; whether it is of any use, acknowledgements will tell.
    mutating func found() { isLost = false }

    /// Something has not been answered yet that began to wait at `since`.
    mutating func waited(since: Int64, at now: Int64) {
        if now - since >= RedisPace.patience { stop(at: now) }
    }

    /// A mail has gone on without the log.
    mutating func letGo() { hasLetGo = true }

    /// - Returns: true when it is to be said, once, that the log is away.
    mutating func turnsAway(at now: Int64) -> Bool {
        guard !waits, hasLetGo, !isAway, isLost || now - since >= RedisPace.alarm else { return false }
        isAway = true
        return true
    }

    /// - Parameters:
    ///   - delay: how long the acknowledgement took.
    ///   - all: nothing was outstanding when it was asked for, but what it is for.
    /// - Returns: true when it is to be said that the log is back.
    mutating func acknowledged(after delay: Int64, all: Bool, at now: Int64) -> Bool {
        guard all, delay < RedisPace.patience else {
            timelySince = nil
            return false
        }
        let began = timelySince ?? now
        timelySince = began
        guard !waits, now - began >= RedisPace.calm else { return false }
        (waits, hasLetGo) = (true, false)
        defer { isAway = false }
        return isAway
    }

    private mutating func stop(at now: Int64) {
        timelySince = nil
        guard waits else { return }
        (waits, since) = (false, now)
    }
}
