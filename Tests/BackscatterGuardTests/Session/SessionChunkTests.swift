import Testing
@testable import BackscatterGuard

@Suite("Session: BDAT of ordinary mail (RFC 3030, THREATS R13)") struct SessionChunkTests {
    @Test func chunksPassAsTheyAre() {
        let content = "a\r\n.\r\nMAIL FROM:<>\r\nb\n.\n"
        let cut = Octets(content)
        let wire = Octets("BDAT 10\r\n") + cut[..<10] + Octets("BDAT \(cut.count - 10) LAST\r\n") + cut[10...] + Octets("NOOP\r\n")
        everyDivision(wire) { pieces in
            let t = SessionTranscript().opened().mailBegun()
            for piece in pieces { t.clientOctets(piece) }
            #expect(t.sink.takeUpstreamOctets() == wire.dropLast(6))
            t.upstream("250 2.0.0 10 octets")
            t.upstream("250 2.0.0 Ok: queued as 4ABC")
            t.upstreamHears("NOOP")
            t.clientHears("250 2.0.0 10 octets", "250 2.0.0 Ok: queued as 4ABC")
            t.logs("relay: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=\(cut.count) reply=\"250 2.0.0 Ok: queued as 4ABC\"")
        }
    }

    @Test func chunksArePipelinedBehindTheirRecipients() {
        let t = SessionTranscript().opened()
        t.clientRaw("MAIL FROM:<bob@sender.example>\r\nRCPT TO:<ann@example.org>\r\nBDAT 3\r\nabcBDAT 3 LAST\r\ndef")
        t.upstreamHears("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.org>")
        t.upstream("250 1")
        t.upstreamHearsRaw("BDAT 3\r\nabcBDAT 3 LAST\r\ndef")
        t.upstream("250 2", "250 3", "250 4")
        t.clientHears("250 1", "250 2", "250 3", "250 4")
    }

    /// MAIL refused while its chunk already streams: the chunk's octets must still not be run as commands.
    @Test func chunkBehindARefusedMail() {
        let t = SessionTranscript().opened()
        t.clientRaw("MAIL FROM:<no@sender.example>\r\nRCPT TO:<ann@example.org>\r\nBDAT 14 LAST\r\nVRFY")
        t.upstream("550 5.7.1 no")
        t.clientRaw(" ann\r\nabcd")
        t.upstream("503 5.5.1 need MAIL")
        t.upstreamHears("MAIL FROM:<no@sender.example>", "RCPT TO:<ann@example.org>")
        t.clientHears("550 5.7.1 no", "503 5.5.1 need MAIL", "503 5.5.1 Error: need MAIL command")
        t.client("NOOP")
        t.upstreamHears("NOOP")
    }

    @Test(arguments: ["BDAT", "BDAT ", "BDAT x", "BDAT -1", "BDAT +1", "BDAT 0x10", "BDAT 5 LAST x", "BDAT 5 FIRST", "BDAT 99999999999999999999", "BDAT 18446744073709551617 LAST"])
    func badSizesEndTheSession(_ line: String) {
        let t = SessionTranscript().opened().mailBegun()
        t.client(line, "VRFY me")
        t.clientHears("521 5.5.4 Syntax: BDAT count [LAST]")
        t.upstreamHears()
        t.isOver()
    }

    @Test func badSizeWaitsForItsTurn() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<bob@sender.example>", "BDAT x")
        t.upstream("250 1")
        t.clientHears("250 1", "521 5.5.4 Syntax: BDAT count [LAST]")
    }

    @Test func refusedChunksAreSwallowed() {
        for (begin, reply) in [("", "503 5.5.1 Error: need MAIL command"), ("MAIL FROM:<bob@sender.example>\r\n", "503 5.5.1 Error: need RCPT command")] {
            everyDivision(Octets("BDAT 10\r\nVRFY a\r\n\r\nNOOP\r\n")) { pieces in
                let t = SessionTranscript().opened()
                if !begin.isEmpty { t.clientRaw(begin); t.upstream("250 1"); t.forgotten() }
                for piece in pieces { t.clientOctets(piece) }
                t.clientHears(reply)
                t.upstreamHears("NOOP")
            }
        }
    }

    @Test func chunksNotOffered() {
        let t = SessionTranscript().opened(keywords: "250-mx\r\n250 SIZE")
        t.mailBegun()
        t.clientRaw("BDAT 8 LAST\r\nVRFY a\r\nNOOP\r\n")
        t.clientHears("502 5.5.1 Error: command not implemented")
        t.upstreamHears("NOOP")
    }

    @Test func emptyRefusedChunkAndTooManyErrors() {
        let t = SessionTranscript { $0.limits.hardErrors = 2 }.opened()
        t.client("BDAT 0", "BDAT 0 LAST")
        t.clientHears("503 5.5.1 Error: need MAIL command", "503 5.5.1 Error: need MAIL command", "421 4.7.0 Error: too many errors")
        t.isOver()
    }

    @Test func nothingButBDATOrRSETMayFollow() {
        let t = SessionTranscript().opened().mailBegun()
        t.clientRaw("BDAT 3\r\nabc")
        t.upstream("250 3")
        t.forgotten()
        t.client("DATA", "MAIL FROM:<>", "RCPT TO:<eve@example.org>", "AUTH LOGIN")
        t.clientHears(
            "503 5.5.1 Error: only BDAT or RSET may follow BDAT", "503 5.5.1 Error: only BDAT or RSET may follow BDAT",
            "503 5.5.1 Error: only BDAT or RSET may follow BDAT", "503 5.5.1 Error: only BDAT or RSET may follow BDAT")
        t.upstreamHears()
        t.client("NOOP")
        t.upstream("250 Ok")
        t.client("RSET")
        t.upstream("250 reset")
        t.clientHears("250 Ok", "250 reset")
        t.upstreamHears("NOOP", "RSET")
        t.logs("cut: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=3")
        t.client("MAIL FROM:<c@sender.example>")
        t.upstreamHears("MAIL FROM:<c@sender.example>")
    }

    @Test func refusedChunkLeavesTheRestToUpstream() {
        let t = SessionTranscript().opened().mailBegun()
        t.clientRaw("BDAT 3\r\nabc")
        t.upstream("552 5.3.4 too large")
        t.clientHears("552 5.3.4 too large")
        t.clientRaw("BDAT 3 LAST\r\ndef")
        t.upstream("503 5.5.1 no")
        t.clientHears("503 5.5.1 no")
        t.upstreamHearsRaw("BDAT 3\r\nabcBDAT 3 LAST\r\ndef")
    }

    /// What is left of the chunk is content, not commands.
    @Test func earlyRefusalOfAChunk() {
        for last in ["", " LAST"] {
            let t = SessionTranscript().opened().mailBegun()
            t.clientRaw("BDAT 20\(last)\r\nabc")
            t.upstream("552 5.3.4 too large")
            t.clientHears()
            #expect(t.sink.hangUps == 1)
            t.forgotten()
            t.clientRaw("VRFY a\r\n1234567890NOOP\r\n")
            t.upstreamHears()
            t.clientHears("552 5.3.4 too large", "500 5.5.2 Error: command not recognized")
            t.goesOn()
        }
    }

    @Test func earlyAcceptanceOfAChunkIsALostConnection() {
        for last in ["", " LAST"] {
            let t = SessionTranscript().opened().mailBegun()
            t.clientRaw("BDAT 11\(last)\r\nabc")
            t.upstream("250 2.0.0 Ok")
            t.clientRaw("VRFY a\r\nNOOP\r\n")
            t.clientHears("451 4.3.0 Error: mail server connection lost, try again later", "250 2.0.0 Ok")
        }
    }

    @Test func lostInAChunk() {
        let t = SessionTranscript().opened().mailBegun()
        t.clientRaw("BDAT 11\r\nabc")
        t.forgotten()
        t.upstreamEnds()
        t.clientRaw("VRFY a\r\nBDAT 3 LAST\r\nabcNOOP\r\n")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later", "503 5.5.1 Error: need MAIL command", "250 2.0.0 Ok")
        t.logs("relay: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=3 reply=\"451 4.3.0 Error: mail server connection lost, try again later\"")
    }

    @Test func lostInAChunkOfAnAuthenticatedClient() {
        let t = SessionTranscript { $0.direction = .inbound }.opened().authenticated().mailBegun()
        t.clientRaw("BDAT 5\r\nabc")
        t.upstreamEnds()
        t.forgotten()
        t.clientRaw("de")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
        t.client("MAIL FROM:<bob@sender.example>")
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        #expect(t.sink.dials.count == 1)
        t.isOver()
    }

    /// The reply to an earlier command is missing: one 451 at the chunk's end would be taken for it.
    @Test func lostInAChunkBehindAnUnansweredOne() {
        let t = SessionTranscript().opened().mailBegun()
        t.clientRaw("BDAT 3\r\nabcBDAT 11\r\nabc")
        t.upstreamEnds()
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test func lostBetweenChunks() {
        let t = SessionTranscript().opened().mailBegun()
        t.clientRaw("BDAT 3\r\nabc")
        t.upstream("250 3")
        t.forgotten()
        t.upstreamEnds()
        t.clientRaw("BDAT 3 LAST\r\nabc")
        t.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        t.isOver()
    }

    @Test func cutChunks() {
        let within = SessionTranscript().opened().mailBegun()
        within.clientRaw("BDAT 9 LAST\r\nabc")
        within.clientEnds()
        within.isOver()
        within.logs("cut: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=3")
        #expect(within.sink.hasDroppedClient)

        let between = SessionTranscript().opened().mailBegun()
        between.clientRaw("BDAT 3\r\nabc")
        between.upstream("250 3")
        between.clientEnds()
        between.isOver()
        between.logs("cut: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size=3")

        let discarded = SessionTranscript().opened()
        discarded.clientRaw("BDAT 9 LAST\r\nabc")
        discarded.clientEnds()
        discarded.isOver()
    }

    @Test func slowUpstreamDoesNotCostTheClientItsTime() {
        let t = SessionTranscript().opened().mailBegun()
        for _ in 0..<4 {
            t.clientRaw("BDAT 3\r\nabc")
            t.after(200_000)
            t.upstream("250 3")
        }
        t.clientRaw("BDAT 3 LAST\r\na")
        t.after(1_000)
        t.goesOn()
    }

    @Test func upstreamThatTakesNoChunk() {
        let t = SessionTranscript().opened().mailBegun()
        t.clientRaw("BDAT 5 LAST\r\nabc")
        t.after(181_000, upstreamStalled: 181_000)
        t.clientRaw("de")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
    }
}
