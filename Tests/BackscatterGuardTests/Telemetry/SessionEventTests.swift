import Testing
@testable import BackscatterGuard

@Suite("Telemetry: log lines of sessions (STYLE.md, THREATS R24)") struct SessionEventTests {
    @Test(arguments: [
        (.identityRefused(session: 1), "S00000001 upstream: does not take the client's address, check upstream_identity and the mail server's settings; client got 421", .error),
        (.upstreamGarbled(session: 0x123456789), "S123456789 upstream: reply is not SMTP, connection closed", .warning),
        (.upstreamUnavailable(session: 1, reason: []), "S00000001 upstream: none available (closed before its greeting)", .warning),
        (.upstreamUnavailable(session: 1, reason: ["a", "b"]), "S00000001 upstream: none available (a; b)", .warning),
        (.upstreamTimedOut(session: 1), "S00000001 upstream: timed out", .warning),
        (.clientTimedOut(session: 1), "S00000001 client: timed out", .info),
        (.unrecorded(session: 1, passes: false), "S00000001 record: sent mail could not be recorded, client got a temporary failure", .error),
        (.unrecorded(session: 1, passes: true), "S00000001 record: sent mail could not be recorded, passed on all the same (record_failure = \"pass\")", .error),
    ] as [(SessionEvent, String, Severity)]) func lines(_ event: SessionEvent, _ text: String, _ severity: Severity) {
        #expect(event.text == text && event.severity == severity)
    }

    private var summary: TransactionSummary {
        TransactionSummary(
            session: 0x2A, client: PeerAddress("2001:db8::7", port: 25) ?? .unixSocket, reversePath: [], forwardPaths: [Octets("ann@example.org")],
            recipientCount: 1, isOutgoing: false, hasContent: true, size: 7, judgement: nil, evidence: nil, reply: Octets("250 2.0.0 Ok\r\n"))
    }

    @Test func transactions() {
        let plain = summary
        #expect(plain.text == "S0000002a relay: client=2001:db8::7 from=<> to=<ann@example.org> size=7 reply=\"250 2.0.0 Ok\"")
        var outgoing = summary
        outgoing.isOutgoing = true
        #expect(outgoing.text.hasPrefix("S0000002a send: "))
        var cut = summary
        cut.reply = nil
        #expect(cut.text == "S0000002a cut: client=2001:db8::7 from=<> to=<ann@example.org> size=7")
        var callout = cut
        callout.hasContent = false
        #expect(callout.text.hasPrefix("S0000002a envelope: ") && SessionEvent.transaction(callout).severity == .info)
    }

    @Test func judgedTransactions() {
        var judged = summary
        judged.judgement = Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true, decidingID: MessageID(Octets("a@b")))
        judged.evidence = Evidence()
        judged.evidence?.kind = .bounce
        judged.recipientCount = 12
        #expect(judged.text == "S0000002a deliver: verdict=deliver reason=not_covered would=refuse client=2001:db8::7 from=<> to=<ann@example.org> nrcpt=12 msgid=<a@b> kind=bounce size=7 reply=\"250 2.0.0 Ok\"")
    }

    /// CWE-117: nothing that a stranger wrote makes a line of its own or hides what stands behind it.
    @Test func everythingRemoteIsWashedAndBounded() {
        var hostile = summary
        let octets = (0...255).map { UInt8($0) } + Octets(repeating: 0x41, count: 5000)
        hostile.reversePath = octets
        hostile.forwardPaths = Array(repeating: octets, count: 10)
        hostile.evidence = Evidence()
        hostile.evidence?.originalMessageIDs = [MessageID(scanned: octets)].compactMap(\.self)
        hostile.reply = Octets("250 \u{1B}\n\0") + octets
        #expect(hostile.text.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
        #expect(hostile.text.utf8.count < 16_384)
    }
}
