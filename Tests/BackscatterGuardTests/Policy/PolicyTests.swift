import Testing
@testable import BackscatterGuard

/// Settings in one line each.
enum PolicySample {
    static func pattern(_ text: String) throws -> DomainPattern { try #require(DomainPattern(Octets(text))) }
    static func path(_ text: String) throws -> ForwardPath { try #require(ForwardPath(Octets(text)), "\(text)") }

    static func policy(_ protected: [String] = ["example.org"], blocks: EnforcementBlocks = EnforcementBlocks(), _ change: (inout PolicySettings) throws -> Void = { _ in }) throws -> Policy {
        var settings = PolicySettings()
        settings.mode = .enforce
        settings.protectedDomains = try protected.map(pattern)
        try change(&settings)
        return Policy(settings, blocks: blocks)
    }
}

@Suite("Policy: which messages are notifications, which recipients are judged") struct PolicyTests {
    private func treatment(_ policy: Policy, _ address: String) throws -> Treatment { policy.treatment(of: try PolicySample.path(address)) }

    @Test(arguments: [
        ("", true), ("#@[]", true), ("MAILER-DAEMON@mx.example.com", true), ("mailer-daemon@mx.example.com", true), ("ann@example.org", false),
        ("notmailer-daemon@example.com", false), ("bounces@list.example", true),
    ])
    func notification(_ sender: String, _ expected: Bool) throws {
        let policy = try PolicySample.policy { $0.bounceSenders += [try #require(AddressPattern(Octets("bounces@*")))] }
        let line = Octets("MAIL FROM:<\(sender)>")
        if let arguments = MailArguments(line.span) {
            #expect(policy.isNotification(ReversePath(arguments, of: line.span)) == expected)
        } else {
            #expect(sender == "#@[]", "\(sender) is no reverse-path")
        }
    }

    @Test func withoutPatternsOnlyTheNullSenders() throws {
        let policy = try PolicySample.policy { $0.bounceSenders = [] }
        #expect(policy.isNotification(.null))
        #expect(policy.isNotification(try #require(ReversePath(Octets("mailer-daemon@a.example")))) == false)
    }

    @Test(arguments: [
        ("ann@example.org", true), ("ann@EXAMPLE.org", true), ("ann@sub.example.org", false), ("ann@notexample.org", false), ("ann@example.com", false),
        ("ann@a.example.net", true), ("ann@a.b.example.net", true), ("ann@example.net", false),
        ("ann", true), ("ann@[192.0.2.1]", true), ("ann@example.org.", true), ("ann%example.org@other.example", true), ("ann@bücher.example", true),
        ("postmaster@example.org", false), ("PostMaster@example.org", false), ("postmaster", false), ("\"postmaster\"@example.org", false), ("postmasters@example.org", true),
    ])
    func protected(_ address: String, _ expected: Bool) throws {
        let policy = try PolicySample.policy(["example.org", ".example.net"])
        #expect(try treatment(policy, address).isJudged == expected)
        #expect(try !treatment(PolicySample.policy([]), address).isJudged)
    }

    @Test(arguments: [
        ("SRS0=hash=tt=example.com=bob@example.org", true), ("srs1+x@example.org", true), ("prvs=0123abcdef=ann@example.org", true),
        ("BTV1==ab==ann@example.org", true), ("\"SRS0=a b\"@example.org", true), ("SRS0@example.org", false), ("ann=prvs=@example.org", false), ("SRS0=x", true),
    ])
    func tagged(_ address: String, _ expected: Bool) throws {
        let treatment = try treatment(PolicySample.policy(), address)
        #expect(treatment.isJudged == !expected && treatment.settled == (expected ? .tagged : nil))
    }

    @Test func tagOfAnUnprotectedRecipientIsNoReason() throws {
        #expect(try treatment(PolicySample.policy(), "SRS0=x@example.com").settled == nil)
    }

    @Test func ownTagsAndTheirAction() throws {
        let policy = try PolicySample.policy {
            $0.tags = [Octets("T-")]
            $0.actions = [.tagged: .mark]
        }
        let tagged = try treatment(policy, "t-ann@example.org")
        #expect(tagged.isJudged && tagged.settled == .tagged)
        #expect(try treatment(policy, "SRS0=x@example.org").settled == nil)
        #expect(try treatment(policy, "ann@example.org") != tagged)
    }

    @Test func narrowestSettingsWin() throws {
        let policy = try PolicySample.policy(["example.org", ".example.org"]) {
            $0.actions = [.undecided: .mark, .unreadable: .mark]
            $0.domains = [
                try PolicySample.pattern(".example.org"): .init(mode: .observe, actions: [.undecided: .defer, .pair: .mark]),
                try PolicySample.pattern("a.example.org"): .init(mode: .enforce, bind: .address, actions: [.undecided: .refuse]),
                try PolicySample.pattern(".b.example.org"): .init(actions: [.pair: .defer]),
            ]
            $0.addresses = [Octets("ann@a.example.org"): [.undecided: .deliver]]
        }
        let top = try treatment(policy, "x@example.org")
        #expect(top.intended[.undecided] == .mark && top.effective == top.intended)
        let below = try treatment(policy, "x@c.example.org")
        #expect(below.intended[.undecided] == .defer && below.effective[.undecided] == .deliver && below.intended[.unreadable] == .mark)
        let exact = try treatment(policy, "x@a.example.org")
        #expect(exact.effective[.undecided] == .refuse && exact.effective[.pair] == .mark && exact.binding == .address)
        let deep = try treatment(policy, "x@y.b.example.org")
        #expect(deep.intended[.pair] == .defer && deep.intended[.undecided] == .defer && deep.effective[.pair] == .deliver)
        for address in ["ann@a.example.org", "Ann@A.example.org", "ann+news@a.example.org", "\"ann\"@a.example.org"] {
            #expect(try treatment(policy, address).effective[.undecided] == .deliver, "\(address)")
        }
        #expect(try treatment(policy, "anna@a.example.org").effective[.undecided] == .refuse)
        let odd = try treatment(policy, "ann%a.example.org@a.example.org")
        #expect(odd.intended[.undecided] == .mark && odd.binding == .domain)
    }

    @Test(arguments: [
        ("ann@example.org", ["ann@example.org"]), ("Ann+x@example.org", ["ann+x@example.org", "ann@example.org"]),
        ("+x@example.org", ["+x@example.org"]), ("ann-x@example.org", ["ann-x@example.org"]),
        ("prvs=1234=ann+x@example.org", ["prvs=1234=ann+x@example.org", "prvs=1234=ann@example.org", "ann+x@example.org", "ann@example.org"]),
        ("prvs=@example.org", ["prvs=@example.org"]),
    ])
    func spellings(_ address: String, _ expected: [String]) throws {
        #expect(try PolicySample.policy().spellings(of: PolicySample.path(address)) == expected.map { Octets($0) })
    }

    @Test(arguments: [
        (".example.org", true), ("example.org", true), ("a.example.net", true), (".a.example.net", true), (".net", true), ("example.net", false), ("example.com", false), (".com", false),
    ])
    func mayProtect(_ pattern: String, _ expected: Bool) throws {
        let policy = try PolicySample.policy(["example.org", ".example.org", ".example.net"])
        #expect(policy.mayProtect(try PolicySample.pattern(pattern)) == expected)
    }
}

@Suite("Policy: recipients that may share a transaction") struct TreatmentTests {
    private func equal(_ policy: Policy, _ one: String, _ other: String) throws -> Bool {
        let (one, other) = (policy.treatment(of: try PolicySample.path(one)), policy.treatment(of: try PolicySample.path(other)))
        if one == other { #expect(one.hashValue == other.hashValue) }
        return one == other
    }

    private let domains = ["example.org", "example.net", "example.com"]

    @Test func sameActionsShare() throws {
        let policy = try PolicySample.policy(domains)
        #expect(try equal(policy, "ann@example.org", "bob@example.org") && equal(policy, "ann@example.org", "bob@example.net"))
    }

    @Test func judgedAndNotJudgedDiffer() throws {
        let policy = try PolicySample.policy(domains)
        for other in ["bob@example.edu", "postmaster@example.org", "SRS0=x@example.org"] { #expect(try !equal(policy, "ann@example.org", other)) }
        #expect(try equal(policy, "bob@example.edu", "postmaster@example.org") && equal(policy, "SRS0=x@example.org", "postmaster"))
    }

    @Test(arguments: Reason.allCases.filter { $0 != .tagged }) func anyActionDiffers(_ reason: Reason) throws {
        let policy = try PolicySample.policy(domains) {
            $0.domains = [try PolicySample.pattern("example.net"): .init(actions: [reason: .mark])]
            $0.addresses = [Octets("ann@example.org"): [reason: .mark]]
        }
        #expect(try !equal(policy, "bob@example.org", "bob@example.net") && !equal(policy, "ann@example.org", "bob@example.org"))
    }

    @Test func observedDomainsCompareByWhatIsDone() throws {
        let policy = try PolicySample.policy(domains) {
            $0.domains = [
                try PolicySample.pattern("example.org"): .init(mode: .observe),
                try PolicySample.pattern("example.net"): .init(mode: .observe, actions: [.undecided: .refuse]),
            ]
        }
        #expect(try equal(policy, "a@example.org", "a@example.net") && !equal(policy, "a@example.org", "a@example.com"))
    }

    @Test func domainCountsWhereOriginDecides() throws {
        let byDomain = try PolicySample.policy(domains) { $0.actions = [.otherDomain: .refuse] }
        #expect(try !equal(byDomain, "a@example.org", "a@example.net") && equal(byDomain, "a@example.org", "b@example.org"))
        #expect(try !equal(byDomain, "a@example.org", "a@[192.0.2.1]"))
        let byAddress = try PolicySample.policy(domains) {
            $0.actions = [.otherDomain: .refuse]
            $0.bind = .address
        }
        #expect(try !equal(byAddress, "a@example.org", "b@example.org") && equal(byAddress, "a@example.org", "A+x@example.org"))
    }

    @Test func bindingAloneChangesNoVerdict() throws {
        func policy(_ actions: [Reason: Verdict]) throws -> Policy {
            try PolicySample.policy(domains) {
                $0.actions = actions
                $0.domains = [try PolicySample.pattern("example.net"): .init(bind: .address)]
            }
        }
        #expect(try equal(policy([:]), "a@example.org", "a@example.net"))
        #expect(try !equal(policy([.otherDomain: .refuse]), "a@example.org", "a@example.net"))
    }

    @Test func whereOriginDecides() {
        #expect(!Treatment.dependsOnOrigin(.standard))
        #expect(Treatment.dependsOnOrigin(Actions.standard.overridden(by: [.sent: .mark])))
        #expect(!Treatment.dependsOnOrigin(Actions.standard.overridden(by: [.replayed: .refuse])))
        #expect(Treatment.dependsOnOrigin(Actions.standard.overridden(by: [.sent: .mark, .otherDomain: .mark])))
    }
}
