import Testing
@testable import BackscatterGuard

@Suite("Policy: patterns of domains and senders") struct PolicyPatternTests {
    @Test(arguments: [
        ("example.org", "example.org"), (".Example.ORG", ".example.org"), ("localhost", "localhost"), ("a_b.example", "a_b.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("", nil), (".", nil), ("..example.org", nil), ("example.org.", nil), ("a..b", nil),
        ("-a.example", nil), ("a-.example", nil), ("a b.example", nil), ("bücher.example", nil), ("192.0.2.1", nil), ("ann@example.org", nil), ("*", nil),
    ] as [(String, String?)])
    func domainPattern(_ text: String, _ expected: String?) {
        #expect(DomainPattern(Octets(text))?.description == expected)
    }

    @Test func lengthsOfADomain() {
        let label = String(repeating: "a", count: 63)
        #expect(DomainPattern(Octets(label + ".example")) != nil && DomainPattern(Octets("a\(label).example")) == nil)
        let long = Array(repeating: label, count: 3).joined(separator: ".")
        #expect(DomainPattern(Octets("\(long).\(label.dropLast(2))")) != nil && DomainPattern(Octets("\(long).\(label)")) == nil)
    }

    @Test func listOfDomains() {
        let (patterns, bad) = DomainPattern.list(in: Octets("# ours\nexample.org\r\n\t.Example.net  # below\n\n[192.0.2.1]\nann@x.example\n*\u{1b}\nlast.example"))
        #expect(patterns.map(\.description) == ["example.org", ".example.net", "last.example"])
        #expect(bad.map(\.line) == [6, 7] && bad.map(\.text) == ["ann@x.example", "*\\x1b"])
        #expect(DomainPattern.list(in: []).patterns.isEmpty)
    }

    @Test(arguments: [
        ("MAILER-DAEMON@*", "mailer-daemon@mx.example.org", true), ("MAILER-DAEMON@*", "Mailer-Daemon@", true), ("MAILER-DAEMON@*", "mailer-daemon", false),
        ("MAILER-DAEMON@*", "x-mailer-daemon@a", false), ("*bounce*@*.example", "my-bounces-1@lists.example", true), ("*bounce*@*.example", "bounce@example", false),
        ("*", "", true), ("*", "a@b", true), ("a*a", "a", false), ("a*a", "aa", true), ("a**b", "ab", true), ("ab", "abc", false), ("*ab", "aab", true), ("*abab", "ababab", true),
    ])
    func addressPattern(_ pattern: String, _ address: String, _ expected: Bool) throws {
        #expect(try #require(AddressPattern(Octets(pattern))).matches(Octets(address)) == expected)
    }

    @Test func addressPatternsThatAreNone() {
        for text in ["", "<>", "a b", "a\r", String(repeating: "a", count: 321)] { #expect(AddressPattern(Octets(text)) == nil) }
    }

    @Test func hostileAddressIsMatchedInBoundedTime() throws {
        let pattern = try #require(AddressPattern(Octets(String(repeating: "*a", count: 100) + "b")))
        #expect(!pattern.matches(Octets(repeating: 0x61, count: 2_000)))
    }

    @Test func actionsKeepEveryCombination() {
        for reason in Reason.allCases {
            for verdict in Verdict.allCases {
                var actions = Actions.standard
                actions[reason] = verdict
                #expect(actions[reason] == verdict)
                for other in Reason.allCases where other != reason { #expect(actions[other] == other.standardAction) }
            }
        }
    }

    @Test func observedActionsTurnNothingAway() {
        let actions = Actions { _ in .refuse }.overridden(by: [.pair: .mark, .sent: .defer]).observed
        #expect(actions[.pair] == .mark && actions[.sent] == .deliver && actions[.neverSent] == .deliver)
    }

    @Test func wordsOfTheTable() {
        #expect(Reason.allCases.map(\.rawValue) == [
            "sent", "other_domain", "replayed", "pair", "never_sent", "not_covered", "undecided", "unreadable", "tagged", "not_a_bounce",
            "log_failed", "log_silent",
        ])
        #expect(Reason.allCases.filter { $0.standardAction != .deliver } == [.neverSent, .logSilent])
        #expect(Verdict.allCases.map(\.severity) == [0, 1, 2, 3, 4])
    }
}
