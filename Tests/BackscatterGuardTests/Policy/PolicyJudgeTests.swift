import Testing
@testable import BackscatterGuard

@Suite("DESIGN.md, Verdict: the table") struct PolicyJudgeTests {
    private static let ann = "ann@example.org"

    private func id(_ text: String) throws -> MessageID { try #require(MessageID(Octets(text))) }

    private func evidence(_ ids: [String] = [], references: [String] = [], kind: NotificationKind = .bounce, unreadable: Bool = false) throws -> Evidence {
        var evidence = Evidence()
        evidence.kind = kind
        evidence.originalMessageIDs = try ids.map(id)
        evidence.referenceIDs = try references.map(id)
        evidence.isUnreadable = unreadable
        return evidence
    }

    private func record(_ sender: String = ann, recipients: Int = 1) -> SentRecord {
        SentRecord(time: 0, recipients: recipients, reversePath: Octets(sender))
    }

    private func judge(
        _ policy: Policy, _ evidence: Evidence, _ findings: Findings, to recipients: [String] = [ann]
    ) throws -> Judgement {
        let paths = try recipients.map(PolicySample.path)
        let first = try #require(paths.first)
        return policy.judge(evidence, findings, recipients: paths, treatment: policy.treatment(of: first), at: 1_000)
    }

    @Test func knownID() throws {
        let policy = try PolicySample.policy()
        let evidence = try evidence(["a@example.org", "b@example.org"])
        for sender in [Self.ann, "bob@EXAMPLE.org", "bob@mail.example.org", ""] {
            let judgement = try judge(policy, evidence, Findings(ids: [nil, record(sender)], isCovered: true))
            #expect(judgement == Judgement(verdict: .deliver, reason: .sent, decidingID: evidence.originalMessageIDs[1]), "\(sender)")
        }
        let other = try judge(policy, evidence, Findings(ids: [record("x@example.com"), nil], isCovered: true))
        #expect(other == Judgement(verdict: .deliver, reason: .otherDomain, decidingID: evidence.originalMessageIDs[0]))
        let fitting = try judge(policy, evidence, Findings(ids: [record("x@example.com"), record()]))
        #expect(fitting.reason == .sent && fitting.decidingID == evidence.originalMessageIDs[1])
    }

    @Test(arguments: [(1, 13, Reason.sent), (1, 14, .replayed), (0, 11, .replayed), (0, 10, .sent), (100, 310, .sent), (100, 311, .replayed), (1, 0, .sent), (.max, .max, .sent), (-1, 11, .replayed)])
    func replay(_ recipients: Int, _ times: Int, _ expected: Reason) throws {
        let findings = Findings(ids: [record(recipients: recipients)], timesReturned: times)
        let judgement = try judge(PolicySample.policy(), evidence(["a@example.org"]), findings)
        #expect(judgement.reason == expected && judgement.verdict == .deliver && judgement.decidingID != nil)
    }

    @Test func twoMisusesAreNoWayAroundEachOther() throws {
        let findings = Findings(ids: [record("x@example.com")], timesReturned: 100)
        func reason(_ actions: [Reason: Verdict]) throws -> Judgement {
            try judge(PolicySample.policy { $0.actions = actions }, evidence(["a@example.org"]), findings)
        }
        #expect(try reason([:]).reason == .replayed)
        #expect(try reason([.otherDomain: .refuse]).reason == .otherDomain && reason([.otherDomain: .refuse]).verdict == .refuse)
        #expect(try reason([.replayed: .refuse]).reason == .replayed && reason([.replayed: .refuse]).verdict == .refuse)
    }

    @Test func bindToAddress() throws {
        let policy = try PolicySample.policy {
            $0.bind = .address
            $0.actions = [.otherDomain: .refuse]
        }
        let evidence = try evidence(["a@example.org"])
        #expect(try judge(policy, evidence, Findings(ids: [record("Ann@Example.org")])).reason == .sent)
        #expect(try judge(policy, evidence, Findings(ids: [record()]), to: ["ann+x@example.org"]).reason == .sent)
        #expect(try judge(policy, evidence, Findings(ids: [record("ann+x@example.org")]), to: ["ann+x@example.org"]).reason == .sent)
        let other = try judge(policy, evidence, Findings(ids: [record("bob@example.org")]))
        #expect(other.reason == .otherDomain && other.verdict == .refuse)
    }

    @Test func idsNeverSent() throws {
        let policy = try PolicySample.policy()
        let evidence = try evidence(["a@example.org", "b@example.org"], references: ["c@example.org"])
        let nothing = Findings(ids: [nil, nil], references: [record()], knownPairs: [false], isCovered: true)
        #expect(try judge(policy, evidence, nothing) == Judgement(verdict: .refuse, reason: .neverSent, decidingID: evidence.originalMessageIDs[0]))
        var young = nothing
        young.isCovered = false
        #expect(try judge(policy, evidence, young) == Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true, decidingID: evidence.originalMessageIDs[0]))
        var pair = nothing
        pair.knownPairs = [true]
        #expect(try judge(policy, evidence, pair) == Judgement(verdict: .deliver, reason: .pair))
        let mild = try PolicySample.policy { $0.actions = [.neverSent: .mark] }
        #expect(try judge(mild, evidence, young).wouldRefuse == false && judge(mild, evidence, nothing).verdict == .mark)
    }

    @Test func noID() throws {
        let policy = try PolicySample.policy { $0.actions = [.undecided: .refuse, .unreadable: .defer] }
        let covered = Findings(references: [nil], knownPairs: [false], isCovered: true)
        #expect(try judge(policy, evidence(references: ["c@example.org"]), covered) == Judgement(verdict: .refuse, reason: .undecided))
        #expect(try judge(policy, evidence(unreadable: true), covered) == Judgement(verdict: .defer, reason: .unreadable))
        #expect(try judge(policy, evidence(unreadable: true), Findings(knownPairs: [true])) == Judgement(verdict: .deliver, reason: .pair))
        #expect(try judge(PolicySample.policy(), evidence(), covered) == Judgement(verdict: .deliver, reason: .undecided))
    }

    @Test func knownReferenceDeliversWhatIsUndecidedAndNoMore() throws {
        let policy = try PolicySample.policy { $0.actions = [.undecided: .refuse, .unreadable: .refuse] }
        let findings = Findings(references: [nil, record("x@example.com")], knownPairs: [false], isCovered: true)
        let references = ["c@example.org", "d@example.org"]
        #expect(try judge(policy, evidence(references: references), findings) == Judgement(verdict: .deliver, reason: .undecided, decidingID: id(references[1])))
        #expect(try judge(policy, evidence(references: references, unreadable: true), findings).verdict == .refuse)
    }

    @Test(arguments: [NotificationKind.mdn, .autoReply, .feedbackReport, .other]) func otherKinds(_ kind: NotificationKind) throws {
        let policy = try PolicySample.policy()
        for availability in [Findings.Availability.answered, .failed, .silent] {
            let judgement = try judge(policy, evidence(["a@example.org"], kind: kind), Findings(availability: availability, ids: [nil], isCovered: true))
            #expect(judgement == Judgement(verdict: .deliver, reason: .notABounce))
        }
        #expect(try judge(policy, evidence(kind: kind, unreadable: true), Findings()).reason == (kind == .other ? .unreadable : .notABounce))
    }

    @Test func logThatDoesNotAnswer() throws {
        let evidence = try evidence(["a@example.org"])
        let policy = try PolicySample.policy()
        #expect(try judge(policy, evidence, Findings(availability: .failed, ids: [nil], isCovered: true)) == Judgement(verdict: .deliver, reason: .logFailed))
        #expect(try judge(policy, evidence, Findings(availability: .silent, ids: [nil])) == Judgement(verdict: .defer, reason: .logSilent))
        #expect(try judge(policy, evidence, Findings(availability: .silentForLong, ids: [nil])) == Judgement(verdict: .deliver, reason: .logSilent))
    }

    @Test func observeJudgesAndTurnsNothingAway() throws {
        let policy = try PolicySample.policy { $0.mode = .observe }
        let forged = try judge(policy, evidence(["a@example.org"]), Findings(ids: [nil], isCovered: true))
        #expect(forged.verdict == .deliver && forged.reason == .neverSent && forged.wouldRefuse)
        let silent = try judge(policy, evidence(["a@example.org"]), Findings(availability: .silent))
        #expect(silent == Judgement(verdict: .deliver, reason: .logSilent))
    }

    @Test func tagsAndUnprotectedRecipients() throws {
        let findings = Findings(ids: [nil], isCovered: true)
        #expect(try judge(PolicySample.policy(), evidence(["a@x.example"]), findings, to: ["SRS0=x@example.org"]) == Judgement(verdict: .deliver, reason: .tagged))
        let strict = try PolicySample.policy { $0.actions = [.tagged: .refuse] }
        #expect(try judge(strict, evidence(), findings, to: ["SRS0=x@example.org"]) == Judgement(verdict: .refuse, reason: .tagged))
        #expect(try judge(PolicySample.policy(), evidence(["a@x.example"]), findings, to: ["bob@example.com"]).verdict == .deliver)
    }

    @Test func mildestRecipientDecides() throws {
        let policy = try PolicySample.policy(["example.org", "example.com"])
        let two = ["bob@example.com", Self.ann]
        let evidence = try evidence(["a@example.org"])
        #expect(try judge(policy, evidence, Findings(ids: [record()]), to: two).reason == .sent)
        let pair = Findings(ids: [nil], knownPairs: [false, true], isCovered: true)
        #expect(try judge(policy, evidence, pair, to: two) == Judgement(verdict: .deliver, reason: .pair))
        let harsh = try PolicySample.policy(["example.org", "example.com"]) { $0.actions = [.pair: .refuse, .neverSent: .mark] }
        #expect(try judge(harsh, evidence, pair, to: two).verdict == .mark)
        #expect(try judge(harsh, evidence, Findings(ids: [nil], knownPairs: [true, true], isCovered: true), to: two).verdict == .refuse)
    }

    @Test func oddPathFitsNoRecord() throws {
        let judgement = try judge(PolicySample.policy(), evidence(["a@example.org"]), Findings(ids: [record()]), to: ["ann"])
        #expect(judgement.verdict == .deliver && judgement.reason == .otherDomain)
    }
}

@Suite("Policy: a known id ends the hold") struct PolicyEarlyTests {
    private func early(
        _ findings: Findings, kind: NotificationKind = .bounce, to recipient: String = "ann@example.org", _ actions: [Reason: Verdict] = [:]
    ) throws -> Judgement? {
        let policy = try PolicySample.policy { $0.actions = actions }
        var evidence = Evidence()
        evidence.kind = kind
        evidence.originalMessageIDs = [try #require(MessageID(Octets("a@example.org")))]
        let path = try PolicySample.path(recipient)
        return policy.judgesEarly(evidence, findings, recipients: [path], treatment: policy.treatment(of: path), at: 0)
    }

    private let own = SentRecord(time: 0, recipients: 1, reversePath: Octets("ann@example.org"))
    private let foreign = SentRecord(time: 0, recipients: 1, reversePath: Octets("x@example.com"))

    @Test func knownIDIsEnough() throws {
        #expect(try early(Findings(ids: [own]))?.reason == .sent)
        #expect(try early(Findings(ids: [foreign]))?.reason == .otherDomain)
        #expect(try early(Findings(ids: [own]), [.sent: .mark, .replayed: .mark])?.verdict == .mark)
    }

    @Test func nothingElseIs() throws {
        #expect(try early(Findings(ids: [nil], knownPairs: [true], isCovered: true)) == nil)
        #expect(try early(Findings(availability: .failed, ids: [own])) == nil)
        #expect(try early(Findings(ids: [own]), kind: .other) == nil)
        #expect(try early(Findings(ids: [foreign]), [.otherDomain: .mark]) == nil)
        #expect(try early(Findings(ids: [own]), [.sent: .refuse, .replayed: .refuse]) == nil)
    }

    @Test func replayThatMattersHasToBeCounted() throws {
        #expect(try early(Findings(ids: [own]), [.replayed: .refuse]) == nil)
        #expect(try early(Findings(ids: [own], timesReturned: 1), [.replayed: .refuse])?.reason == .sent)
        #expect(try early(Findings(ids: [own], timesReturned: 100), [.replayed: .refuse]) == nil)
    }

    @Test func settledTreatmentsNeedNoContent() throws {
        #expect(try early(Findings(), to: "SRS0=x@example.org")?.reason == .tagged)
        #expect(try early(Findings(), to: "SRS0=x@example.org", [.tagged: .refuse])?.verdict == .refuse)
        #expect(try early(Findings(), to: "bob@example.com")?.verdict == .deliver)
    }
}
