// How a recipient is treated, before anything of the content is known. All recipients of a transaction get one answer at
// the end of content, so only recipients whose notifications lead to the same verdict may share one; a RCPT that differs
// from the first accepted is answered 452 4.5.3 and comes in a transaction of its own.
//
// What makes two treatments differ:
// - The verdict of any reason: the actions and the mode of the domain and the address. An observed domain is compared by
//   what is really done, so observing never splits a transaction that wouldn't be split otherwise, and what it would have
//   refused is counted by the first recipient's settings.
// - The recipient's domain (or address, as `bind` says), if `sent` and `other_domain` lead to different verdicts: then one
//   known id can be right for one recipient and wrong for the other.
// What doesn't: whether the pair of a recipient and a failed recipient is known. A pair vouches for the notification as
// such: it shows that one of those it is addressed to wrote to the address that failed. Comparing by it would cut every
// notification to two recipients in two, known pair or not. The mildest verdict holds for all.

/// What a recipient's notifications are due.
public struct Treatment: Sendable, Hashable {
    /// Whether the content must be read. False: it streams on as any other mail does.
    public var isJudged: Bool
    /// A reason that is certain from the recipient alone: `tagged`. Set also where nothing is judged, to be counted.
    public var settled: Reason?
    /// What is done for each reason: the actions, less what observe mode leaves undone.
    public var effective: Actions
    /// What would be done in enforce mode.
    public var intended: Actions
    /// Mode `auto`: until the sent log covers the bounce window nothing is refused or deferred.
    public var awaitsCoverage = false
    /// What a known id's record is compared with.
    public var binding: PolicySettings.Binding
    /// The recipient's domain or address, where it can make a difference; else nil.
    public var scope: Octets?

    /// The same where the sent log has to be complete and is not.
    func given(_ findings: Findings) -> Treatment {
        guard awaitsCoverage, findings.availability == .answered, !findings.isCovered else { return self }
        var observed = self
        observed.effective = effective.observed
        return observed
    }

    /// For a recipient that is not protected, exempt, or tagged and delivered anyway.
    static func notJudged(_ settled: Reason? = nil) -> Treatment {
        Treatment(isJudged: false, settled: settled, effective: .standard, intended: .standard, binding: .domain, scope: nil)
    }

    /// Whether the two may share a transaction.
    public static func == (one: Treatment, other: Treatment) -> Bool {
        guard one.isJudged, other.isJudged else { return one.isJudged == other.isJudged }
        // The binding alone changes no verdict; where it can, the scope is set and differs with it.
        return one.settled == other.settled && one.effective == other.effective && one.awaitsCoverage == other.awaitsCoverage && one.scope == other.scope
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(isJudged)
        if isJudged {
            hasher.combine(effective)
            hasher.combine(scope)
        }
    }

    /// Whether a known id leads to another verdict for a recipient whom it fits than for one whom it doesn't.
    static func dependsOnOrigin(_ actions: Actions) -> Bool {
        actions[.sent] != actions[.otherDomain]
            || actions[.replayed] != Verdict.harsher(actions[.replayed], actions[.otherDomain])
    }
}
