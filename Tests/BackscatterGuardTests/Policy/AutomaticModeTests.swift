import Testing
@testable import BackscatterGuard

@Suite("Mode \"auto\": enforced when the sent log is complete, unless mail of ours leaves unrecorded") struct AutomaticModeTests {
    private func sample(_ protected: [String] = ["example.org"], _ change: (inout PolicySettings) throws -> Void = { _ in }) throws -> Policy {
        try PolicySample.policy(protected) {
            $0.mode = PolicySettings().mode
            try change(&$0)
        }
    }

    private func forged(_ origins: [String] = [], host: String? = nil) throws -> Evidence {
        var evidence = Evidence()
        evidence.kind = .bounce
        evidence.originalMessageIDs = [try #require(MessageID(Octets("x@y.example")))]
        evidence.originAddresses = origins
        evidence.firstReceivedHost = host.map { Octets($0) }
        return evidence
    }

    private func judge(_ policy: Policy, covered: Bool, to recipient: String = "ann@example.org") throws -> Judgement {
        let path = try PolicySample.path(recipient)
        let findings = Findings(ids: [nil], isCovered: covered)
        return policy.judge(try forged(), findings, recipients: [path], treatment: policy.treatment(of: path), at: 0)
    }

    @Test func isTheDefault() throws {
        let policy = try sample()
        #expect(PolicySettings().mode == .auto)
        #expect(policy.automaticPatterns == ["example.org"])
        #expect(try judge(policy, covered: true) == Judgement(verdict: .refuse, reason: .neverSent, decidingID: MessageID(Octets("x@y.example"))))
        let early = try judge(policy, covered: false)
        #expect(early.verdict == .deliver && early.reason == .notCovered && early.wouldRefuse)
    }

    @Test func nothingIsRefusedBeforeTheLogIsComplete() throws {
        let strict = try sample { $0.actions = [.otherDomain: .refuse, .notCovered: .defer] }
        let path = try PolicySample.path("ann@example.org")
        let known = Findings(ids: [SentRecord(time: 0, recipients: 1, reversePath: Octets("x@example.com"))], isCovered: false)
        let judgement = strict.judge(try forged(), known, recipients: [path], treatment: strict.treatment(of: path), at: 0)
        #expect(judgement.reason == .otherDomain && judgement.verdict == .deliver && judgement.wouldRefuse)
        #expect(try judge(strict, covered: false).verdict == .deliver)
        let enforcing = try sample { ($0.mode, $0.actions) = (.enforce, [.notCovered: .defer]) }
        #expect(try judge(enforcing, covered: false).verdict == .defer)
    }

    /// What guardd can't know because its own log failed is another matter than a young log.
    @Test func aSilentLogStillDefers() throws {
        let policy = try sample()
        let path = try PolicySample.path("ann@example.org")
        let judgement = policy.judge(try forged(), Findings(availability: .silent, ids: [nil]), recipients: [path], treatment: policy.treatment(of: path), at: 0)
        #expect(judgement.verdict == .defer && judgement.reason == .logSilent)
    }

    @Test func aBlockHoldsItsDomainOnly() throws {
        let policy = try sample(["example.org", ".example.org", "example.net"])
        #expect(policy.blocks.note([".example.org"], host: "192.0.2.8", messageID: "x", at: 7))
        #expect(!policy.blocks.note([".example.org"], host: "192.0.2.8", messageID: "y", at: 8))
        #expect(try judge(policy, covered: true, to: "ann@www.example.org").verdict == .deliver)
        #expect(try judge(policy, covered: true, to: "ann@www.example.org").wouldRefuse)
        for free in ["ann@example.org", "ann@example.net"] { #expect(try judge(policy, covered: true, to: free).verdict == .refuse) }
        #expect(try judge(policy, covered: true, to: "ann@[192.0.2.1]").verdict == .deliver, "a domain that can't be read may be any")
        #expect(policy.blocks.all == [".example.org": .init(count: 2, time: 8, host: "192.0.2.8", messageID: "y")])
        #expect(!policy.blocks.forget(before: 8, except: [".example.org"]) && policy.blocks.forget(before: 9, except: [".example.org"]))
        #expect(try judge(policy, covered: true, to: "ann@www.example.org").verdict == .refuse)
    }

    @Test func enforceOverridesABlock() throws {
        let policy = try sample { $0.domains[try PolicySample.pattern("example.org")] = .init(mode: .enforce) }
        _ = policy.blocks.note(["example.org"], host: "h", messageID: "x", at: 1)
        #expect(try judge(policy, covered: true).verdict == .refuse)
        #expect(policy.automaticPatterns.isEmpty)
    }

    @Test func recipientsOfDifferentModesDoNotShareATransaction() throws {
        let policy = try sample(["example.org", "example.net"]) { $0.domains[try PolicySample.pattern("example.net")] = .init(mode: .enforce) }
        let (one, other) = (policy.treatment(of: try PolicySample.path("a@example.org")), policy.treatment(of: try PolicySample.path("a@example.net")))
        #expect(one != other)
    }

    @Test func automaticPatternsByDomain() throws {
        let policy = try sample(["example.org", ".example.org", "a.example.org"]) { $0.domains[try PolicySample.pattern(".example.org")] = .init(mode: .observe) }
        #expect(policy.automaticPatterns == ["example.org"])
    }

    @Test(arguments: [
        (["198.51.100.1", "192.0.2.8"], nil, "192.0.2.8"), (["192.0.2.8", "198.51.100.1"], nil, nil), (["10.1.2.3"], nil, nil), (["127.0.0.1"], nil, nil),
        (["203.0.113.9"], nil, "203.0.113.9"), ([], "web.example.org", "web.example.org"), (["198.51.100.1"], "mail.example.com", "mail.example.com"),
        (["198.51.100.1"], "mx.example", nil), ([], "notexample.org", nil), ([], nil, nil),
    ] as [([String], String?, String?)])
    func ownHosts(_ origins: [String], _ host: String?, _ expected: String?) throws {
        let networks = try ["192.0.2.0/24", "10.0.0.0/8"].map { try #require(Network($0)) }
        let addresses = try ["127.0.0.1", "203.0.113.9"].map { try #require(PeerAddress($0)) }
        let hosts = OwnHosts(networks: networks, addresses: addresses, names: ["example.org", "mail.example.com"].map { Octets($0) })
        #expect(hosts.origin(of: try forged(origins, host: host)) == expected)
    }

    @Test func theOldestHopCounts() throws {
        let returned = """
            Received: from mx.far.example (mx.far.example [198.51.100.7]) by last.example; x\r
            Received: from web.example.org (web.example.org [192.0.2.8])\r
             by mx.far.example (Postfix) with ESMTP; x\r
            Received: by web.example.org (Postfix, from userid 33); x\r
            Message-ID: <a@web.example.org>\r
            \r
            x\r
            """
        let notification = """
            From: MAILER-DAEMON@far.example\r
            Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
            \r
            --b\r
            Content-Type: message/rfc822\r
            \r
            \(returned)\r
            --b--\r

            """
        everyDivision(Octets(notification.utf8)) { pieces in
            var reader = NotificationReader()
            for piece in pieces { reader.read(piece.span) }
            reader.finish()
            #expect(reader.evidence.originAddresses.last == "192.0.2.8" && reader.evidence.firstReceivedHost == Octets("web.example.org"))
        }
    }
}
