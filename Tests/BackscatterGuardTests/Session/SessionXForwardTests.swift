import Testing
@testable import BackscatterGuard

@Suite("Session: XFORWARD of a mail server before guardd (THREATS R11)") struct SessionXForwardTests {
    private static let offering = SessionTranscript.keywords.replacing("250 CHUNKING", with: "250-CHUNKING\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")
    private static let own = "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"
    private static let bounce = [
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "Content-Type: message/delivery-status", "",
        "Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; y@z.example", "Action: failed", "Status: 5.0.0", "",
        "--b", "Content-Type: message/rfc822", "", "Message-ID: <forged@example.org>", "", "x", "--b--", ".",
    ].joined(separator: "\r\n")

    /// The client 192.0.2.7 is listed unless said otherwise.
    private func transcript(_ change: (inout SessionTranscript.Setup) -> Void = { _ in }) -> SessionTranscript {
        SessionTranscript {
            $0.networks.forwarding = [Network("192.0.2.7")].compactMap(\.self)
            change(&$0)
        }
    }

    @Test func isOfferedToListedClientsOnly() {
        let listed = transcript().forgotten()
        listed.client("EHLO outer.example")
        listed.upstream("220 mx", "250 mx")
        listed.clientHears("250-guard.example.org", Self.own)

        let other = SessionTranscript().forgotten()
        other.client("EHLO outer.example")
        other.upstream("220 mx")
        other.upstream(Self.offering)
        #expect(!other.sink.takeClientText().contains("XFORWARD"))
        other.forgotten().client("XFORWARD ADDR=198.51.100.1")
        other.clientHears("502 5.5.1 Error: command not implemented")
        other.client("MAIL FROM:<a@b.example>")
        other.upstreamHears("MAIL FROM:<a@b.example>")
    }

    /// What both of a settings' clients hear must not be mixed up by the memory of upstream's answer.
    @Test func offerIsRememberedByClient() {
        let settings = SessionSettings(hostname: "g", identity: .none, policy: Policy(PolicySettings()))
        let reply = Octets(Self.offering)
        let without = settings.offer(for: reply, at: .clear).answer
        let with = settings.offer(for: reply, at: .clear, withXForward: true).answer
        #expect(without != with && settings.offer(for: reply, at: .clear).answer == without)
    }

    @Test func isToldBeforeMailAndForgottenAfterIt() {
        let t = transcript().opened(keywords: Self.offering)
        t.client("XFORWARD NAME=c.example ADDR=198.51.100.1 PORT=7", "XFORWARD HELO=c.example")
        t.clientHears("250 2.0.0 Ok", "250 2.0.0 Ok")
        t.upstreamHears()
        t.client("MAIL FROM:<a@b.example>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstreamHears("XFORWARD NAME=c.example ADDR=198.51.100.1 PORT=7 HELO=c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstream("250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.1.5 Ok")
        t.clientHears("250 2.1.0 Ok", "250 2.1.5 Ok")
        t.upstream("354 go on")
        t.client("x", ".")
        t.upstream("250 2.0.0 Ok: queued as 1")
        t.logs("relay: client=198.51.100.1 from=<a@b.example> to=<ann@example.org> size=3 reply=\"250 2.0.0 Ok: queued as 1\"")
        t.forgotten().client("MAIL FROM:<a@b.example>")
        t.upstreamHears("MAIL FROM:<a@b.example>")
        t.upstream("250 2.1.0 Ok")
        t.client("RSET")
        t.logs("envelope: client=192.0.2.7 from=<a@b.example> size=0")
    }

    @Test func withoutPipeliningOneByOne() {
        let t = transcript().opened(keywords: "250-mx\r\n250 XFORWARD ADDR HELO")
        t.client("XFORWARD ADDR=198.51.100.1 HELO=c", "MAIL FROM:<a@b.example>", "RCPT TO:<ann@example.org>")
        t.upstreamHears("XFORWARD ADDR=198.51.100.1 HELO=c")
        t.upstream("250 2.0.0 Ok")
        t.upstreamHears("MAIL FROM:<a@b.example>")
        t.upstream("250 2.1.0 Ok")
        t.upstreamHears("RCPT TO:<ann@example.org>")
        t.clientHears("250 2.0.0 Ok", "250 2.1.0 Ok")
    }

    @Test func upstreamWithoutItHearsNothing() {
        let t = transcript().opened()
        t.client("XFORWARD ADDR=198.51.100.1", "MAIL FROM:<a@b.example>")
        t.upstreamHears("MAIL FROM:<a@b.example>")
    }

    @Test(arguments: ["RSET", "EHLO again.example", "HELO again.example"]) func isForgottenBy(_ command: String) {
        let t = transcript().opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=198.51.100.1", command)
        t.upstreamHears(command)
        t.upstream(command == "RSET" ? "250 2.0.0 Ok" : Self.offering)
        t.client("MAIL FROM:<a@b.example>")
        t.upstreamHears("MAIL FROM:<a@b.example>")
    }

    @Test func isForgottenBySTARTTLS() {
        let t = transcript { $0.clientTLS = ClientTLS(start: .starttls) }.opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=198.51.100.1", "STARTTLS")
        #expect(t.session.forwarded.isEmpty)
    }

    @Test func isRefused() {
        let early = transcript().forgotten()
        early.client("XFORWARD ADDR=198.51.100.1")
        early.clientHears("503 5.5.1 Error: send EHLO first")
        let t = transcript().opened(keywords: Self.offering)
        t.client("XFORWARD", "XFORWARD ADDR", "XFORWARD LOGIN=x", "XFORWARD ADDR=198.51.100.1 PORT=x")
        t.clientHears(
            "501 5.5.4 Syntax: XFORWARD attribute=value...", "501 5.5.4 Syntax: XFORWARD attribute=value...", "501 5.5.4 Bad XFORWARD attribute name: LOGIN",
            "501 5.5.4 Bad PORT syntax")
        t.client("MAIL FROM:<a@b.example>")
        t.upstreamHears("MAIL FROM:<a@b.example>")
        t.upstream("250 2.1.0 Ok")
        t.forgotten().client("XFORWARD ADDR=198.51.100.1")
        t.clientHears("503 5.5.1 Error: MAIL transaction in progress")
    }

    /// A mail under way keeps its client, whatever is pipelined behind it.
    @Test func pipelinedBehindContent() {
        let t = transcript().opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=198.51.100.1", "MAIL FROM:<a@b.example>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstream("250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.1.5 Ok")
        t.upstream("354 go on")
        t.forgotten().client("x", ".", "XFORWARD ADDR=198.51.100.2", "MAIL FROM:<c@d.example>")
        t.upstreamHears("x", ".")
        t.upstream("250 2.0.0 Ok: queued as 1")
        t.logs("relay: client=198.51.100.1 from=<a@b.example> to=<ann@example.org> size=3 reply=\"250 2.0.0 Ok: queued as 1\"")
        t.upstreamHears("XFORWARD ADDR=198.51.100.2", "MAIL FROM:<c@d.example>")
    }

    /// Upstream's refusal: never a mail whose client it does not know.
    @Test func refusedByTheUpstream() {
        let t = transcript().opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=198.51.100.1", "MAIL FROM:<a@b.example>")
        t.forgotten().upstream("501 5.5.4 Bad ADDR syntax", "250 2.1.0 Ok")
        t.clientHears("421 4.3.5 Error: the mail server does not take the client's address, try again later")
        t.isOver()
    }

    /// The connection broke between two mails: the new one hears XFORWARD too.
    @Test func isToldAgainOnANewConnection() {
        let t = transcript().opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=198.51.100.1")
        t.upstreamEnds()
        t.forgotten().client("MAIL FROM:<a@b.example>")
        t.upstream("220 mx")
        t.upstreamHears("EHLO client.example")
        t.upstream(Self.offering)
        t.upstreamHears("XFORWARD ADDR=198.51.100.1", "MAIL FROM:<a@b.example>")
    }

    @Test func lostWhileItIsTold() {
        let t = transcript().opened(keywords: "250-mx\r\n250 XFORWARD ADDR")
        t.client("XFORWARD ADDR=198.51.100.1", "MAIL FROM:<a@b.example>")
        t.upstreamHears("XFORWARD ADDR=198.51.100.1")
        t.upstreamEnds()
        t.upstream("220 mx")
        t.upstreamHears("EHLO client.example")
        t.upstream("250-mx", "250 XFORWARD ADDR")
        t.upstreamHears("XFORWARD ADDR=198.51.100.1")
        t.upstream("250 2.0.0 Ok")
        t.upstreamHears("MAIL FROM:<a@b.example>")
    }

    // MARK: judging

    @Test(arguments: [("198.51.100.1", "550"), ("198.51.100.8", "354"), ("198.51.100.6", "354")])
    func trueClientDecides(_ address: String, _ code: String) {
        let t = transcript {
            // The mail server before guardd is itself in both lists: only whose mail it is counts.
            $0.isExempt = true
            $0.isOutgoingClient = true
            $0.networks.exempt = [Network("198.51.100.8")].compactMap(\.self)
            $0.networks.outgoing = [Network("198.51.100.6")].compactMap(\.self)
        }
        t.opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=\(address)", "MAIL FROM:<>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstream("250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.1.5 Ok")
        if code == "354" {
            t.forgotten().upstream("354 go on")
            t.clientHears("354 go on")
        } else {
            t.forgotten().client(Self.bounce)
            #expect(t.sink.takeClientText().hasPrefix("550 5.7.1 Backscatter refused: "))
        }
    }

    /// An address that is not available is a stranger's, not that of the server that says so.
    @Test func unavailableIsAStranger() {
        let t = transcript { $0.isOutgoingClient = true }.opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=[UNAVAILABLE] SOURCE=LOCAL", "MAIL FROM:<bob@example.org>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstream("250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.1.5 Ok")
        t.upstream("354 go on")
        t.forgotten().client("Message-ID: <a@b>", ".")
        #expect(t.sink.records.isEmpty)
        t.upstream("250 2.0.0 Ok: queued as 1")
        t.logs("relay: client=unknown from=<bob@example.org> to=<ann@example.org> size=19 reply=\"250 2.0.0 Ok: queued as 1\"")
    }

    @Test func outgoingMailIsRecorded() {
        let t = transcript { $0.networks.outgoing = [Network("198.51.100.0/24")].compactMap(\.self) }.opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=198.51.100.6", "MAIL FROM:<bob@example.org>", "RCPT TO:<ann@else.example>", "DATA")
        t.upstream("250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.1.5 Ok")
        t.upstream("354 go on")
        t.forgotten().client("Message-ID: <a@b>", ".")
        #expect(t.sink.records.count == 1)
    }

    /// A released notification on a fresh connection: XFORWARD first, or the new upstream would not know.
    @Test func heldAndReleasedOnANewConnection() {
        let t = transcript { $0.direction = .inbound }.opened(keywords: Self.offering)
        t.client("XFORWARD ADDR=198.51.100.1 HELO=c", "MAIL FROM:<>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstream("250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.1.5 Ok")
        t.upstreamEnds()
        t.forgotten().client("Subject: x", "", "x", ".")
        t.upstream("220 mx")
        t.upstream(Self.offering)
        t.upstreamHears("EHLO client.example", "XFORWARD ADDR=198.51.100.1 HELO=c")
        t.upstream("250 2.0.0 Ok")
        t.upstreamHears("MAIL FROM:<>")
    }

    // MARK: upstream_identity = "xforward"

    @Test func identityServesListedClientsOnly() {
        let t = SessionTranscript { $0.identity = .xforward }
        t.clientHears("421 4.3.5 Error: this service is for listed mail servers only")
        t.isOver()
        t.logs("client: 192.0.2.7 is not in xforward_clients, and upstream_identity = \"xforward\" serves no one else; client got 421")
    }

    @Test func identityIsToldBeforeEveryMail() {
        let t = transcript { $0.identity = .xforward }.opened(keywords: Self.offering)
        t.client("MAIL FROM:<a@b.example>")
        t.upstreamHears("XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=client.example")
        t.upstream("250 2.0.0 Ok")
        t.upstreamHears("MAIL FROM:<a@b.example>")
        t.upstream("250 2.1.0 Ok")
        t.client("RSET")
        t.upstream("250 2.0.0 Ok")
        t.forgotten().client("XFORWARD ADDR=198.51.100.1", "MAIL FROM:<a@b.example>")
        t.upstreamHears("XFORWARD ADDR=198.51.100.1")
        t.upstream("550 5.7.0 no")
        t.upstreamHears()
        t.isOver()
    }

    @Test(arguments: ["250 mx", "250-mx\r\n250 XFORWARD NAME HELO"]) func identityNotOffered(_ reply: String) {
        let t = transcript { $0.identity = .xforward }.forgotten()
        t.client("EHLO client.example")
        t.upstream("220 mx")
        t.upstream(reply)
        t.clientHears("421 4.3.5 Error: the mail server does not take the client's address, try again later")
        t.isOver()
    }

    /// Without EHLO nothing is known of what upstream takes.
    @Test(arguments: ["HELO client.example", ""]) func identityWithoutEHLO(_ hello: String) {
        let t = transcript { $0.identity = .xforward }.forgotten()
        if hello.isEmpty {
            t.client("MAIL FROM:<a@b.example>")
            t.upstream("220 mx")
        } else {
            t.client(hello)
            t.upstream("220 mx")
            t.upstream("250 mx")
            t.forgotten().client("MAIL FROM:<a@b.example>")
        }
        #expect(t.sink.takeClientText().hasPrefix("421 4.3.5 "))
        t.isOver()
    }
}
