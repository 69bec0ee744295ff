import Testing
@testable import BackscatterGuard

@Suite("Session: ends of the client, and the log line (THREATS R9, R24)") struct SessionEndTests {
    // MARK: ends of the client

    @Test func cutContentHasNoEndUpstream() {
        for text in ["a\r\n", "a\r\n.", "a\r\n.\r"] {
            let t = SessionTranscript().opened().mailBegun()
            t.client("DATA")
            t.upstream("354 go on")
            t.forgotten()
            t.clientRaw(text)
            t.clientEnds()
            #expect(!t.sink.takeUpstreamText().contains(".\r\n"))
            #expect(t.sink.hasDroppedClient)
            t.isOver()
            let line = t.sink.takeEvents().first?.text ?? ""
            #expect(line.hasPrefix("S0000002a cut: client=192.0.2.7 from=<bob@sender.example> to=<ann@example.org> size="))
        }
    }

    @Test func halfCloseAfterTheEndIsAnswered() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<a@b.example>", "RCPT TO:<ann@example.org>", "DATA")
        t.upstream("250 1", "250 2", "354 3")
        t.client("x", ".", "QUIT")
        t.clientEnds()
        t.goesOn()
        t.upstream("250 4")
        t.upstream("221 5")
        t.clientHears("250 1", "250 2", "354 3", "250 4", "221 5")
        t.isOver()

        let silent = SessionTranscript().opened().mailBegun()
        silent.client("RCPT TO:<eve@example.org>")
        silent.clientEnds()
        silent.upstream("250 2.1.5 Ok")
        silent.clientHears("250 2.1.5 Ok")
        silent.isOver()
    }

    @Test func halfCloseBeforeContentOrChallenge() {
        let data = SessionTranscript().opened().mailBegun()
        data.client("DATA")
        data.clientEnds()
        data.upstream("354 go on")
        data.isOver()

        let auth = SessionTranscript().opened()
        auth.client("AUTH LOGIN")
        auth.clientEnds()
        auth.upstream("334 VXNlcm5hbWU6")
        auth.isOver()

        let challenged = SessionTranscript().opened()
        challenged.client("AUTH LOGIN")
        challenged.upstream("334 VXNlcm5hbWU6")
        challenged.clientEnds()
        challenged.isOver()
    }

    @Test func halfCloseWithHalfACommand() {
        let idle = SessionTranscript().opened()
        idle.clientRaw("NOO")
        idle.clientEnds()
        idle.isOver()

        let waiting = SessionTranscript().opened()
        waiting.clientRaw("MAIL FROM:<a@b.example>\r\nRCPT")
        waiting.clientEnds()
        waiting.upstream("250 2.1.0 Ok")
        waiting.clientHears("250 2.1.0 Ok")
        waiting.isOver()

        let long = SessionTranscript().opened()
        long.clientRaw(String(repeating: "x", count: 13_000))
        long.clientEnds()
        long.isOver()
    }

    @Test func halfCloseWhileDialling() {
        let t = SessionTranscript().forgotten()
        t.client("EHLO c.example")
        t.clientEnds()
        t.upstream("220 mx")
        t.upstream("250 mx")
        t.clientHears("250 guard.example.org")
        t.isOver()
    }

    @Test func clientFailsAnywhere() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw("b\r\n.\r\n")
        t.clientFails()
        #expect(t.sink.hasDroppedClient)
        t.isOver()
        t.clientRaw("more")
        t.upstreamEnds()
        t.after(1000)
    }

    @Test func calloutsAreLoggedToo() {
        let t = SessionTranscript().opened().bounceBegun()
        t.client("RSET")
        t.upstream("250 2.0.0 Ok")
        let events = t.sink.takeEvents()
        #expect(events.map(\.severity) == [.info])
        #expect(events.map(\.text) == ["S0000002a envelope: client=192.0.2.7 from=<> to=<ann@example.org> size=0"])
        t.client("QUIT")
        t.upstream("221 2.0.0 Bye")
        #expect(t.sink.takeEvents().isEmpty)
    }

    @Test func logLinesAreWashed() {
        let t = SessionTranscript().opened()
        t.client("MAIL FROM:<\u{FC}@sender.example>", "RCPT TO:<\"a\\\\b\"@example.org>", "DATA")
        t.upstream("250 1", "250 2", "354 3")
        t.client(".")
        t.upstream("250 ok \u{1B}[31m\\")
        t.logs("relay: client=192.0.2.7 from=<\\xc3\\xbc@sender.example> to=<\"a\\x5c\\x5cb\"@example.org> size=0 reply=\"250 ok \\x1b[31m\\x5c\"")
    }
}
