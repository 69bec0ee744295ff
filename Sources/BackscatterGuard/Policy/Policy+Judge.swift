// What a notification is worth: DESIGN.md's table "Verdict", row by row. Nothing here throws or waits; a log that failed
// is one of the findings.
//
// Doubt delivers. Of several ids one that fits the recipient is enough, of several recipients the mildest verdict holds,
// and what a stranger may write (the outer header's references) never refuses.

extension Policy {
    /// Judges a notification that was read to its end, for all recipients of its transaction.
    ///
    /// - Parameter findings: the sent log's answer about this evidence; `knownPairs` is parallel to `recipients`.
    /// - Parameter recipients: those that the upstream accepted; their treatments are equal.
    /// - Parameter now: not used by any rule of today: age is judged by the sent log, when it says what is covered.
    /// - Returns: the mildest over the recipients. For recipients that are not judged: deliver, `tagged` or `undecided`.
    public func judge(
        _ evidence: Evidence, _ findings: Findings, recipients: [ForwardPath], treatment: Treatment, at now: Int64
    ) -> Judgement {
        guard treatment.isJudged else { return Judgement(verdict: .deliver, reason: treatment.settled ?? .undecided) }
        let treatment = treatment.given(findings)
        if let reason = treatment.settled { return conclude(reason, treatment) }
        if let reason = Self.reasonWithoutLog(evidence) ?? Self.reasonOfSilence(findings) {
            var judgement = conclude(reason, treatment)
            // Other servers give a bounce up after some days of 451; long before, it passes.
            if reason == .logSilent, findings.availability == .silentForLong, judgement.verdict == .defer { judgement.verdict = .deliver }
            return judgement
        }
        if findings.hasKnownID { return judgeKnown(evidence, findings, recipients, treatment) }
        return judgeUnknown(evidence, findings, treatment)
    }

    /// Judges a notification while its content still comes, if nothing that may follow could change the verdict: a known id
    /// ends the hold.
    ///
    /// - Parameter findings: need not have counted a return; where the action of `replayed` makes that matter, nil.
    /// - Returns: deliver or mark; nil when the rest has to be read.
    public func judgesEarly(
        _ evidence: Evidence, _ findings: Findings, recipients: [ForwardPath], treatment: Treatment, at now: Int64
    ) -> Judgement? {
        guard treatment.isJudged else { return judge(evidence, findings, recipients: recipients, treatment: treatment, at: now) }
        if treatment.settled != nil { return judge(evidence, findings, recipients: recipients, treatment: treatment, at: now) }
        guard evidence.kind == .bounce, findings.availability == .answered, findings.hasKnownID else { return nil }
        let actions = treatment.given(findings).effective
        guard findings.timesReturned > 0 || actions[.replayed] == actions[.sent] else { return nil }
        let judgement = judge(evidence, findings, recipients: recipients, treatment: treatment, at: now)
        switch judgement.verdict {
        // A later id may fit the recipient better: that must make no difference.
        case .deliver, .mark: return judgement.verdict == actions[.sent] ? judgement : nil
        case .divert, .defer, .refuse: return nil
        }
    }

    // MARK: The rows of the table

    /// Reasons that stand whatever the log says. Only bounces are judged; what is too broken to tell is said to be so.
    private static func reasonWithoutLog(_ evidence: Evidence) -> Reason? {
        switch evidence.kind {
        case .bounce: nil
        case .other: evidence.isUnreadable && evidence.originalMessageIDs.isEmpty ? .unreadable : .notABounce
        case .mdn, .autoReply, .feedbackReport: .notABounce
        }
    }

    private static func reasonOfSilence(_ findings: Findings) -> Reason? {
        switch findings.availability {
        case .answered: nil
        case .failed: .logFailed
        case .silent, .silentForLong: .logSilent
        }
    }

    /// `sent`, `other_domain`, `replayed`.
    private func judgeKnown(
        _ evidence: Evidence, _ findings: Findings, _ recipients: [ForwardPath], _ treatment: Treatment
    ) -> Judgement {
        let known = zip(evidence.originalMessageIDs, findings.ids).compactMap { id, record in record.map { (id: id, record: $0) } }
        let isReplayed = known.first.map { Self.isReplayed($0.record, times: findings.timesReturned) } ?? false
        var mildest: Judgement?
        for recipient in recipients {
            let fitting = known.first { fits($0.record, recipient, treatment.binding) }
            let reason = Self.knownReason(fits: fitting != nil, isReplayed: isReplayed, treatment.effective)
            let judgement = conclude(reason, treatment, id: (fitting ?? known.first)?.id)
            if mildest.map(judgement.isMilder(than:)) ?? true { mildest = judgement }
        }
        return mildest ?? conclude(.sent, treatment, id: known.first?.id)
    }

    /// An id that is both replayed and another domain's gets the harsher of the two actions: else the one misuse would be a
    /// way around the other. With equal actions it is called replayed, which raises the alarm.
    private static func knownReason(fits: Bool, isReplayed: Bool, _ actions: Actions) -> Reason {
        switch (fits, isReplayed) {
        case (true, false): .sent
        case (false, false): .otherDomain
        case (true, true): .replayed
        case (false, true): actions[.otherDomain].severity > actions[.replayed].severity ? .otherDomain : .replayed
        }
    }

    /// `pair` for the recipients that have one, `judgeWithoutPair` for the others.
    private func judgeUnknown(_ evidence: Evidence, _ findings: Findings, _ treatment: Treatment) -> Judgement {
        let other = judgeWithoutPair(evidence, findings, treatment)
        guard findings.knownPairs.contains(true) else { return other }
        let pair = conclude(.pair, treatment)
        return findings.knownPairs.contains(false) && other.isMilder(than: pair) ? other : pair
    }

    /// `never_sent`, `not_covered`, `undecided`, `unreadable`.
    private func judgeWithoutPair(_ evidence: Evidence, _ findings: Findings, _ treatment: Treatment) -> Judgement {
        if let first = evidence.originalMessageIDs.first {
            return conclude(findings.isCovered ? .neverSent : .notCovered, treatment, id: first)
        }
        if evidence.isUnreadable { return conclude(.unreadable, treatment) }
        let reference = zip(evidence.referenceIDs, findings.references).first { $0.1 != nil }?.0
        if let reference { return Judgement(verdict: .deliver, reason: .undecided, decidingID: reference) }
        return conclude(.undecided, treatment)
    }

    // MARK: Single questions

    private func fits(_ record: SentRecord, _ recipient: ForwardPath, _ binding: PolicySettings.Binding) -> Bool {
        switch binding {
        case .domain: record.wasSent(from: recipient.domain)
        case .address: spellings(of: recipient).contains { record.wasSent(fromAddress: $0) }
        }
    }

    /// R17: back more often than 3 × its recipients + 10.
    static func isReplayed(_ record: SentRecord, times: Int) -> Bool {
        let (tripled, overflow) = max(0, record.recipients).multipliedReportingOverflow(by: 3)
        return !overflow && times > 10 && times - 10 > tripled
    }

    private func conclude(_ reason: Reason, _ treatment: Treatment, id: MessageID? = nil) -> Judgement {
        let verdict = treatment.effective[reason]
        // An id that couldn't be refused for want of coverage is what `never_sent` would have been.
        let wanted = reason == .notCovered ? Verdict.harsher(treatment.intended[reason], treatment.intended[.neverSent]) : treatment.intended[reason]
        return Judgement(verdict: verdict, reason: reason, wouldRefuse: wanted == .refuse && verdict != .refuse, decidingID: id)
    }
}

extension Findings {
    /// Whether an id of the returned mail itself is in the log.
    var hasKnownID: Bool { ids.contains { $0 != nil } }
}
