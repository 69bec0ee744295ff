import Testing
@testable import BackscatterGuard

@Suite("guardd events: which events are shown, and how") struct EventFilterTests {
    private func takes(_ event: VerdictEvent = .refused(), _ set: (inout EventFilter) -> Void) -> Bool {
        var filter = EventFilter()
        set(&filter)
        return filter.takes(event)
    }

    @Test(arguments: [
        ("ann@example.org", true), ("<ann@example.org>", true), ("Ann@Example.ORG", true), ("example.org", true), ("@example.org", true), ("EXAMPLE.org", true),
        ("nn@example.org", false), ("ample.org", false), ("bob@example.org", false), ("org", false), ("", false), ("@", false), ("<", false),
    ]) func recipients(_ wanted: String, _ isShown: Bool) {
        #expect(takes { $0.recipient = wanted } == isShown)
    }

    @Test func everyRecipientCounts() {
        var event = VerdictEvent.refused("bob@example.net")
        event.recipients.append("ann@example.org")
        #expect(takes(event) { $0.recipient = "ann@example.org" })
    }

    /// A verdict is asked for by the name that is shown.
    @Test func outcomes() {
        var observed = VerdictEvent.refused()
        (observed.verdict, observed.wouldRefuse) = (.deliver, true)
        #expect(takes { $0.outcomes = [.refuse] } && !takes { $0.outcomes = [.deliver, .wouldRefuse] })
        #expect(takes(observed) { $0.outcomes = [.wouldRefuse] } && !takes(observed) { $0.outcomes = [.deliver, .refuse] })
        for verdict in Verdict.allCases {
            var event = VerdictEvent.refused()
            event.verdict = verdict
            #expect(event.outcome.rawValue == verdict.rawValue)
        }
    }

    @Test func otherConditions() {
        #expect(takes { $0.messageID = "x@y" } && takes { $0.messageID = "<x@y>" } && !takes { $0.messageID = "z@y" })
        #expect(takes { $0.client = "192.0.2.7" } && !takes { $0.client = "192.0.2.8" })
        #expect(takes { $0.reasons = [.neverSent] } && !takes { $0.reasons = [.sent] })
        #expect(takes { $0.since = 1_000_000 } && !takes { $0.since = 1_000_001 })
        var repeats = VerdictEvent.refused(client: nil)
        repeats.repeats = .init(count: 5, clients: 2, until: 1_000_059)
        #expect(takes(repeats) { $0.since = 1_000_059 } && !takes(repeats) { $0.since = 1_000_060 })
    }

    @Test func rows() {
        #expect(VerdictEvent.heading == "TIME (UTC)          VERDICT      REASON       RECIPIENT                    CLIENT          MESSAGE-ID")
        #expect(VerdictEvent.refused().row == "1970-01-12T13:46:40 refuse       never_sent   ann@example.org              192.0.2.7       <x@y>")
        var repeats = VerdictEvent.refused(client: nil)
        (repeats.repeats, repeats.recipientCount) = (.init(count: 5, clients: 2, until: 1_000_059), 5)
        #expect(repeats.row == "1970-01-12T13:46:40 refuse       never_sent   ann@example.org              2 clients       5 more until 13:47:39")
        var several = VerdictEvent.refused()
        (several.recipientCount, several.messageID, several.wouldRefuse) = (3, nil, true)
        #expect(several.row == "1970-01-12T13:46:40 would-refuse never_sent   ann@example.org +2           192.0.2.7       -")
    }
}
