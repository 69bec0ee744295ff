import Testing
@testable import BackscatterGuard

@Suite("Session: held notifications in chunks (RFC 3030)") struct SessionHeldChunkTests {
    private static let forged = SessionHoldTests.forged
    private static let refusal = SessionHoldTests.refusal
    private static let half = 200

    /// The bounce in two chunks.
    private static var wire: String {
        "BDAT \(half)\r\n" + forged.utf8Prefix(half) + "BDAT \(forged.utf8.count - half) LAST\r\n" + forged.utf8Suffix(from: half)
    }

    private func begun(_ change: (inout SessionTranscript.Setup) -> Void = { _ in }) -> SessionTranscript {
        SessionTranscript(change).opened().bounceBegun()
    }

    @Test func refusedBounceLeavesUpstreamClean() {
        everyDivision(Octets(Self.wire + "MAIL FROM:<bob@sender.example>\r\n")) { pieces in
            let t = begun()
            for piece in pieces { t.clientOctets(piece) }
            t.upstreamHears("RSET", "MAIL FROM:<bob@sender.example>")
            t.clientHears("250 2.0.0 Ok", Self.refusal)
            #expect(t.sink.held == 0)
        }
    }

    @Test func deliveredInEveryDivision() {
        for limit in [256 * 1024, 100] {
            everyDivision(Octets(Self.wire + "QUIT\r\n")) { pieces in
                let t = SessionTranscript { $0.holdLimit = limit }
                t.log.know("one@example.org")
                let mta = MiniMTA()
                t.client("EHLO client.example", "MAIL FROM:<>", "RCPT TO:<ann@example.org>")
                mta.serve(t)
                t.forgotten()
                for piece in pieces {
                    t.clientOctets(piece)
                    mta.serve(t)
                }
                #expect(mta.mails.map(\.content) == [Octets(Self.forged)])
                let replies = t.sink.takeClientText().split(separator: "\r\n").map { $0.prefix(3) }
                #expect(replies == ["250", "250", "221"])
                #expect(t.sink.held == 0)
            }
        }
    }

    @Test func undecidedInEveryDivision() {
        let content = "Subject: hello\r\n\r\nno bounce at all\r\n.\r\n"
        for limit in [256 * 1024, 1, 20] {
            everyDivision(Octets("BDAT 22\r\n\(content.utf8Prefix(22))BDAT \(content.utf8.count - 22)\r\n\(content.utf8Suffix(from: 22))BDAT 0 LAST\r\n")) { pieces in
                let t = SessionTranscript { $0.holdLimit = limit }
                let mta = MiniMTA()
                t.client("EHLO client.example", "MAIL FROM:<>", "RCPT TO:<ann@example.org>")
                mta.serve(t)
                t.forgotten()
                for piece in pieces {
                    t.clientOctets(piece)
                    mta.serve(t)
                }
                #expect(mta.mails.map(\.content) == [Octets(content)])
                #expect(t.sink.takeClientText().split(separator: "\r\n").count == 3)
                #expect(t.sink.held == 0)
                #expect(!mta.commands.contains("BDAT 0"))
            }
        }
    }

    @Test func wholeInOneChunkOfGuardds() {
        let t = begun()
        t.clientRaw("BDAT 12\r\nSubject: x\r\nBDAT 5 LAST\r\n\r\ny\r\n")
        t.upstreamHearsRaw("BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\n")
        t.upstream("250 2.0.0 Ok: queued as 4ABC")
        t.clientHears("250 2.0.0 Ok", "250 2.0.0 Ok: queued as 4ABC")
    }

    /// The hold is outgrown by the very last octets of a chunk: the client still gets its reply.
    @Test func outgrownAtTheEndOfAChunk() {
        let t = begun { $0.holdLimit = 10 }
        t.clientRaw("BDAT 12\r\nSubject: x\r\n")
        t.clientHears("250 2.0.0 Ok")
        t.upstreamHearsRaw("BDAT 12\r\nSubject: x\r\n")
        t.upstream("250 2.0.0 12")
        t.clientHears()
        t.clientRaw("BDAT 5 LAST\r\n\r\ny\r\n")
        t.upstreamHearsRaw("BDAT 5\r\n\r\ny\r\nBDAT 0 LAST\r\n")
        t.upstream("250 2.0.0 5", "250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok")
    }

    @Test func outgrownByTheLastChunkIsJudgedInstead() {
        let t = begun { $0.holdLimit = 10 }
        t.clientRaw("BDAT \(Self.forged.utf8.count) LAST\r\n" + Self.forged)
        t.upstreamHears()
        t.clientHears(Self.refusal)
    }

    @Test func outgrownWithinTheLastChunkIsResetInsteadOfEnded() {
        let t = begun { $0.holdLimit = 100 }
        t.clientRaw("BDAT \(Self.forged.utf8.count) LAST\r\n" + Self.forged.utf8Prefix(150))
        t.upstreamHearsRaw("BDAT \(Self.forged.utf8.count)\r\n" + Self.forged.utf8Prefix(150))
        t.clientRaw(Self.forged.utf8Suffix(from: 150))
        t.upstreamHearsRaw(Self.forged.utf8Suffix(from: 150))
        t.clientHears(Self.refusal)
        t.client("MAIL FROM:<bob@sender.example>")
        t.upstreamHears()
        t.upstream("250 2.0.0 all")
        t.upstreamHears("RSET", "MAIL FROM:<bob@sender.example>")
        t.upstream("250 2.0.0 reset", "250 2.1.0 Ok")
        t.clientHears("250 2.1.0 Ok")
    }

    @Test func knownWithinAChunk() {
        let known = Self.forged + "tail\r\n"
        for last in ["", " LAST"] {
            let t = begun()
            t.log.know("one@example.org")
            t.clientRaw("BDAT \(known.utf8.count)\(last)\r\n" + Self.forged)
            t.upstreamHearsRaw("BDAT \(known.utf8.count)\(last)\r\n\(Self.forged)")
            t.clientRaw("tail\r\n")
            t.upstreamHearsRaw("tail\r\n")
            t.upstream("250 2.0.0 tail")
            t.clientHears("250 2.0.0 tail")
        }
    }

    @Test func knownBetweenChunks() {
        let t = begun()
        t.log.know("one@example.org")
        t.answersByHand = true
        t.clientRaw("BDAT \(Self.forged.utf8.count)\r\n" + Self.forged)
        t.clientHears("250 2.0.0 Ok")
        t.clientRaw("BDAT 6 LA")
        t.answerQuestion()
        t.answerQuestion()
        t.upstreamHearsRaw("BDAT \(Self.forged.utf8.count)\r\n\(Self.forged)")
        t.clientRaw("ST\r\ntail\r\n")
        t.upstream("250 2.0.0 held")
        t.upstreamHearsRaw("BDAT 6 LAST\r\ntail\r\n")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok")
    }

    // MARK: refused by upstream

    @Test func releasedChunkIsRefused() {
        let t = begun()
        t.clientRaw("BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\n")
        t.upstream("552 5.3.4 too large")
        t.clientHears("552 5.3.4 too large")
        t.goesOn()
        t.client("MAIL FROM:<bob@sender.example>")
        t.upstreamHearsRaw("BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\nMAIL FROM:<bob@sender.example>\r\n")
    }

    @Test func streamedChunkIsRefusedWhileTheNextComes() {
        let t = begun { $0.holdLimit = 10 }
        t.clientRaw("BDAT 12\r\nSubject: x\r\nBDAT 20\r\nabc")
        t.forgotten()
        t.upstream("552 5.3.4 too large")
        t.clientHears()
        t.clientRaw("VRFY a\r\n123456789NOOP\r\n")
        t.clientHears("552 5.3.4 too large", "250 2.0.0 Ok")
    }

    /// What was held and the rest of the client's chunk are one chunk: its refusal answers the client's.
    @Test func streamedChunkIsRefused() {
        let t = begun { $0.holdLimit = 10 }
        t.clientRaw("BDAT 15\r\nSubject: x\r\n")
        t.clientRaw("abc")
        t.upstreamHearsRaw("BDAT 15\r\nSubject: x\r\nabc")
        t.upstream("552 5.3.4 too large")
        t.clientHears("552 5.3.4 too large")
        t.clientRaw("BDAT 3 LAST\r\nabc")
        t.upstreamHearsRaw("BDAT 3\r\nabcBDAT 0 LAST\r\n")
        t.upstream("503 5.5.1 no", "503 5.5.1 no")
        t.clientHears("503 5.5.1 no")
        t.clientRaw("BDAT 3 LAST\r\nabcNOOP\r\n")
        t.clientHears("503 5.5.1 Error: need MAIL command", "250 2.0.0 Ok")
    }

    @Test func streamedChunkIsRefusedBetweenChunks() {
        let t = begun { $0.holdLimit = 10 }
        t.clientRaw("BDAT 12\r\nSubject: x\r\n")
        t.forgotten()
        t.upstream("552 5.3.4 too large")
        t.clientHears()
        t.clientRaw("BDAT 8 LAST\r\nVRFY a\r\nRSET\r\n")
        t.clientHears("552 5.3.4 too large", "250 2.0.0 Ok")
    }

    // MARK: other commands, losses

    @Test func otherCommandsBetweenHeldChunks() {
        let t = begun()
        t.clientRaw("BDAT 12\r\nSubject: x\r\n")
        t.forgotten()
        t.client("NOOP", "VRFY ann", "AUTH LOGIN", "DATA", "RCPT TO:<eve@example.org>")
        t.upstreamHears()
        t.clientHears(
            "250 2.0.0 Ok", "503 5.5.1 Error: only BDAT or RSET may follow BDAT", "503 5.5.1 Error: only BDAT or RSET may follow BDAT",
            "503 5.5.1 Error: only BDAT or RSET may follow BDAT", "503 5.5.1 Error: only BDAT or RSET may follow BDAT")
    }

    @Test func resetHelloAndQuitGiveTheHoldBack() {
        for (command, reply) in [("RSET", "250 2.0.0 Ok"), ("EHLO x", "250 mx"), ("EHLO x", "501 no"), ("QUIT", "221 2.0.0 Bye")] {
            let t = begun()
            t.clientRaw("BDAT 12\r\nSubject: x\r\n")
            #expect(t.sink.held == 12)
            t.forgotten()
            t.client(command)
            t.upstreamHears(command)
            #expect(t.sink.held == 0)
            t.upstream(reply)
            t.logs("cut: client=192.0.2.7 from=<> to=<ann@example.org> size=12")
        }
    }

    @Test func envelopeIsSaidAgainForChunks() {
        let t = begun()
        t.clientRaw("BDAT 12\r\nSubject: x\r\n")
        t.upstreamEnds()
        t.forgotten()
        t.clientRaw("BDAT 5 LAST\r\n\r\ny\r\n")
        t.upstream("220 mx")
        t.upstream(SessionTranscript.keywords)
        t.upstream("250 1")
        t.upstream("250 2")
        t.upstreamHearsRaw("EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nBDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\n")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok")
    }

    @Test func lostBetweenHeldChunksThenReset() {
        let t = begun()
        t.clientRaw("BDAT 12\r\nSubject: x\r\n")
        t.upstreamEnds()
        t.forgotten()
        t.client("RSET", "MAIL FROM:<bob@sender.example>")
        t.clientHears("250 2.0.0 Ok")
        t.upstream("220 mx")
        t.upstream(SessionTranscript.keywords)
        t.upstreamHears("EHLO client.example", "MAIL FROM:<bob@sender.example>")
    }

    @Test func lostBetweenHeldChunksThenHello() {
        let t = begun()
        t.clientRaw("BDAT 12\r\nSubject: x\r\n")
        t.upstreamEnds()
        t.client("EHLO again.example")
        #expect(t.sink.held == 0)
        t.upstream("220 mx")
        t.upstream("501 5.5.4 no")
        t.forgotten()
        t.clientRaw("BDAT 5 LAST\r\n\r\ny\r\n")
        t.clientHears("502 5.5.1 Error: command not implemented")
    }

    @Test func outgrownWhileUpstreamIsLost() {
        let t = begun { $0.holdLimit = 10 }
        t.clientRaw("BDAT 20\r\nSub")
        t.upstreamEnds()
        t.clientRaw("ject: x\r\n")
        #expect(t.sink.dials.count == 2)
        t.forgotten()
        t.upstream("220 mx")
        t.upstream(SessionTranscript.keywords)
        t.upstream("250 1")
        t.upstream("250 2")
        t.upstreamHearsRaw("EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nBDAT 20\r\nSubject: x\r\n")
        t.clientRaw("12345678")
        t.upstreamHearsRaw("12345678")
        t.upstream("250 20")
        t.clientHears("250 20")
    }

    @Test func releaseFailsBetweenChunks() {
        let t = begun { $0.holdLimit = 10 }
        t.clientRaw("BDAT 3\r\nSub")
        t.upstreamEnds()
        t.clientRaw("BDAT 9\r\nject: x\r\n")
        t.forgotten()
        t.upstream("554 5.7.1 no")
        t.clientHears()
        t.clientRaw("BDAT 2 LAST\r\nab")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
        t.goesOn()
        #expect(t.sink.held == 0)
    }

    @Test func halfCloseBetweenChunks() {
        let t = begun()
        t.clientRaw("BDAT 12\r\nSubject: x\r\n")
        t.clientEnds()
        t.isOver()
    }
}

extension String {
    /// By octets: a Character may be CR LF.
    func utf8Prefix(_ count: Int) -> String { String(decoding: utf8.prefix(count), as: UTF8.self) }
    func utf8Suffix(from start: Int) -> String { String(decoding: utf8.dropFirst(start), as: UTF8.self) }
}
