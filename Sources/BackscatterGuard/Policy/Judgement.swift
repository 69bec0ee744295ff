// What the policy says about one notification: enough for the reply, the log line and the counters.

/// A verdict and why.
public struct Judgement: Sendable, Equatable {
    public var verdict: Verdict
    public var reason: Reason
    /// It would have been refused, but for observe mode or for a sent log that doesn't cover the bounce window.
    public var wouldRefuse: Bool
    /// The id that decided: the known one, or the first of those never sent. nil where no id did.
    public var decidingID: MessageID?

    public init(verdict: Verdict, reason: Reason, wouldRefuse: Bool = false, decidingID: MessageID? = nil) {
        self.verdict = verdict
        self.reason = reason
        self.wouldRefuse = wouldRefuse
        self.decidingID = decidingID
    }

    /// Milder, or as mild with the reason that stands first.
    func isMilder(than other: Judgement) -> Bool {
        (verdict.severity, reason.rank) < (other.verdict.severity, other.reason.rank)
    }
}
