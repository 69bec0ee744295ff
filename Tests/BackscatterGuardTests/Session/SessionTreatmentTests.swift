import Testing
@testable import BackscatterGuard

@Suite("Session: recipients of one notification (issue 2, Policy)") struct SessionTreatmentTests {
    /// example.org refuses, kind.example delivers all.
    private func transcript() -> SessionTranscript {
        var settings = SessionTranscript.exampleOrg
        settings.protectedDomains += [DomainPattern(Octets("kind.example"))].compactMap(\.self)
        if let kind = DomainPattern(Octets("kind.example")) { settings.domains[kind] = .init(actions: [.neverSent: .deliver]) }
        return SessionTranscript { $0.policy = Policy(settings) }.opened()
    }

    @Test func equalTreatmentsShareATransaction() {
        let t = transcript()
        t.client("MAIL FROM:<>", "RCPT TO:<ann@example.org>", "RCPT TO:<eve@example.org>")
        t.upstreamHears("MAIL FROM:<>", "RCPT TO:<ann@example.org>", "RCPT TO:<eve@example.org>")
    }

    @Test func differingTreatmentWaitsAndIsPutOff() {
        let t = transcript()
        t.client("MAIL FROM:<>", "RCPT TO:<ann@example.org>", "RCPT TO:<joe@kind.example>", "RCPT TO:<eve@example.org>", "DATA")
        t.upstreamHears("MAIL FROM:<>", "RCPT TO:<ann@example.org>")
        t.upstream("250 1", "250 2")
        t.upstreamHears("RCPT TO:<eve@example.org>")
        t.upstream("250 3")
        t.clientHears(
            "250 1", "250 2", "452 4.5.3 Error: this recipient has another policy for bounces, send it in a transaction of its own",
            "250 3", SessionHoldTests.start)
    }

    @Test func differingTreatmentAfterARefusedOneGoesOn() {
        let t = transcript()
        t.client("MAIL FROM:<>", "RCPT TO:<no@example.org>", "RCPT TO:<joe@kind.example>")
        t.upstream("250 1", "550 2")
        t.upstreamHears("MAIL FROM:<>", "RCPT TO:<no@example.org>", "RCPT TO:<joe@kind.example>")
    }

    @Test func unlistedAndTaggedRecipientsStream() {
        for recipient in ["joe@elsewhere.example", "SRS0=x=y@example.org", "postmaster@example.org"] {
            let t = transcript()
            t.client("MAIL FROM:<>", "RCPT TO:<\(recipient)>", "DATA")
            t.upstream("250 1")
            t.upstream("250 2")
            t.upstreamHears("MAIL FROM:<>", "RCPT TO:<\(recipient)>", "DATA")
            t.upstream("354 go on")
            t.clientRaw("x\r\n")
            t.upstreamHearsRaw("x\r\n")
            #expect(t.sink.mostHeld == 0)
            t.clientRaw(".\r\n")
            t.upstream("250 2.0.0 Ok")
            let line = t.sink.takeEvents().first?.text ?? ""
            #expect(line.hasPrefix(recipient.hasPrefix("SRS") ? "S0000002a deliver: verdict=deliver reason=tagged" : "S0000002a relay: client"))
        }
    }

    @Test func noRecipientsAccepted() {
        let t = transcript()
        t.client("MAIL FROM:<>", "RCPT TO:<ann@example.org>", "DATA", "BDAT 3 LAST")
        t.clientRaw("abc")
        t.upstream("250 1", "550 2")
        t.clientHears("250 1", "550 2", "554 5.5.1 Error: no valid recipients", "554 5.5.1 Error: no valid recipients")
        t.upstreamHears("MAIL FROM:<>", "RCPT TO:<ann@example.org>")
    }

    @Test func exemptClientsAreNotJudged() {
        let t = SessionTranscript { $0.isExempt = true }.opened().bounceBegun()
        t.client("DATA")
        t.upstreamHears("DATA")
        t.upstream("354 go on")
        t.clientRaw(SessionHoldTests.forged + ".\r\n")
        t.upstreamHearsRaw(SessionHoldTests.forged + ".\r\n")
        #expect(t.sink.inquiries.isEmpty)
    }

    @Test func mailerDaemonIsANotificationToo() {
        let t = SessionTranscript().opened().mailBegun(from: "MAILER-DAEMON@there.example", to: "ann@example.org")
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged + ".\r\n")
        t.clientHears(SessionHoldTests.start, SessionHoldTests.refusal)
    }
}
