import Testing
@testable import BackscatterGuard

@Suite("Session: held notifications (DESIGN.md, THREATS section 4)") struct SessionHoldTests {
    static let start = "354 End data with <CR><LF>.<CR><LF>"
    static let refusal = "550 5.7.1 Backscatter refused: no mail with Message-ID <one@example.org> was sent from here"

    /// A delivery status notification that returns the mail `id`; `tail` stands at its very end.
    static func bounce(of id: String, tail: String = "") -> String {
        """
        From: MAILER-DAEMON@there.example
        To: ann@example.org
        Subject: Undelivered Mail Returned to Sender
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary=b

        --b

        ..this line has a stuffed dot
        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; there.example

        Final-Recipient: rfc822; eve@there.example
        Action: failed
        Status: 5.1.1

        --b
        Content-Type: message/rfc822

        Message-ID: <\(id)>
        From: ann@example.org
        To: eve@there.example
        Subject: hello

        text
        --b--

        """.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n") + tail
    }

    static let forged = bounce(of: "one@example.org")

    private func begun(_ change: (inout SessionTranscript.Setup) -> Void = { _ in }) -> SessionTranscript {
        SessionTranscript(change).opened().bounceBegun()
    }

    // MARK: refuse

    @Test func refusedBounceLeavesUpstreamClean() {
        everyDivision(Octets("DATA\r\n" + Self.forged + ".\r\nMAIL FROM:<bob@sender.example>\r\n")) { pieces in
            let t = begun()
            for piece in pieces { t.clientOctets(piece) }
            // In one write with the next command.
            t.upstreamHears("RSET", "MAIL FROM:<bob@sender.example>")
            t.clientHears(Self.start, Self.refusal)
            #expect(t.sink.held == 0)
            t.upstream("250 2.0.0 Ok")
            t.clientHears()
            t.logs("refuse: verdict=refuse reason=never_sent client=192.0.2.7 from=<> to=<ann@example.org> msgid=<one@example.org> kind=bounce size=\(Self.forged.utf8.count) reply=\"\(Self.refusal)\"")
        }
    }

    @Test func refusalNamesTheURLAndWashesTheID() {
        let t = begun { $0.refusalURL = "https://example.org/b" }
        t.client("DATA")
        t.clientRaw(Self.bounce(of: "a\u{FC}\\x@b") + ".\r\n")
        t.clientHears(Self.start, "550 5.7.1 Backscatter refused: no mail with Message-ID <a\\xc3\\xbc\\x5cx@b> was sent from here, see https://example.org/b")
    }

    @Test func resetGoesUpAtTheNextTickAtTheLatest() {
        let t = begun()
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\n")
        t.upstreamHears()
        t.after(1_000)
        t.upstreamHears("RSET")
        t.after(1_000)
        t.upstreamHears()
        t.upstream("250 2.0.0 Ok")
        t.client("MAIL FROM:<bob@sender.example>")
        t.upstreamHears("MAIL FROM:<bob@sender.example>")
    }

    @Test func resetIsAloneWithoutPipelining() {
        for command in ["MAIL FROM:<bob@sender.example>", "VRFY ann"] {
            let t = SessionTranscript().opened(keywords: "250-mx\r\n250 SIZE").bounceBegun()
            t.client("DATA")
            t.clientRaw(Self.forged + ".\r\n")
            t.client(command)
            t.upstreamHears("RSET")
            t.upstream("250 2.0.0 Ok")
            t.upstreamHears(command)
        }
    }

    /// A hello that is refused resets nothing.
    @Test func resetIsOwedUntilAHelloIsTaken() {
        for (reply, heard) in [("501 5.5.4 no", ["RSET", "MAIL FROM:<bob@sender.example>"]), ("250-mx\r\n250 PIPELINING", ["MAIL FROM:<bob@sender.example>"])] {
            let t = begun()
            t.client("DATA")
            t.clientRaw(Self.forged + ".\r\n")
            t.client("EHLO x")
            t.upstreamHears("EHLO x")
            t.upstream(reply)
            t.client("MAIL FROM:<bob@sender.example>")
            t.upstreamHearsRaw(heard.map { $0 + "\r\n" }.joined())
        }
    }

    @Test func quitNeedsNoReset() {
        let t = begun()
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\nQUIT\r\n")
        t.upstreamHears("QUIT")
        t.upstream("221 2.0.0 Bye")
        t.isOver()
        #expect(t.sink.saidQuit)
    }

    @Test func refusedResetWithACommandBehindIt() {
        let t = begun()
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\n")
        t.client("MAIL FROM:<bob@sender.example>")
        t.forgotten()
        t.upstream("500 5.5.2 what")
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test func refusedResetMakesAnewLink() {
        let t = begun()
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\n")
        t.after(1_000)
        t.upstream("500 5.5.2 what")
        #expect(t.sink.hangUps == 1)
        t.client("MAIL FROM:<bob@sender.example>")
        #expect(t.sink.dials.count == 2)
        t.goesOn()
    }

    @Test func resetOfARefusedBounceIsLost() {
        let t = begun()
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\n")
        t.after(1_000)
        t.upstreamEnds()
        t.forgotten()
        t.client("NOOP")
        t.clientHears("250 2.0.0 Ok")
    }

    @Test func pipelinedBehindARefusedBounce() {
        let t = begun()
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\nFOO\r\nRSET\r\nQUIT\r\n")
        t.upstream("250 2.0.0 yours")
        t.upstream("221 2.0.0 Bye")
        t.clientHears(Self.start, Self.refusal, "500 5.5.2 Error: command not recognized", "250 2.0.0 yours", "221 2.0.0 Bye")
        t.isOver()
    }

    @Test func textOfARefusalFitsItsReason() {
        func refusal(_ reason: Reason, _ prepare: (SessionTranscript) -> Void) -> String {
            var settings = SessionTranscript.exampleOrg
            settings.actions = [reason: .refuse]
            let t = begun { $0.policy = Policy(settings) }
            prepare(t)
            t.client("DATA")
            t.clientRaw(Self.forged + ".\r\n")
            return t.sink.takeClientText().split(separator: "\r\n").last.map(String.init) ?? ""
        }
        #expect(refusal(.otherDomain) { $0.log.know("one@example.org", from: "joe@other.example") } == "550 5.7.1 Backscatter refused: the mail with Message-ID <one@example.org> was not sent by this recipient")
        #expect(refusal(.replayed) { $0.log.know("one@example.org"); $0.log.timesReturned = 100 } == "550 5.7.1 Backscatter refused: the mail with Message-ID <one@example.org> has come back too often")
        #expect(refusal(.logFailed) { $0.log.availability = .failed }.hasPrefix("550 5.7.1 Backscatter refused: "))
        #expect(!refusal(.logFailed) { $0.log.availability = .failed }.contains("was sent from here"))
    }

    // MARK: deliver

    @Test func deliveredInEveryDivision() {
        let content = Self.bounce(of: "one@example.org", tail: "end\r\n")
        everyDivision(Octets("DATA\r\n" + content + ".\r\nQUIT\r\n")) { pieces in
            let t = SessionTranscript()
            t.log.know("one@example.org")
            let mta = MiniMTA()
            t.client("EHLO client.example", "MAIL FROM:<>", "RCPT TO:<ann@example.org>")
            mta.serve(t)
            for piece in pieces {
                t.clientOctets(piece)
                mta.serve(t)
            }
            #expect(mta.mails == [.init(reversePath: "MAIL FROM:<>", forwardPaths: ["RCPT TO:<ann@example.org>"], content: Octets(content))])
            #expect(mta.commands.last == "QUIT")
            #expect(t.sink.takeClientText().hasSuffix(Self.start + "\r\n250 2.0.0 Ok: queued as 4TESTQUEUEID\r\n221 2.0.0 Bye\r\n"))
            #expect(t.sink.held == 0)
            t.logs("deliver: verdict=deliver reason=sent client=192.0.2.7 from=<> to=<ann@example.org> msgid=<one@example.org> kind=bounce size=\(content.utf8.count) reply=\"250 2.0.0 Ok: queued as 4TESTQUEUEID\"")
        }
    }

    @Test func undecidedIsDeliveredAtItsEndInEveryDivision() {
        let content = "Subject: hello\r\n\r\nno bounce at all\r\n..\r\n"
        everyDivision(Octets(content + ".\r\n")) { pieces in
            let t = begun()
            t.client("DATA")
            t.forgotten()
            for piece in pieces { t.clientOctets(piece) }
            t.upstreamHears("DATA")
            t.upstream("354 go on")
            t.upstreamHearsRaw(content + ".\r\n")
            t.clientHears()
            t.upstream("250 2.0.0 Ok: queued as 4ABC")
            t.clientHears("250 2.0.0 Ok: queued as 4ABC")
            t.logs("deliver: verdict=deliver reason=not_a_bounce client=192.0.2.7 from=<> to=<ann@example.org> kind=other size=\(content.utf8.count) reply=\"250 2.0.0 Ok: queued as 4ABC\"")
        }
    }

    @Test func holdEndsAtTheFirstKnownID() {
        let t = begun()
        t.log.know("one@example.org")
        t.client("DATA")
        t.clientRaw(Self.forged)
        t.upstreamHears("DATA")
        t.clientRaw("more\r\n")
        t.upstreamHears()
        t.upstream("354 go on")
        t.upstreamHearsRaw(Self.forged + "more\r\n")
        t.clientRaw("rest\r\n.\r\n")
        t.upstreamHearsRaw("rest\r\n.\r\n")
        t.upstream("250 2.0.0 Ok")
        t.clientHears(Self.start, "250 2.0.0 Ok")
        #expect(t.sink.inquiries.map(\.countsReturn) == [false, true])
    }

    /// A known id that is not enough to deliver early: the end decides.
    @Test func knownIDOfAnotherDomainWaitsForTheEnd() {
        var settings = SessionTranscript.exampleOrg
        settings.actions = [.otherDomain: .refuse]
        for endsBeforeTheAnswer in [false, true] {
            let t = begun { $0.policy = Policy(settings) }
            t.log.know("one@example.org", from: "joe@other.example")
            t.answersByHand = endsBeforeTheAnswer
            t.client("DATA")
            t.clientRaw(Self.forged)
            if endsBeforeTheAnswer { t.answerQuestion() }
            t.clientRaw("more\r\n.\r\n")
            t.answerQuestion()
            t.answerQuestion()
            t.upstreamHears()
            t.clientHears(Self.start, "550 5.7.1 Backscatter refused: the mail with Message-ID <one@example.org> was not sent by this recipient")
        }
    }

    @Test func slowLogBlocksNothingButTheEnd() {
        let t = begun()
        t.answersByHand = true
        t.client("DATA")
        t.clientRaw(Self.forged)
        #expect(t.sink.question != nil)
        t.clientRaw("more\r\n.\r\n")
        t.clientHears(Self.start)
        t.answerQuestion()
        #expect(t.sink.question != nil)
        t.answerQuestion()
        t.clientHears(Self.refusal)
        t.upstreamHears()
    }

    @Test func answerForAGivenUpHoldIsIgnored() {
        let t = begun()
        t.answersByHand = true
        t.client("DATA")
        t.clientRaw(Self.forged)
        t.clientRaw("\n.\nx\r\n.\r\n")
        t.forgotten()
        t.answerQuestion()
        t.nobodyHears()
    }

    @Test func markPutsAFieldBeforeTheContent() {
        var settings = SessionTranscript.exampleOrg
        settings.actions = [.undecided: .mark, .notABounce: .mark]
        let t = begun { $0.policy = Policy(settings) }
        t.client("DATA")
        t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
        t.upstream("354 go on")
        t.upstreamHearsRaw("DATA\r\nX-Guardd-Verdict: guard.example.org; verdict=mark; reason=not_a_bounce\r\nSubject: x\r\n\r\ny\r\n.\r\n")

        let chunks = begun { $0.policy = Policy(settings) }
        chunks.clientRaw("BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\n")
        let field = "X-Guardd-Verdict: guard.example.org; verdict=mark; reason=not_a_bounce\r\n"
        chunks.upstreamHearsRaw("BDAT \(17 + field.utf8.count) LAST\r\n\(field)Subject: x\r\n\r\ny\r\n")
    }

    @Test func deferredIsTemporary() {
        let t = begun()
        t.log.availability = .silent
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\n")
        t.upstreamHears()
        t.clientHears(Self.start, "451 4.7.1 Bounce can't be verified now, try again later")
        #expect(t.sink.takeEvents().first?.text.contains("defer: verdict=defer reason=log_silent") == true)
    }

    @Test func notCoveredIsDelivered() {
        let t = begun()
        t.log.isCovered = false
        t.client("DATA")
        t.clientRaw(Self.forged + ".\r\n")
        t.upstream("354 go on")
        t.upstream("250 2.0.0 Ok")
        #expect(t.sink.takeEvents().first?.text.contains("deliver: verdict=deliver reason=not_covered would=refuse") == true)
    }

    @Test func dataRefusedAtTheRelease() {
        let t = begun()
        t.client("DATA")
        t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
        t.forgotten()
        t.upstream("452 4.3.1 disk full")
        t.after(1_000)
        t.upstreamHears("RSET")
        t.clientHears("452 4.3.1 disk full")
        t.goesOn()

        let early = begun()
        early.log.know("one@example.org")
        early.client("DATA")
        early.clientRaw(Self.forged)
        early.forgotten()
        early.upstream("452 4.3.1 disk full")
        early.after(1_000)
        early.upstreamHears("RSET")
        early.clientHears()
        early.clientRaw("more\r\n.\r\n")
        early.clientHears("452 4.3.1 disk full")
        early.upstreamHears()
        early.upstream("250 2.0.0 Ok")
        early.clientHears()
        early.goesOn()
    }

    @Test func closingRefusalAtTheRelease() {
        let t = begun()
        t.client("DATA")
        t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
        t.forgotten()
        t.upstream("421 4.3.2 going down")
        t.clientHears("421 4.3.2 going down")
        t.isOver()
    }

    @Test(arguments: ["250 2.0.0 Ok", "220 x"]) func unfitAnswerAtTheRelease(_ reply: String) {
        let t = begun()
        t.client("DATA")
        t.clientRaw("Subject: x\r\n\r\ny\r\n.\r\n")
        t.forgotten()
        t.upstream(reply)
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
        #expect(t.sink.hangUps == 1)
    }
}
