import Testing
@testable import BackscatterGuard

@Suite("Session: greeting, dialling, identity (DESIGN.md, THREATS R11)") struct SessionLinkTests {
    @Test func greetsAtOnceAndDialsAtTheHello() {
        let t = SessionTranscript()
        t.clientHears("220 guard.example.org ESMTP")
        #expect(t.sink.dials.isEmpty)
        t.client("EHLO client.example")
        #expect(t.sink.dials == ["first"])
        t.nobodyHears()
        t.upstream("220 mx.example.org ESMTP")
        t.upstreamHears("EHLO client.example")
        t.upstream("250-mx.example.org", "250-PIPELINING", "250-STARTTLS", "250-XCLIENT NAME ADDR", "250-X-ODD", "250 SIZE 1000")
        t.clientHears("250-guard.example.org", "250-PIPELINING", "250 SIZE 1000")
        t.client("QUIT")
        t.upstreamHears("QUIT")
        t.upstream("221 2.0.0 Bye")
        t.clientHears("221 2.0.0 Bye")
        t.isOver()
    }

    @Test func helloInAnyDivision() {
        everyDivision(Octets("EHLO client.example\r\nNOOP\r\n")) { pieces in
            let t = SessionTranscript().forgotten()
            for piece in pieces { t.clientOctets(piece) }
            t.upstream("220 mx")
            t.upstreamHears("EHLO client.example")
            t.upstream(SessionTranscript.keywords)
            t.upstreamHears("NOOP")
            t.upstream("250 2.0.0 Ok")
            #expect(t.sink.takeClientText().hasSuffix("250 CHUNKING\r\n250 2.0.0 Ok\r\n"))
        }
    }

    @Test func upstreamRepliesInAnyDivision() {
        everyDivision(Octets("220-mx.example.org\r\n220 ready\r\n")) { pieces in
            let t = SessionTranscript().forgotten()
            t.client("HELO client.example")
            for piece in pieces { t.upstreamOctets(piece) }
            t.upstreamHears("HELO client.example")
            t.upstream("250 mx")
            t.clientHears("250 guard.example.org")
        }
    }

    @Test func proxyHeadersComeFirst() {
        let v1 = SessionTranscript { $0.identity = .proxyV1 }.forgotten()
        v1.client("EHLO c.example")
        v1.upstreamHears("PROXY TCP4 192.0.2.7 192.0.2.25 4711 25")
        v1.upstream("220 mx")
        v1.upstreamHears("EHLO c.example")

        let v2 = SessionTranscript { $0.identity = .proxyV2 }.forgotten()
        v2.client("EHLO c.example")
        let header = v2.sink.takeUpstreamOctets()
        #expect(header.count == 28 && header.starts(with: Octets("\r\n\r\n\0\r\nQUIT\n")))
        v2.upstream("220 mx")
        v2.upstreamHears("EHLO c.example")
    }

    @Test func xclientBetweenTwoHellos() {
        let t = SessionTranscript { $0.identity = .xclient }.forgotten()
        t.client("EHLO a ADDR=198.51.100.1")
        t.upstream("220 mx")
        t.upstreamHears("EHLO guard.example.org")
        t.upstream("250-mx", "250 XCLIENT NAME ADDR PORT PROTO HELO")
        t.upstreamHears("XCLIENT NAME=[UNAVAILABLE] PORT=4711 PROTO=ESMTP HELO=a+20ADDR+3D198.51.100.1 ADDR=192.0.2.7")
        t.nobodyHears()
        t.upstream("220 mx again")
        t.upstreamHears("EHLO a ADDR=198.51.100.1")
        t.upstream("250-mx", "250 XCLIENT NAME")
        t.clientHears("250 guard.example.org")
    }

    @Test(arguments: ["250 mx", "250-mx\r\n250 XCLIENT NAME PORT", "500 5.5.2 what"])
    func xclientNotOffered(_ reply: String) {
        let t = SessionTranscript { $0.identity = .xclient }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream(reply)
        t.clientHears("421 4.3.5 Error: the mail server does not take the client's address, try again later")
        t.isOver()
        t.logs("upstream: does not take the client's address, check upstream_identity and the mail server's settings; client got 421")
    }

    @Test(arguments: ["550 5.7.0 no", "421 4.3.0 no", "250 2.0.0 Ok"])
    func xclientRefused(_ reply: String) {
        let t = SessionTranscript { $0.identity = .xclient }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream("250-mx", "250 XCLIENT ADDR")
        t.forgotten()
        t.upstream(reply)
        t.clientHears("421 4.3.5 Error: the mail server does not take the client's address, try again later")
        t.isOver()
    }

    /// An upstream that does not know PROXY answers the header as if it were a command: then every reply is one late.
    @Test(arguments: [UpstreamIdentity.proxyV1, .proxyV2]) func proxyNotUnderstood(_ identity: UpstreamIdentity) {
        let t = SessionTranscript { $0.identity = identity }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.forgotten()
        t.upstream("500 5.5.2 Error: command not recognized")
        t.clientHears("421 4.3.5 Error: the mail server does not take the client's address, try again later")
        t.isOver()
    }

    @Test func helloRefusedByRuleIsNoIdentityFailure() {
        let t = SessionTranscript { $0.identity = .proxyV1 }.forgotten()
        t.client("EHLO 1.2.3.4")
        t.upstream("220 mx")
        t.upstream("501 5.5.2 <1.2.3.4>: Helo command rejected: Invalid name")
        t.clientHears("501 5.5.2 <1.2.3.4>: Helo command rejected: Invalid name")
        t.goesOn()
    }

    @Test func temporaryGreetingTriesTheNext() {
        let t = SessionTranscript { $0.upstreams = 2 }.forgotten()
        t.client("EHLO c.example")
        t.upstream("421 4.3.2 too busy")
        #expect(t.sink.dials == ["first", "next"])
        t.nobodyHears()
        t.upstream("220 second")
        t.upstreamHears("EHLO c.example")
        t.goesOn()
    }

    @Test func closedBeforeItsGreetingTriesTheNext() {
        let t = SessionTranscript { $0.upstreams = 2 }.forgotten()
        t.client("EHLO c.example")
        t.upstreamEnds()
        t.upstream("220 second")
        t.upstreamHears("EHLO c.example")
    }

    @Test func lastTemporaryGreetingBecomesTheReply() {
        let t = SessionTranscript().forgotten()
        t.client("EHLO c.example")
        t.upstream("450 4.7.1 come back")
        t.clientHears("450 4.7.1 come back")
        t.goesOn()
        t.client("QUIT")
        t.clientHears("221 2.0.0 Bye")
        t.isOver()

        let closed = SessionTranscript().forgotten()
        closed.client("EHLO c.example")
        closed.upstream("421 4.3.2 All server ports are busy")
        closed.clientHears("421 4.3.2 All server ports are busy")
        closed.isOver()
    }

    @Test func permanentGreetingBecomesTheReplyAtOnce() {
        let t = SessionTranscript { $0.upstreams = 2 }.forgotten()
        t.client("EHLO c.example")
        t.upstream("554-5.7.1 go away", "554 5.7.1 really")
        t.clientHears("554-5.7.1 go away", "554 5.7.1 really")
        #expect(t.sink.dials == ["first"])
        t.goesOn()
    }

    @Test func noUpstream() {
        let t = SessionTranscript { $0.upstreams = 0 }.forgotten()
        t.client("EHLO c.example")
        t.clientHears("421 4.3.0 Error: mail server not available, try again later")
        t.isOver()
    }

    @Test(arguments: ["HELLO\r\n", "1\r\n", "999 x\r\n", "220 x\n"]) func garbledGreeting(_ text: String) {
        let t = SessionTranscript().forgotten()
        t.client("EHLO c.example")
        t.upstreamRaw(text)
        t.clientHears("421 4.3.0 Error: mail server not available, try again later")
        t.logs("upstream: reply is not SMTP, connection closed")
        t.isOver()
    }

    @Test func mailWithoutHelloDialsToo() {
        let t = SessionTranscript().forgotten()
        t.client("MAIL FROM:<a@b.example>", "RCPT TO:<c@example.org>")
        t.upstream("220 mx")
        t.upstreamHears("MAIL FROM:<a@b.example>")
        t.upstream("503 5.5.1 say hello")
        t.clientHears("503 5.5.1 say hello", "503 5.5.1 Error: need MAIL command")
    }

    @Test func refusedHelloIsPassedAndCanBeSaidOtherwise() {
        let t = SessionTranscript().forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream("502 5.5.1 not here")
        t.clientHears("502 5.5.1 not here")
        t.client("HELO c.example")
        t.upstream("250 mx")
        t.clientHears("250 guard.example.org")
        t.upstreamHears("EHLO c.example", "HELO c.example")
    }

    @Test(arguments: ["220 mx\r\n", "211 x\r\n", "354 x\r\n"]) func unfitAnswerToHelloIsNotPassedOn(_ reply: String) {
        let t = SessionTranscript().forgotten()
        t.client("EHLO c.example")
        t.upstreamRaw("220 mx\r\n" + reply)
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test func commandsBeforeAnyUpstreamAreAnsweredHere() {
        let t = SessionTranscript().forgotten()
        t.client("NOOP", "RSET", "RCPT TO:<a@b.example>", "DATA", "EHLO", "FOO", "MAIL FROM:<>>", "QUIT")
        t.clientHears(
            "250 2.0.0 Ok", "250 2.0.0 Ok", "503 5.5.1 Error: need MAIL command", "503 5.5.1 Error: need MAIL command",
            "501 5.5.4 Syntax: EHLO hostname", "500 5.5.2 Error: command not recognized", "501 5.1.7 Bad sender address syntax",
            "221 2.0.0 Bye")
        #expect(t.sink.dials.isEmpty)
        t.isOver()
    }

    // MARK: re-made links

    @Test func idleLinkIsMadeAgain() {
        let t = SessionTranscript().opened()
        t.upstream("421 4.4.2 timeout exceeded")
        t.nobodyHears()
        t.client("MAIL FROM:<a@b.example>")
        t.upstream("220 mx")
        t.upstreamHears("EHLO client.example")
        t.upstream(SessionTranscript.keywords)
        t.upstreamHears("MAIL FROM:<a@b.example>")
        t.upstream("250 2.1.0 Ok")
        t.clientHears("250 2.1.0 Ok")
        #expect(t.sink.dials == ["first", "first"])
    }

    @Test func remadeLinkWithFewerKeywordsIsNoLink() {
        let t = SessionTranscript().opened()
        t.upstreamEnds()
        t.client("MAIL FROM:<a@b.example>")
        t.upstream("220 mx")
        t.upstream("250-mx.example.org", "250 PIPELINING")
        t.clientHears("421 4.3.0 Error: mail server changed, please connect again")
        t.isOver()
    }

    @Test func remadeLinkThatRefusesTheHello() {
        let t = SessionTranscript().opened()
        t.upstreamEnds()
        t.client("MAIL FROM:<a@b.example>")
        t.upstream("220 mx")
        t.upstream("451 4.3.0 not now")
        t.clientHears("421 4.3.0 Error: mail server not available, try again later")
        t.isOver()
    }

    @Test func newHelloNeedsNoOldKeywords() {
        let t = SessionTranscript().opened()
        t.upstreamEnds()
        t.client("EHLO other.example")
        t.upstream("220 mx")
        t.upstreamHears("EHLO other.example")
        t.upstream("250-mx.example.org", "250 SIZE 5")
        t.clientHears("250-guard.example.org", "250 SIZE 5")
    }

    /// Nothing is pipelined to an upstream that has not offered it on this connection (THREATS R14).
    @Test func refusedHelloOnARemadeLinkOffersNothing() {
        let t = SessionTranscript().opened()
        t.upstreamEnds()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream("451 4.3.0 later")
        t.forgotten()
        t.client("MAIL FROM:<a@b.example>", "RCPT TO:<eve@there.example>")
        t.upstreamHears("MAIL FROM:<a@b.example>")
        t.upstream("250 2.1.0 Ok")
        t.upstreamHears("RCPT TO:<eve@there.example>")
    }

    @Test func authenticatedSessionIsNotMadeAgain() {
        for command in ["MAIL FROM:<a@b.example>", "EHLO c.example", "NOOP"] {
            let t = SessionTranscript().opened().authenticated()
            t.upstreamEnds()
            t.client(command)
            t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
            #expect(t.sink.dials.count == 1)
            t.isOver()
        }
    }

    @Test func xclientIsSaidAgainOnARemadeLink() {
        let t = SessionTranscript { $0.identity = .xclient }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream("250-mx", "250 XCLIENT ADDR")
        t.upstream("220 mx")
        t.upstream("250 mx")
        t.forgotten()
        t.upstreamEnds()
        t.client("MAIL FROM:<a@b.example>")
        t.upstream("220 mx")
        t.upstreamHears("EHLO guard.example.org")
        t.upstream("250-mx", "250 XCLIENT ADDR")
        t.upstreamHears("XCLIENT ADDR=192.0.2.7")
        t.upstream("220 mx")
        t.upstreamHears("EHLO c.example")
        t.upstream("250 mx")
        t.upstreamHears("MAIL FROM:<a@b.example>")
    }

    @Test func lostWhileIdentifying() {
        let t = SessionTranscript { $0.identity = .xclient }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.forgotten()
        t.upstreamEnds()
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }
}
