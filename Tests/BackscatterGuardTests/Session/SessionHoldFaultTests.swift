import Testing
@testable import BackscatterGuard

@Suite("Session: holds that are outgrown, lost or cut (DESIGN.md, THREATS section 4)") struct SessionHoldFaultTests {
    private func begun(_ change: (inout SessionTranscript.Setup) -> Void = { _ in }) -> SessionTranscript {
        SessionTranscript(change).opened().bounceBegun()
    }

    // MARK: outgrown holds

    @Test func outgrownHoldIsTakenBackBeforeItsEnd() {
        let t = begun { $0.holdLimit = 100 }
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged)
        t.upstreamHears("DATA")
        t.upstream("354 go on")
        t.upstreamHearsRaw(SessionHoldTests.forged)
        #expect(t.sink.held == 0)
        t.clientRaw("rest\r\n.\r\nNOOP\r\n")
        t.upstreamHearsRaw("rest\r\n")
        #expect(t.sink.hangUps == 1)
        t.clientHears(SessionHoldTests.start, SessionHoldTests.refusal, "250 2.0.0 Ok")
    }

    @Test func outgrownHoldIsDeliveredInEveryDivision() {
        let content = "Subject: hello\r\n\r\nno bounce at all\r\n..\r\n.x\r\n"
        for limit in [1, 20] {
            everyDivision(Octets(content + ".\r\n")) { pieces in
                let t = SessionTranscript { $0.holdLimit = limit }
                let mta = MiniMTA()
                t.client("EHLO client.example", "MAIL FROM:<>", "RCPT TO:<ann@example.org>", "DATA")
                mta.serve(t)
                for piece in pieces {
                    t.clientOctets(piece)
                    mta.serve(t)
                }
                #expect(mta.mails.map(\.content) == [Octets(content)])
                #expect(t.sink.held == 0)
            }
        }
    }

    @Test func outgrownHoldInEveryDivisionNeverShowsAnEnd() {
        everyDivision(Octets(SessionHoldTests.forged + ".\r\n")) { pieces in
            let t = begun { $0.holdLimit = 64 }
            t.client("DATA")
            t.forgotten()
            for piece in pieces {
                t.clientOctets(piece)
                if t.sink.takeUpstreamText().contains("DATA\r\n") { t.upstream("354 go on") }
            }
            #expect(!t.sink.takeUpstreamText().hasSuffix("\r\n.\r\n"))
            #expect(t.sink.takeClientText() == SessionHoldTests.refusal + "\r\n")
            #expect(t.sink.held == 0)
        }
    }

    @Test func refusedBeforeDataIsAnswered() {
        let t = begun()
        t.answersByHand = true
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged)
        t.outgrow()
        t.upstreamHears("DATA")
        t.clientRaw("x\r\n.\r\n")
        t.forgotten()
        t.upstream("354 go on")
        t.upstreamHearsRaw(SessionHoldTests.forged + "x\r\n")
        t.answerQuestion()
        t.answerQuestion()
        t.clientHears(SessionHoldTests.refusal)
        #expect(t.sink.hangUps == 1)
    }

    @Test func knownWhileItStreams() {
        let t = begun { $0.holdLimit = 50 }
        t.log.know("one@example.org")
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged.utf8Prefix(80))
        t.upstream("354 go on")
        t.clientRaw(SessionHoldTests.forged.utf8Suffix(from: 80))
        t.clientRaw(".\r\n")
        t.upstreamHearsRaw("DATA\r\n" + SessionHoldTests.forged + ".\r\n")
        t.upstream("250 2.0.0 Ok")
        t.clientHears(SessionHoldTests.start, "250 2.0.0 Ok")
    }

    @Test func lostWhileItStreams() {
        let t = begun { $0.holdLimit = 50 }
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged)
        t.upstream("354 go on")
        t.forgotten()
        t.upstreamEnds()
        t.clientRaw("x\r\n.\r\n")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
        #expect(t.sink.held == 0)
        t.goesOn()
    }

    @Test func lookAlikeWhileItStreams() {
        let t = begun { $0.holdLimit = 50 }
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged)
        t.upstream("354 go on")
        t.forgotten()
        t.clientRaw("x\n.\ny\r\n.\r\n")
        t.clientHears("550 5.6.0 Error: bare line ending next to a lone dot in the message, use CRLF")
        #expect(t.sink.hangUps == 1)
        t.upstreamHearsRaw("x\n.")
    }

    @Test func outgrowingIsIgnoredWhereNothingIsHeld() {
        let t = SessionTranscript().opened()
        t.outgrow()
        t.nobodyHears()
        t.mailBegun()
        t.outgrow()
        t.nobodyHears()
    }

    // MARK: upstream lost while held

    @Test func envelopeIsSaidAgain() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<> RET=HDRS", "RCPT TO:<ann@example.org>", "RCPT TO:<no@example.org>", "RCPT TO:<eve@example.org> NOTIFY=NEVER", "DATA")
        t.upstream("250 1", "250 2", "550 3", "250 4")
        t.clientRaw("Subject: x\r\n\r\n")
        t.upstreamEnds()
        t.forgotten()
        t.clientRaw("y\r\n.\r\n")
        #expect(t.sink.dials.count == 2)
        t.upstream("220 mx")
        t.upstreamHears("EHLO client.example")
        t.upstream(SessionTranscript.keywords)
        t.upstreamHears("MAIL FROM:<> RET=HDRS")
        t.upstream("250 1")
        t.upstreamHears("RCPT TO:<ann@example.org>")
        t.upstream("250 2")
        t.upstreamHears("RCPT TO:<eve@example.org> NOTIFY=NEVER")
        t.upstream("250 4")
        t.upstreamHears("DATA")
        t.upstream("354 go on")
        t.upstreamHearsRaw("Subject: x\r\n\r\ny\r\n.\r\n")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok")
    }

    @Test func otherAnswerThanBefore() {
        for (replies, count) in [(["550 5.7.1 no"], 1), (["250 1", "450 4.1.1 no"], 2)] {
            let t = begun()
            t.client("DATA")
            t.upstreamEnds()
            t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
            t.upstream("220 mx")
            t.upstream(SessionTranscript.keywords)
            t.forgotten()
            for reply in replies.prefix(count) { t.upstream(reply) }
            t.after(1_000)
            #expect(t.sink.takeUpstreamText().hasSuffix("RSET\r\n"))
            t.clientHears("451 4.3.0 Error: mail server gave another answer than before, try again later")
            t.goesOn()
        }
    }

    @Test func noUpstreamToReleaseTo() {
        for (greeting, hello) in [("421 4.3.2 busy", nil), ("554 5.7.1 no", nil), ("220 mx", "250 mx"), ("220 mx", "421 4.3.0 no")] as [(String, String?)] {
            let t = begun()
            t.client("DATA")
            t.upstreamEnds()
            t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
            t.forgotten()
            t.upstream(greeting)
            if let hello { t.upstream(hello) }
            t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
            #expect(t.sink.held == 0)
            t.goesOn()
        }
    }

    @Test func lostAgainWhileTheEnvelopeIsSaid() {
        let t = begun()
        t.client("DATA")
        t.upstreamEnds()
        t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
        t.upstream("220 mx")
        t.upstream(SessionTranscript.keywords)
        t.forgotten()
        t.upstreamEnds()
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
        t.goesOn()
    }

    @Test func refusedWithoutAnyUpstream() {
        let t = begun()
        t.client("DATA")
        t.upstreamEnds()
        t.clientRaw(SessionHoldTests.forged + ".\r\n")
        t.upstreamHears()
        t.clientHears(SessionHoldTests.start, SessionHoldTests.refusal)
        t.goesOn()
    }

    @Test func authenticatedClientIsNotMadeAgain() {
        let t = SessionTranscript { $0.direction = .inbound }.opened().authenticated().bounceBegun()
        t.client("DATA")
        t.upstreamEnds()
        t.forgotten()
        t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
        #expect(t.sink.dials.count == 1)
        t.isOver()
    }

    @Test func lostWhileALookAlikeIsThrownAway() {
        let t = begun()
        t.client("DATA")
        t.clientRaw("a\n.\nb\r\n")
        t.after(1_000)
        t.upstream("250 2.0.0 reset")
        t.forgotten()
        t.upstreamEnds()
        t.clientRaw("c\r\n.\r\n")
        t.clientHears("550 5.6.0 Error: bare line ending next to a lone dot in the message, use CRLF")
    }

    @Test func lostInTheTransactionAfterRefusedContent() {
        let t = begun()
        t.client("DATA")
        t.clientRaw("a\n.\nb\r\n.\r\n")
        t.after(1_000)
        t.upstream("250 2.0.0 reset")
        t.mailBegun()
        t.upstreamEnds()
        t.client("RSET")
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
    }

    // MARK: the client goes

    @Test func cutWhileHeld() {
        let t = begun()
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged)
        t.clientEnds()
        t.upstreamHears()
        t.isOver()
        t.logs("cut: client=192.0.2.7 from=<> to=<ann@example.org> size=\(SessionHoldTests.forged.utf8.count)")
    }

    @Test func cutWhileDataIsAwaited() {
        let t = begun()
        t.log.know("one@example.org")
        t.client("DATA")
        t.clientRaw(SessionHoldTests.forged)
        t.clientEnds()
        t.upstream("354 go on")
        #expect(!t.sink.takeUpstreamText().hasSuffix(".\r\n"))
        t.isOver()
    }

    @Test func waitForUpstreamDoesNotCostTheClientItsTime() {
        let t = begun()
        t.log.know("one@example.org")
        t.client("DATA")
        t.after(200_000)
        t.clientRaw(SessionHoldTests.forged)
        t.after(110_000)
        t.upstream("354 go on")
        t.after(1_000)
        t.goesOn()
    }
}
