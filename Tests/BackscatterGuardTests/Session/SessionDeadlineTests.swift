import Testing
@testable import BackscatterGuard

@Suite("Session: deadlines and stopping (RFC 5321 §4.5.3.2, THREATS R21)") struct SessionDeadlineTests {
    @Test func silentClient() {
        let t = SessionTranscript().opened()
        t.after(299_000)
        t.goesOn()
        t.after(2_000)
        t.clientHears("421 4.4.2 Error: timeout exceeded")
        t.logs("client: timed out")
        t.isOver()
    }

    @Test func tricklingCommandDies() {
        let t = SessionTranscript().opened()
        for octet in Octets(String(repeating: "x", count: 40)) where !t.sink.isOver {
            t.clientOctets([octet])
            t.after(10_000)
        }
        t.clientHears("421 4.4.2 Error: timeout exceeded")
        t.isOver()
    }

    @Test func clientThatSaysNothingAtAll() {
        let t = SessionTranscript().forgotten()
        t.after(301_000)
        t.clientHears("421 4.4.2 Error: timeout exceeded")
        t.isOver()
    }

    @Test func stressShortensTheWait() {
        let t = SessionTranscript().opened()
        t.after(9_000, commandLimit: 10_000)
        t.goesOn()
        t.after(2_000, commandLimit: 10_000)
        t.clientHears("421 4.4.2 Error: timeout exceeded")
        t.isOver()
    }

    @Test func slowLargeContentLivesAndTricklingDies() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.forgotten()
        let block = String(repeating: "x", count: 9_998) + "\r\n"
        for _ in 0..<40 {
            t.clientRaw(block)
            t.after(20_000)
        }
        t.goesOn()
        for _ in 0..<400 where !t.sink.isOver {
            t.clientRaw("x")
            t.after(1_000)
        }
        t.isOver()
        #expect(t.sink.takeClientText() == "421 4.4.2 Error: timeout exceeded\r\n")
        #expect(!t.sink.takeUpstreamText().contains("\r\n.\r\n"))
    }

    @Test func timeTheUpstreamTakesIsNotTheClients() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw("x\r\n")
        t.after(170_000, upstreamStalled: 170_000)
        t.session.upstreamPaused(for: 170_000)
        t.clientRaw("x\r\n")
        t.after(299_000)
        t.goesOn()
        t.after(3_000)
        t.isOver()
    }

    @Test func upstreamThatTakesNoContent() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw("x\r\n")
        t.forgotten()
        t.after(181_000, upstreamStalled: 181_000)
        t.logs("upstream: timed out")
        t.clientRaw("y\r\n.\r\n")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later")
    }

    @Test func upstreamThatDoesNotAnswer() {
        for (command, limit) in [("EHLO x", 300_000), ("MAIL FROM:<a@b.example>", 300_000), ("QUIT", 300_000)] {
            let t = SessionTranscript().opened()
            t.client(command)
            t.after(Int64(limit) - 1_000)
            t.goesOn()
            t.after(2_000)
            t.clientHears("421 4.4.2 Error: mail server timed out, try again later")
            let envelope = "envelope: client=192.0.2.7 from=<a@b.example> size=0 reply=\"421 4.4.2 Error: mail server timed out, try again later\""
            if command.hasPrefix("MAIL") { t.logs("upstream: timed out", envelope) } else { t.logs("upstream: timed out") }
            t.isOver()
        }
        let data = SessionTranscript().opened().mailBegun()
        data.client("DATA")
        data.after(121_000)
        data.clientHears("421 4.4.2 Error: mail server timed out, try again later")
        data.isOver()
        let end = SessionTranscript().opened().mailBegun()
        end.client("DATA")
        end.upstream("354 x")
        end.clientRaw(".\r\n")
        end.forgotten()
        end.after(599_000)
        end.goesOn()
        end.after(2_000)
        end.clientHears("421 4.4.2 Error: mail server timed out, try again later")
        end.isOver()
    }

    @Test func upstreamThatDoesNotGreet() {
        let t = SessionTranscript { $0.upstreams = 2 }.forgotten()
        t.client("EHLO x")
        t.after(301_000)
        #expect(t.sink.dials == ["first", "next"])
        t.upstream("220 mx")
        t.upstreamHears("EHLO x")
    }

    @Test func upstreamThatDoesNotIdentify() {
        let t = SessionTranscript { $0.identity = .xclient }.forgotten()
        t.client("EHLO x")
        t.upstream("220 mx")
        t.after(301_000)
        #expect(t.sink.takeClientText().hasPrefix("421 4."))
        t.isOver()
    }

    // MARK: stopping

    @Test func stopEndsIdleSessions() {
        let t = SessionTranscript().opened()
        t.stop()
        t.clientHears("421 4.3.2 Service shutting down, try again later")
        t.isOver()
    }

    @Test func stopLetsATransactionEnd() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.forgotten()
        t.stop()
        t.clientRaw("x\r\n.\r\nMAIL FROM:<>\r\n")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok", "421 4.3.2 Service shutting down, try again later")
        t.isOver()
    }

    @Test func stopAfterATransactionThatEndsHere() {
        let t = SessionTranscript().opened().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.forgotten()
        t.upstreamEnds()
        t.stop()
        t.clientRaw("x\r\n.\r\n")
        t.clientHears("451 4.3.0 Error: mail server connection lost, try again later", "421 4.3.2 Service shutting down, try again later")
        t.isOver()
    }

    @Test func stopWhileDialling() {
        let t = SessionTranscript().forgotten()
        t.client("EHLO x")
        t.stop()
        t.goesOn()
        t.upstream("220 mx")
        t.upstream("250 mx")
        t.clientHears("250 guard.example.org", "421 4.3.2 Service shutting down, try again later")
        t.isOver()
    }

    @Test func stopTwice() {
        let t = SessionTranscript().opened()
        t.stop()
        t.stop()
        t.after(1_000_000)
        t.isOver()
    }
}
