// What the clock of a Redis server showed, and when this machine heard of it. From that follows how late it was on that
// clock at the least at some moment of ours: what it showed before. Nothing is reckoned forward, so it does not matter how
// fast or evenly either clock goes, or that a machine stood still; the server's must only not be set back.

/// Replies to TIME, oldest first. Times in milliseconds; the server's since 1970, ours by the monotonic clock.
struct ServerMoments: Sendable {
    private struct Moment {
        let clock: Int64
        let at: Int64
    }

    /// Ours; those that are nearer to each other count as one.
    private static let distance: Int64 = 50
    private static let limit = 256

    private var moments: [Moment] = []

    /// When the newest was heard of.
    var newestAt: Int64? { moments.last?.at }

    /// - Parameters:
    ///   - clock: what the server's clock showed.
    ///   - at: when its reply had come.
    mutating func add(_ clock: Int64, at: Int64) {
        if let last = moments.last, clock < last.clock { moments = [] }      // set back: what was before counts no more
        if moments.count > 1, let last = moments.last, last.at - moments[moments.count - 2].at < ServerMoments.distance { moments.removeLast() }
        moments.append(Moment(clock: clock, at: at))
        if moments.count > ServerMoments.limit { moments.removeFirst() }
    }

    /// It was later than this by the server's clock when the newest reply had come.
    var latest: Int64? { moments.last.map { $0.clock - 1 } }

    /// It was later than this by the server's clock at a moment of ours; nil: nothing is known of so long ago.
    func earlier(than at: Int64) -> Int64? { moments.last { $0.at < at }.map { $0.clock - 1 } }
}
