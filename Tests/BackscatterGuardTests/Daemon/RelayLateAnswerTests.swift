// A shared sent log answers when it can. By then the notification may have been given up, the client gone, or another
// answer given: a late word must decide nothing. A whole worker on the test's own loop, over loopback.

import Testing
@testable import BackscatterGuard

@Suite("Relay: answers of the sent log that come too late") struct RelayLateAnswerTests {
    private static let envelope = "MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\n"
    private static let accepted = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"

    private static func bounce(of id: String) -> String {
        """
        From: MAILER-DAEMON@there.example\r
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
        \r
        --b\r
        Content-Type: message/delivery-status\r
        \r
        Final-Recipient: rfc822; eve@there.example\r
        Action: failed\r
        \r
        --b\r
        Content-Type: message/rfc822\r
        \r
        Message-ID: <\(id)>\r
        \r
        text\r
        --b--\r

        """
    }

    @Test func ofANotificationThatWasGivenUp() throws {
        let stage = try LateStage()
        let client = try stage.client()
        let (first, second) = (Self.bounce(of: "known@example.org"), Self.bounce(of: "never@example.org"))
        client.say(Self.envelope + "BDAT \(first.utf8.count)\r\n" + first)
        stage.run(until: { stage.log.questions.count == 1 && client.replies.count == 3 })
        client.say("RSET\r\n" + Self.envelope + "BDAT \(second.utf8.count) LAST\r\n" + second)
        stage.run(until: { stage.log.questions.count == 2 && client.replies.count == 6 })
        // The first mail's id was sent: that says nothing of the second's.
        stage.log.answer(0, isKnown: true)
        #expect(stage.log.questions.count == 2 && client.replies.count == 6)
        stage.log.answer(1, isKnown: false)
        stage.run(until: { client.replies.count == 7 })
        #expect(client.replies.last?.hasPrefix("550 5.7.1 ") == true, "\(client.replies)")
        client.close()
    }

    @Test func ofAClientThatIsGone() throws {
        let stage = try LateStage()
        let client = try stage.client()
        let content = Self.bounce(of: "known@example.org")
        client.say(Self.envelope + "BDAT \(content.utf8.count)\r\n" + content)
        stage.run(until: { stage.log.questions.count == 1 && client.replies.count == 3 })
        client.cut()
        stage.run(until: { stage.worker.counters.open(.smtp) == 0 })
        stage.log.answer(0, isKnown: true)
        // The worker serves on.
        let next = try stage.client()
        next.say("NOOP\r\n")
        stage.run(until: { next.replies.count == 1 })
        #expect(next.replies == ["250 2.0.0 Ok"] && stage.sink.mailbox.messages.isEmpty)
        next.close()
    }

    @Test func afterTheLogWasSaidToBeSilent() throws {
        let stage = try LateStage()
        let client = try stage.client()
        let content = Self.bounce(of: "known@example.org")
        client.say(Self.envelope + "BDAT \(content.utf8.count) LAST\r\n" + content)
        stage.run(until: { stage.log.questions.count == 1 })
        stage.log.fallSilent(0)
        stage.run(until: { client.replies.count == 3 })
        #expect(client.replies.last?.hasPrefix("451 4.7.1 ") == true, "\(client.replies)")
        // What a desk must not do, and what would be no harm if it did.
        stage.log.answer(0, isKnown: true)
        client.say("NOOP\r\n")
        stage.run(until: { client.replies.count == 4 })
        #expect(client.replies.last == "250 2.0.0 Ok" && stage.sink.mailbox.messages.isEmpty)
        client.close()
    }
}

extension LateStage {
    /// One that has said EHLO and heard the answer.
    fileprivate func client() throws -> LateClient {
        let client = LateClient(try connect())
        client.say("EHLO client.example\r\n")
        run(until: { client.replies.count == 2 })
        client.forget()
        return client
    }
}

private final class LateClient {
    let socket: HearingSocket

    init(_ socket: HearingSocket) { self.socket = socket }

    func say(_ text: String) { socket.send(Octets(text.utf8).span) }
    func forget() { socket.heard = [] }
    func close() { socket.close() }
    func cut() { socket.cut() }

    /// The last line of each whole reply.
    var replies: [String] {
        socket.text.split(separator: "\r\n").map(String.init).filter { $0.dropFirst(3).first == " " }
    }
}
