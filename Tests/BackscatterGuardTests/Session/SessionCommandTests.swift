import Testing
@testable import BackscatterGuard

@Suite("Session: commands and their replies (RFC 5321 §4, RFC 2920)") struct SessionCommandTests {
    @Test func pipelinedCommandsGoOnTogetherAndLocalRepliesKeepTheirPlace() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<bob@sender.example> SIZE=12", "RCPT TO:<ann@example.org>", "RCPT TO:<>", "XCLIENT ADDR=1", "RCPT TO:<eve@example.org>", "DATA")
        t.upstreamHears("MAIL FROM:<bob@sender.example> SIZE=12", "RCPT TO:<ann@example.org>", "RCPT TO:<eve@example.org>", "DATA")
        t.clientHears()
        t.upstream("250 2.1.0 Ok")
        t.clientHears("250 2.1.0 Ok")
        t.upstream("250 2.1.5 Ok")
        t.clientHears("250 2.1.5 Ok", "501 5.1.3 Bad recipient address syntax", "502 5.5.1 Error: command not implemented")
        t.upstream("550 5.1.1 no eve", "354 go on")
        t.clientHears("550 5.1.1 no eve", "354 go on")
        t.clientRaw("x\r\n.\r\n")
        t.upstreamHearsRaw("x\r\n.\r\n")
        t.upstream("250 2.0.0 Ok: queued as 4ABC")
        t.clientHears("250 2.0.0 Ok: queued as 4ABC")
        t.logs("relay: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=3 reply=\"250 2.0.0 Ok: queued as 4ABC\"")
    }

    @Test func oneAtATimeWithoutPipelining() {
        let t = SessionTranscript().opened(keywords: "250-mx.example.org\r\n250 SIZE 1000")
        t.client("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>", "DATA", "hello", ".", "QUIT")
        t.upstreamHears("MAIL FROM:<bob@sender.example>")
        t.upstream("250 1")
        t.upstreamHears("RCPT TO:<ann@example.org>")
        t.upstream("250 2")
        t.upstreamHears("DATA")
        t.upstream("354 3")
        t.upstreamHears("hello", ".")
        t.upstream("250 4")
        t.upstreamHears("QUIT")
        t.upstream("221 5")
        t.clientHears("250 1", "250 2", "354 3", "250 4", "221 5")
        t.isOver()
    }

    @Test func linesOfOctetsEachAlone() {
        let t = SessionTranscript().opened()
        for octet in Octets("MAIL FROM:<bob@sender.example>\r\nRCPT TO:<ann@example.org>\r\nFOO\r\n") { t.clientOctets([octet]) }
        t.upstreamHears("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>")
        t.upstream("250 1", "250 2")
        t.clientHears("250 1", "250 2", "500 5.5.2 Error: command not recognized")
    }

    // MARK: R3, R20

    @Test func bareLineEndingsAreOneErrorEach() {
        let t = SessionTranscript().opened()
        t.clientRaw("NOOP\nMAIL FROM:<a@b>\rRCPT TO:<c@d>\r\nNO\0OP\r\n\r\n")
        t.clientHears(
            "500 5.5.2 Error: command lines end in CRLF and hold no control characters",
            "500 5.5.2 Error: command lines end in CRLF and hold no control characters",
            "500 5.5.2 Error: command lines end in CRLF and hold no control characters", "500 5.5.2 Error: command not recognized")
        t.upstreamHears()
    }

    @Test func bareLFBehindAPieceOfALine() {
        let t = SessionTranscript().opened()
        t.clientRaw("NO")
        t.clientRaw("OP\nNOOP\r\n")
        t.clientHears("500 5.5.2 Error: command lines end in CRLF and hold no control characters")
        t.upstreamHears("NOOP")
    }

    @Test func longLines() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<" + String(repeating: "a", count: 2100) + "@b>")
        t.clientHears("500 5.5.2 Error: line too long")
        t.client("NOOP " + String(repeating: "a", count: 13_000))
        t.clientHears("500 5.5.2 Error: line too long")
        t.clientRaw(String(repeating: "b", count: 20_000))
        t.clientHears("500 5.5.2 Error: line too long")
        t.clientRaw(String(repeating: "b", count: 20_000) + "\r\nNOOP\r\n")
        t.upstreamHears("NOOP")
        t.clientHears()
        t.upstream("250 Ok")
        t.clientHears("250 Ok")
        t.clientRaw("x")
        t.clientRaw(String(repeating: "x", count: 12_300) + "\r\n")
        t.clientHears("500 5.5.2 Error: line too long")
    }

    @Test func endlessLineEndsTheSession() {
        let t = SessionTranscript().opened()
        for _ in 0..<10 { t.clientRaw(String(repeating: "b", count: 10_000)) }
        t.clientHears("500 5.5.2 Error: line too long")
        t.isOver()
    }

    @Test func tooManyErrors() {
        let t = SessionTranscript { $0.limits.hardErrors = 3 }.opened()
        t.client("FOO", "FOO")
        t.forgotten()
        t.client("FOO", "FOO")
        t.clientHears("500 5.5.2 Error: command not recognized", "421 4.7.0 Error: too many errors")
        t.isOver()
    }

    @Test func tooManyErrorsBehindAnAwaitedReply() {
        let t = SessionTranscript { $0.limits.hardErrors = 2 }.opened()
        t.client("MAIL FROM:<bob@sender.example>", "FOO", "FOO", "FOO")
        t.clientHears()
        t.upstream("250 2.1.0 Ok")
        t.clientHears("250 2.1.0 Ok", "500 5.5.2 Error: command not recognized", "500 5.5.2 Error: command not recognized", "421 4.7.0 Error: too many errors")
        t.isOver()
    }

    @Test func tooManyErrorsBehindAReplyThatNeverComes() {
        let t = SessionTranscript { $0.limits.hardErrors = 1 }.opened()
        t.client("MAIL FROM:<bob@sender.example>", "FOO")
        t.after(301_000)
        t.clientHears("421 4.4.2 Error: mail server timed out, try again later")
        t.isOver()
    }

    // MARK: R5

    @Test func nestedMailIsRefusedHere() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("MAIL FROM:<>")
        t.clientHears("503 5.5.1 Error: nested MAIL command")
        t.upstreamHears()
    }

    @Test func mailBehindARefusedMailBeginsItsOwnTransaction() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<no@sender.example>", "MAIL FROM:<>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstreamHears("MAIL FROM:<no@sender.example>")
        t.upstream("550 5.7.1 no")
        t.upstreamHears("MAIL FROM:<>", "RCPT TO:<ann@example.org>")
        t.upstream("250 1", "250 2")
        // A notification: its content is held.
        t.upstreamHears()
        t.clientHears("550 5.7.1 no", "250 1", "250 2", "354 End data with <CR><LF>.<CR><LF>")
    }

    /// The replies to RCPTs of a refused MAIL must not be taken for those of the next transaction.
    @Test func repliesToARefusedTransactionAreNotTheNextOnes() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<no@sender.example>", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "MAIL FROM:<>", "RCPT TO:<c@example.org>", "DATA")
        t.upstream("550 5.7.1 no")
        t.upstream("503 5.5.1 1")
        t.upstream("503 5.5.1 2")
        t.upstreamHears("MAIL FROM:<no@sender.example>", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "MAIL FROM:<>", "RCPT TO:<c@example.org>")
        t.upstream("250 2.1.0 Ok")
        t.upstream("550 5.1.1 no c")
        t.clientHears("550 5.7.1 no", "503 5.5.1 1", "503 5.5.1 2", "250 2.1.0 Ok", "550 5.1.1 no c", "554 5.5.1 Error: no valid recipients")
        t.upstreamHears()
    }

    @Test func resetAndHelloEndATransaction() {
        for (command, reply) in [("RSET", "250 2.0.0 Ok"), ("EHLO c.example", "250 mx")] {
            let t = SessionTranscript().opened().mailBegun()
            t.client(command, "RCPT TO:<a@example.org>")
            t.upstreamHears(command)
            t.upstream(reply)
            t.upstreamHears()
            #expect(t.sink.takeClientText().hasSuffix("503 5.5.1 Error: need MAIL command\r\n"))
            t.client("MAIL FROM:<>", "RCPT TO:<ann@example.org>", "DATA")
            t.upstream("250 1")
            t.upstream("250 2")
            t.upstreamHears("MAIL FROM:<>", "RCPT TO:<ann@example.org>")
        }
    }

    @Test func refusedHelloLeavesTheTransaction() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("EHLO -")
        t.upstream("501 5.5.4 no")
        t.client("MAIL FROM:<>")
        t.clientHears("501 5.5.4 no", "503 5.5.1 Error: nested MAIL command")
    }

    @Test func refusedResetEndsTheSession() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("RSET")
        t.upstream("500 5.5.2 what")
        t.clientHears("500 5.5.2 what")
        t.client("MAIL FROM:<>")
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test func dataRefused() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("554 5.5.1 Error: no valid recipients")
        t.client("RSET")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("554 5.5.1 Error: no valid recipients", "250 2.0.0 Ok")
        t.logs("relay: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=0 reply=\"554 5.5.1 Error: no valid recipients\"")
    }

    /// Some MTAs forget the transaction when they refuse DATA, others don't: theirs is the word on the next MAIL.
    @Test func mailAfterRefusedDataIsUpstreamsToJudge() {
        for reply in ["250 2.1.0 Ok", "503 5.5.1 nested"] {
            let t = SessionTranscript().opened().mailBegun()
            t.client("DATA")
            t.upstream("451 4.3.0 not now")
            t.forgotten()
            t.client("MAIL FROM:<>", "RCPT TO:<ann@example.org>")
            t.upstream(reply)
            if reply.hasPrefix("250") {
                t.upstreamHears("MAIL FROM:<>", "RCPT TO:<ann@example.org>")
                t.clientHears(reply)
            } else {
                t.upstreamHears("MAIL FROM:<>", "RCPT TO:<ann@example.org>")
                t.upstream("250 2.1.5 Ok")
                t.client("DATA")
                t.clientHears(reply, "250 2.1.5 Ok", "503 5.5.1 Error: need MAIL command")
                t.upstreamHears()
            }
        }
    }

    @Test func dataWithoutRecipients() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<bob@sender.example>", "DATA")
        t.upstream("250 2.1.0 Ok")
        t.clientHears("250 2.1.0 Ok", "503 5.5.1 Error: need RCPT command")
    }

    @Test func argumentsWhereNoneBelong() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA x", "RSET x", "QUIT x")
        t.clientHears(
            "501 5.5.4 Error: this command has no argument", "501 5.5.4 Error: this command has no argument",
            "501 5.5.4 Error: this command has no argument")
        t.upstreamHears()
    }

    // MARK: passing through

    @Test func otherCommandsPass() {
        let t = SessionTranscript().opened()
        for command in ["VRFY ann", "EXPN all", "HELP", "ETRN example.org", "NOOP x"] {
            t.client(command)
            t.upstreamHears(command)
            t.upstream("252-2.0.0 a", "252 2.0.0 b")
            t.clientHears("252-2.0.0 a", "252 2.0.0 b")
        }
        t.client("STARTTLS", "XCLIENT ADDR=1", "XFORWARD ADDR=1", "PROXY TCP4 1 2 3 4", "TURN")
        t.upstreamHears()
        t.clientHears(
            "502 5.5.1 Error: command not implemented", "502 5.5.1 Error: command not implemented", "502 5.5.1 Error: command not implemented",
            "500 5.5.2 Error: command not recognized", "500 5.5.2 Error: command not recognized")
    }

    @Test func authenticationPassesAndIsNeverTold() {
        let t = SessionTranscript { $0.direction = .outbound }.opened()
        t.client("AUTH LOGIN")
        t.upstreamHears("AUTH LOGIN")
        t.upstream("334 VXNlcm5hbWU6")
        t.client("c2VjcmV0")
        t.upstreamHears("c2VjcmV0")
        t.upstream("334 UGFzc3dvcmQ6")
        for octet in Octets("aHVudGVyMg==\r\n") { t.clientOctets([octet]) }
        t.upstreamHears("aHVudGVyMg==")
        t.upstream("235 2.7.0 in")
        t.clientHears("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 2.7.0 in")
        t.client("AUTH PLAIN AGFubgBzZWNyZXQ=")
        t.upstream("503 5.5.1 twice")
        t.upstreamHears("AUTH PLAIN AGFubgBzZWNyZXQ=")
        t.clientHears("503 5.5.1 twice")
        #expect(t.sink.takeEvents().isEmpty)
    }

    @Test func failedAuthentication() {
        let t = SessionTranscript().opened()
        t.client("AUTH LOGIN")
        t.upstream("334 VXNlcm5hbWU6")
        t.client("*", "NOOP")
        t.upstream("501 5.7.0 cancelled")
        t.upstreamHears("AUTH LOGIN", "*", "NOOP")
        t.upstream("250 Ok")
        t.clientHears("334 VXNlcm5hbWU6", "501 5.7.0 cancelled", "250 Ok")
    }

    @Test func authenticationNotOffered() {
        let t = SessionTranscript().opened(keywords: "250-mx\r\n250 SIZE")
        t.client("AUTH PLAIN AGFubgBzZWNyZXQ=")
        t.clientHears("502 5.5.1 Error: command not implemented")
        t.upstreamHears()
    }

    /// Upstream still waits for the answer to its 334: the session can't go on in step.
    @Test(arguments: [String(repeating: "A", count: 12_300) + "\r\n", String(repeating: "A", count: 30_000), "A\0B\r\n", "AB\n"])
    func unfitAnswerToAChallenge(_ line: String) {
        let t = SessionTranscript().opened()
        t.client("AUTH LOGIN")
        t.upstream("334 VXNlcm5hbWU6")
        t.forgotten()
        t.clientRaw(line)
        #expect(t.sink.takeClientText().hasPrefix("500 5.5.2"))
        t.upstreamHears()
        t.isOver()
    }

    @Test func lostWhileAChallengeIsOpen() {
        let t = SessionTranscript().opened()
        t.client("AUTH LOGIN")
        t.upstream("334 VXNlcm5hbWU6")
        t.forgotten()
        t.upstreamEnds()
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test func longAuthenticationPasses() {
        let t = SessionTranscript().opened()
        let line = "AUTH GSSAPI " + String(repeating: "A", count: 8000)
        t.client(line)
        t.upstreamHears(line)
    }

    // MARK: memory

    /// A client that pipelines for ever behind a silent upstream is not read on.
    @Test func awaitedRepliesAreBounded() {
        let t = SessionTranscript { ($0.limits.hardErrors, $0.limits.softErrors) = (0, 0) }.opened()
        t.client("MAIL FROM:<bob@sender.example>")
        t.clientRaw(String(repeating: "FOO\r\n", count: 5000))
        #expect(t.pending.count > 5 * 3000)
        t.upstream("250 2.1.0 Ok")
        #expect(t.pending.isEmpty)
        #expect(t.sink.takeClientText().utf8.count == 14 + 5000 * "500 5.5.2 Error: command not recognized\r\n".utf8.count)
    }

    /// Answered one by one, never empty: what has been answered is given back.
    @Test func awaitedRepliesThatNeverRunOut() {
        var awaited = AwaitedReplies()
        awaited.append(.recipient(0))
        for number in 1..<5000 {
            awaited.append(.recipient(number))
            guard case .recipient(number - 1)? = awaited.first else { Issue.record("\(number)"); return }
            awaited.removeFirst()
        }
        #expect(awaited.all.count == 1 && awaited.all.startIndex < 200)
    }

    @Test func recipientsOfRecordedMailAreBounded() {
        let t = SessionTranscript { $0.direction = .outbound }.opened().mailBegun(from: "ann@example.org")
        for number in 0..<1100 {
            t.client("RCPT TO:<user\(number)@there.example>")
            if number < 999 { t.upstream("250 2.1.5 Ok") }
        }
        #expect(t.sink.takeUpstreamText().hasSuffix("RCPT TO:<user998@there.example>\r\n"))
        #expect(t.sink.takeClientText().hasSuffix("452 4.5.3 Error: too many recipients\r\n"))
        t.goesOn()
    }

    @Test func longRecipientsOfANotificationAreBounded() {
        let t = SessionTranscript().opened().bounceBegun()
        let parameter = " ORCPT=rfc822;" + String(repeating: "x", count: 1900)
        var asked = 0
        for number in 0..<500 {
            t.client("RCPT TO:<user\(number)@example.org>" + parameter)
            if t.sink.takeUpstreamText().isEmpty { break }
            t.upstream("250 2.1.5 Ok")
            asked += 1
        }
        #expect((100..<200).contains(asked))
    }

    @Test func ordinaryMailMayHaveAnyNumberOfRecipients() {
        let t = SessionTranscript { $0.limits.recipients = 0 }.opened().mailBegun()
        for number in 0..<1100 { t.client("RCPT TO:<user\(number)@example.org>"); t.upstream("250 2.1.5 Ok") }
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw(".\r\n")
        t.upstream("250 2.0.0 Ok")
        let line = t.sink.takeEvents().first?.text ?? ""
        #expect(line.contains("to=<user8@example.org> nrcpt=1101 size=0"))
    }
}
