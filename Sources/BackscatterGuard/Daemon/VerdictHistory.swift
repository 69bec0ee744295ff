// Verdicts minute by minute, in memory, for the plot of the status page: a day of them, in some 30 kB. Filled from the
// counters every second; what a restart loses is in Prometheus, or nowhere.

/// What was judged in one span of time.
public struct VerdictTally: Sendable, Equatable, Codable {
    /// Let pass, marked or diverted, and not for want of coverage.
    public var delivered = 0
    /// Let pass, and would have been refused (`would=refuse`).
    public var wouldRefuse = 0
    public var deferred = 0
    public var refused = 0

    var total: Int { delivered + wouldRefuse + deferred + refused }

    static func + (left: Self, right: Self) -> Self {
        Self(delivered: left.delivered + right.delivered, wouldRefuse: left.wouldRefuse + right.wouldRefuse, deferred: left.deferred + right.deferred, refused: left.refused + right.refused)
    }

    static func - (left: Self, right: Self) -> Self {
        Self(delivered: left.delivered - right.delivered, wouldRefuse: left.wouldRefuse - right.wouldRefuse, deferred: left.deferred - right.deferred, refused: left.refused - right.refused)
    }
}

/// The last day. Used by one thread.
struct VerdictHistory {
    static let minutes = 1_440

    /// Oldest first, without the present minute.
    private var past: [VerdictTally] = []
    /// Minutes since 1970.
    private var minute: Int64
    /// Counters at the beginning of the present minute, and now.
    private var before = VerdictTally()
    private var now = VerdictTally()

    /// - Parameter time: seconds since 1970.
    init(at time: Int64) { minute = time / 60 }

    /// - Parameter total: since the start.
    mutating func note(_ total: VerdictTally, at time: Int64) {
        let next = time / 60
        // A clock that was set back, or far ahead: the plot begins anew rather than lie.
        if next < minute || next - minute > Int64(Self.minutes) { past = [] }
        if next > minute || next < minute {
            if next > minute, next - minute <= Int64(Self.minutes) {
                past.append(now - before)
                past += Array(repeating: VerdictTally(), count: Int(next - minute) - 1)
                if past.count > Self.minutes { past.removeFirst(past.count - Self.minutes) }
            }
            (minute, before) = (next, now)
        }
        now = total
    }

    /// The last `count` spans of `width` minutes each, oldest first, the present minute in the last; what is not known is 0.
    func spans(_ count: Int, width: Int) -> [VerdictTally] {
        let all = past + [now - before]
        let wanted = count * width
        let padded = Array(repeating: VerdictTally(), count: max(0, wanted - all.count)) + all.suffix(wanted)
        return (0..<count).map { span in padded[span * width..<(span + 1) * width].reduce(VerdictTally(), +) }
    }
}
