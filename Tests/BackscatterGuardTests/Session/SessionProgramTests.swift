import Testing
@testable import BackscatterGuard

@Suite("Session: in front of qmail-smtpd (MTA-FACTS 1.1, THREATS R2, R5, R10)") struct SessionProgramTests {
    private static let hello = "250-mx\r\n250-PIPELINING\r\n250 8BITMIME"
    private static let lineFeed = "451 See https://cr.yp.to/docs/smtplf.html."

    private func qmail(_ change: (inout SessionTranscript.Setup) -> Void = { _ in }) -> SessionTranscript {
        let t = SessionTranscript {
            $0.upstreamIsProgram = true
            $0.refusesBareLineEndings = true
            change(&$0)
        }
        t.client("EHLO client.example")
        t.upstream("220 mx ESMTP")
        t.forgotten()
        return t
    }

    private func inContent() -> SessionTranscript {
        let t = qmail()
        t.upstream(Self.hello)
        t.client("MAIL FROM:<ann@sender.example>", "RCPT TO:<bob@example.org>", "DATA")
        t.upstream("250 ok", "250 ok", "354 go ahead")
        t.forgotten()
        return t
    }

    /// In a list of upstreams the addresses have an identity and TLS; the program has an environment. XFORWARD is a
    /// configuration error beside a program.
    @Test(arguments: UpstreamIdentity.allCases.filter { $0 != .xforward }) func hearsNothingBeforeTheHello(_ identity: UpstreamIdentity) {
        let t = SessionTranscript {
            $0.upstreamIsProgram = true
            $0.identity = identity
            $0.upstreamTLS = .verify
        }
        t.client("EHLO client.example")
        t.upstreamHearsRaw("")
        t.upstream("220 mx ESMTP")
        t.upstreamHears("EHLO client.example")
        t.upstream(Self.hello)
        t.clientHears("220 guard.example.org ESMTP", "250-guard.example.org", "250-PIPELINING", "250 8BITMIME")
    }

    /// 502 is qmail's word for all it does not know; behind a PROXY header it would mean that this was a command.
    @Test func anUnimplementedHelloIsNoLostIdentity() {
        let t = qmail { $0.identity = .proxyV2 }
        t.upstream("502 unimplemented (#5.5.1)")
        t.clientHears("502 unimplemented (#5.5.1)")
    }

    @Test(arguments: ["a\nb\r\n.\r\n", "\na\r\n.\r\n", "a\r\n\nb\r\n.\r\n", "a\r\nb\n\r\n.\r\n", "a\rb\r\n.\r\n", "a\r\rb\r\n.\r\n"])
    func noBareLineFeedGoesUp(_ text: String) {
        everyDivision(Octets(text)) { pieces in
            let t = inContent()
            for piece in pieces { t.clientOctets(piece) }
            let heard = t.sink.takeUpstreamText()
            #expect(!heard.replacing("\r\n", with: "").utf8.contains(ASCII.lf) && !heard.hasSuffix("\r\n.\r\n"), "\(heard.debugDescription)")
            t.clientHears("451 4.6.0 Error: bare CR or LF in the message, use CRLF")
            #expect(t.sink.hangUps == 1)
        }
    }

    @Test(arguments: ["a\r\n.\rb\r\n.\r\n", "a\r\n.\r\r\n.\r\n"]) func noDotBeforeALoneCRGoesUp(_ text: String) {
        everyDivision(Octets(text)) { pieces in
            let t = inContent()
            for piece in pieces { t.clientOctets(piece) }
            #expect(!t.sink.takeUpstreamText().contains(".\r"))
            #expect(t.sink.takeClientText().hasPrefix("550 5.6.0 "))
        }
    }

    /// Its reply comes first, then the end: that reply is the answer, and the next mail has a program of its own.
    @Test func aReplyAndAnExitInContent() {
        let t = inContent()
        t.clientRaw("Subject: x\r\n\r\na")
        t.upstream(Self.lineFeed)
        t.upstreamEnds()
        t.clientHears()
        t.forgotten()
        t.clientRaw("b\r\n.\r\n")
        t.clientHears(Self.lineFeed)
        t.client("MAIL FROM:<ann@sender.example>")
        #expect(t.sink.dials.count == 2)
        t.upstream("220 mx ESMTP")
        t.upstreamHears("EHLO client.example")
    }

    @Test func aReplyAndAnExitAtTheEnd() {
        let t = inContent()
        t.clientRaw("a\r\n.\r\n")
        t.upstream("451 qq write error or disk full (#4.3.0)")
        t.upstreamEnds()
        t.clientHears("451 qq write error or disk full (#4.3.0)")
    }

    /// qmail would take it, forget the recipients, and have another sender than guardd judged.
    @Test func theSecondMailIsRefusedHere() {
        let t = qmail()
        t.upstream(Self.hello)
        t.client("MAIL FROM:<ann@sender.example>")
        t.upstream("250 ok")
        t.forgotten()
        t.client("MAIL FROM:<>")
        t.clientHears("503 5.5.1 Error: nested MAIL command")
        t.upstreamHearsRaw("")
    }

    @Test func itsDoubleBounceIsANotification() {
        let t = qmail()
        t.upstream(Self.hello)
        t.client("MAIL FROM:<#@[]>", "RCPT TO:<bob@example.org>")
        t.upstream("250 ok")
        t.upstream("250 ok")
        t.forgotten()
        t.client("DATA")
        t.upstreamHearsRaw("")
        t.clientHears("354 End data with <CR><LF>.<CR><LF>")
    }
}
