// The service manager's watchdog: it is told again and again that guardd is alive, which means that every worker's loop
// turns. A worker that hangs stops the telling, and the service manager starts guardd anew.

/// When to tell. Times in milliseconds of the monotonic clock.
struct Watchdog {
    /// Within so long it must be told once; nil: nobody waits for it.
    let interval: Int64?
    private var told: Int64 = 0

    /// - Parameters:
    ///   - microseconds: WATCHDOG_USEC of the environment (sd_watchdog_enabled(3)).
    ///   - process: WATCHDOG_PID; nil: it is for any process.
    ///   - isSuccessor: this process took the place of the one that the variables were written for.
    init(microseconds: String?, process: String?, own: Int32, isSuccessor: Bool) {
        let isMeant = isSuccessor || process == nil || process == String(own)
        interval = isMeant ? microseconds.flatMap(Int64.init).flatMap { $0 >= 1000 ? $0 / 1000 : nil } : nil
    }

    /// Every second.
    ///
    /// - Parameter beats: when each worker's loop has turned last.
    /// - Returns: whether to tell now: three times in an interval, as long as all workers have turned within it.
    mutating func isDue(at now: Int64, beats: [Int64]) -> Bool {
        guard let interval, now - told >= interval / 3, beats.allSatisfy({ now - $0 < interval }) else { return false }
        told = now
        return true
    }
}
