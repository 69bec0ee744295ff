import Testing
@testable import BackscatterGuard

@Suite("Session: content (RFC 5321 §4.1.1.4, THREATS R1, R2, R6)") struct SessionContentTests {
    static let mail = "Subject: x\r\n\r\n..stuffed\r\n.hidden\r\nlone\rCR and\nLF and\0NUL\r\n.\r\n"

    @Test func contentIsTheSameInEveryDivision() {
        everyDivision(Octets("MAIL FROM:<bob@sender.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n" + Self.mail + "QUIT\r\n")) { pieces in
            let t = SessionTranscript().forgotten()
            let mta = MiniMTA()
            t.client("EHLO client.example")
            mta.serve(t)
            for piece in pieces {
                t.clientOctets(piece)
                mta.serve(t)
            }
            #expect(mta.mails.map(\.content) == [Octets(Self.mail).dropLast(3)])
            #expect(mta.commands.last == "QUIT")
        }
    }

    @Test func endOfContentInEveryDivision() {
        everyDivision(Octets("a\r\n.\r\nNOOP\r\n")) { pieces in
            let t = SessionTranscript().opened().mailBegun()
            t.client("DATA")
            t.upstream("354 go on")
            t.forgotten()
            for piece in pieces { t.clientOctets(piece) }
            t.upstreamHearsRaw("a\r\n.\r\n")
            t.upstream("250 2.0.0 Ok: queued as 4ABC")
            t.upstreamHears("NOOP")
            t.logs("relay: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=3 reply=\"250 2.0.0 Ok: queued as 4ABC\"")
        }
    }

    @Test func emptyContent() {
        everyDivision(Octets(".\r\n")) { pieces in
            let t = SessionTranscript().opened().mailBegun()
            t.client("DATA")
            t.upstream("354 go on")
            t.forgotten()
            for piece in pieces { t.clientOctets(piece) }
            t.upstreamHearsRaw(".\r\n")
        }
    }

    /// R6: what lies behind DATA in the same segment is text, however much it looks like commands.
    @Test func textBehindDataIsText() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>", "DATA", "MAIL FROM:<>", "QUIT")
        t.upstream("250 1", "250 2", "354 3")
        t.upstreamHears("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>", "DATA", "MAIL FROM:<>", "QUIT")
        t.clientHears("250 1", "250 2", "354 3")
    }

    /// And when DATA is refused, they are commands.
    @Test func textBehindRefusedDataIsCommands() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>", "DATA", "VRFY x")
        t.upstream("250 1", "550 2", "554 3")
        t.upstream("252 4")
        t.clientHears("250 1", "550 2", "554 3", "252 4")
    }

    // MARK: R2

    static let lookAlikes = ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\rx", "\r\n.\0\r\n", "\r\n\0.\r\n", "\r.\n", "\n.\r", "\r\n.\r\r\n"]

    @Test(arguments: lookAlikes) func lookAlikesNeverLeave(_ form: String) {
        let content = "Subject: x\r\n\r\na\(form)MAIL FROM:<>\r\nb\r\n.\r\nNOOP\r\n"
        everyDivision(Octets(content)) { pieces in
            let t = SessionTranscript().opened().mailBegun()
            t.client("DATA")
            t.upstream("354 go on")
            t.forgotten()
            for piece in pieces { t.clientOctets(piece) }
            let heard = t.sink.takeUpstreamText()
            #expect(!heard.contains("MAIL") && Octets(content).starts(with: Octets(heard)))
            #expect(t.sink.hangUps == 1)
            #expect(t.sink.takeClientText() == "550 5.6.0 Error: bare line ending next to a lone dot in the message, use CRLF\r\n250 2.0.0 Ok\r\n")
        }
    }

    @Test(arguments: lookAlikes) func lookAlikesInAHeldNotification(_ form: String) {
        let content = "Subject: x\r\n\r\na\(form)MAIL FROM:<>\r\nb\r\n.\r\nMAIL FROM:<bob@sender.example>\r\n"
        everyDivision(Octets(content)) { pieces in
            let t = SessionTranscript().opened().bounceBegun()
            t.client("DATA")
            t.forgotten()
            for piece in pieces { t.clientOctets(piece) }
            // Upstream has heard MAIL and RCPT of what is refused here: it must be reset before the next MAIL.
            t.upstreamHears("RSET", "MAIL FROM:<bob@sender.example>")
            #expect(t.sink.hangUps == 0)
            t.clientHears("550 5.6.0 Error: bare line ending next to a lone dot in the message, use CRLF")
        }
    }

    @Test func bareLineEndingsByRule() {
        for text in ["a\nb\r\n.\r\n", "a\rb\r\n.\r\n"] {
            everyDivision(Octets(text)) { pieces in
                let t = SessionTranscript { $0.refusesBareLineEndings = true }.opened().mailBegun()
                t.client("DATA")
                t.upstream("354 go on")
                t.forgotten()
                for piece in pieces { t.clientOctets(piece) }
                t.clientHears("451 4.6.0 Error: bare CR or LF in the message, use CRLF")
                #expect(!t.sink.takeUpstreamText().hasSuffix("\r\n.\r\n") && t.sink.hangUps == 1)
            }
        }
        everyDivision(Octets("a\r\n.\r\n")) { pieces in
            let t = SessionTranscript { $0.refusesBareLineEndings = true }.opened().mailBegun()
            t.client("DATA")
            t.upstream("354 go on")
            t.forgotten()
            for piece in pieces { t.clientOctets(piece) }
            t.upstreamHearsRaw("a\r\n.\r\n")
        }
    }

    @Test func bareLineEndingInAHeldNotification() {
        let t = SessionTranscript { $0.refusesBareLineEndings = true }.opened().bounceBegun()
        t.client("DATA")
        t.clientRaw("a\nb\r\n.\r\n")
        t.after(1_000)
        t.upstreamHears("RSET")
        t.clientHears("354 End data with <CR><LF>.<CR><LF>", "451 4.6.0 Error: bare CR or LF in the message, use CRLF")
    }

    @Test func authenticatedLookAlikeEndsTheSession() {
        let t = SessionTranscript { $0.direction = .inbound }.opened().authenticated().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.forgotten()
        t.clientRaw("a\n.\nb\r\n.\r\n")
        t.clientHears("550 5.6.0 Error: bare line ending next to a lone dot in the message, use CRLF")
        t.isOver()
    }

    // MARK: R10

    @Test func earlyRefusalIsTheReply() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw("a\r\n")
        t.forgotten()
        t.upstream("552 5.3.4 too large")
        #expect(t.sink.hangUps == 1)
        t.clientRaw("b\r\n.\r\n")
        t.upstreamHears()
        t.clientHears("552 5.3.4 too large")
        t.logs("relay: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=6 reply=\"552 5.3.4 too large\"")
        t.goesOn()
    }

    @Test(arguments: ["250 2.0.0 Ok: queued", "354 again", "what"]) func anyOtherEarlyReplyIsALostConnection(_ reply: String) {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw("a\r\n")
        t.forgotten()
        t.upstream(reply)
        #expect(t.sink.hangUps == 1)
        t.clientRaw("b\r\n.\r\n")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
        t.goesOn()
    }

    @Test func lostInContent() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw("a\r\n")
        t.forgotten()
        t.upstreamEnds()
        t.clientHears()
        t.clientRaw("b\r\n.\r\nNOOP\r\n")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later", "250 2.0.0 Ok")
    }

    @Test func earlyClosingRefusalEndsTheSession() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.forgotten()
        t.upstream("421 4.3.2 going down")
        t.clientRaw("b\r\n.\r\n")
        t.clientHears("421 4.3.2 going down")
        t.isOver()
    }

    @Test(arguments: ["250 2.0.0 Ok", "220 x", "211 x"]) func unfitAnswerToData(_ reply: String) {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.forgotten()
        t.upstream(reply)
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    /// An upstream that refused MAIL and asks for content all the same is out of its mind.
    @Test func contentAskedForWithoutATransaction() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>", "DATA", "a", ".")
        t.upstream("550 5.7.1 no", "250 2.1.5 Ok", "354 go on")
        t.upstreamHears("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>", "DATA")
        t.clientHears("550 5.7.1 no", "250 2.1.5 Ok", "421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test(arguments: ["354 x", "220 x", "221 bye", "235 x"]) func unfitAnswersToCommandsAreNotPassedOn(_ reply: String) {
        for command in ["MAIL FROM:<bob@sender.example>", "RSET"] {
            let t = SessionTranscript().opened()
            t.client(command)
            t.upstream(reply)
            t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
            t.isOver()
        }
    }

    @Test func unfitAnswerToTheEndOfContent() {
        for reply in ["354 x", "220 x"] {
            let t = SessionTranscript().opened().mailBegun()
            t.client("DATA")
            t.upstream("354 go on")
            t.clientRaw("b\r\n.\r\n")
            t.forgotten()
            t.upstream(reply)
            t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
            t.logs("relay: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=3 reply=\"421 4.3.0 Error: mail server connection lost, try again later\"")
            t.isOver()
        }
    }

    @Test func extraReplyBetweenTransactionsIsALostConnection() {
        let t = SessionTranscript().opened()
        t.upstream("250 2.0.0 Ok")
        #expect(t.sink.hangUps == 1)
        t.nobodyHears()
        t.goesOn()
    }

    @Test func lostInATransaction() {
        let t = SessionTranscript().opened().mailBegun()
        t.upstreamEnds()
        t.nobodyHears()
        t.client("DATA")
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()

        let quits = SessionTranscript().opened().mailBegun()
        quits.upstreamEnds()
        quits.client("QUIT")
        quits.clientHears("221 2.0.0 Bye")
        quits.isOver()
    }

    @Test func lostWithARepliesDue() {
        for command in ["MAIL FROM:<bob@sender.example>", "EHLO x", "RSET", "NOOP", "AUTH LOGIN", "QUIT"] {
            let t = SessionTranscript().opened()
            t.client(command)
            t.upstreamEnds()
            t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
            t.isOver()
        }
    }

    @Test func lostBeforeTheReplyToTheEnd() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw("b\r\n.\r\n")
        t.forgotten()
        t.upstreamEnds()
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test func closingRepliesEndTheSession() {
        for command in ["EHLO x", "MAIL FROM:<a@b.example>", "NOOP", "AUTH LOGIN", "RSET"] {
            let t = SessionTranscript().opened()
            t.client(command)
            t.upstream("421 4.3.2 going down")
            t.clientHears("421 4.3.2 going down")
            t.isOver()
        }
        let data = SessionTranscript().opened().mailBegun()
        data.client("DATA")
        data.upstream("421 4.3.2 going down")
        data.clientHears("421 4.3.2 going down")
        data.isOver()
        let end = SessionTranscript().opened().mailBegun()
        end.client("DATA")
        end.upstream("354 x")
        end.clientRaw(".\r\n")
        end.upstream("421 4.3.2 going down")
        end.clientHears("354 x", "421 4.3.2 going down")
        end.isOver()
    }

    @Test func closingReplyWithOthersDue() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<a@b.example>", "RCPT TO:<ann@example.org>", "FOO")
        t.upstream("421 4.3.2 going down")
        t.clientHears("421 4.3.2 going down")
        t.isOver()
    }
}
