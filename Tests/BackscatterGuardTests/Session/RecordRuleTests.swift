import Testing
@testable import BackscatterGuard

@Suite("Session: records = \"own\" (where forwarded mail of strangers leaves too)") struct RecordRuleTests {
    static let user = "Received: by mx.example.org (Postfix, from userid 1000)\r\n\tid 4ABC; Sun, 22 Nov 2026 03:00:00 +0000\r\n"
    static let login = "Received: from laptop (host.there.example [198.51.100.7])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\tby mx.example.org (Postfix) with ESMTPSA id 4ABC\r\n\tfor <x@y.example>; date\r\n"
    static let inside = "Received: from pc (pc.example.org [192.0.2.9])\r\n\tby mx.example.org (Postfix) with ESMTP id 4ABC; date\r\n"
    static let stranger = "Received: from evil (evil.example [203.0.113.6])\r\n\tby mx.example.org (Postfix) with ESMTP id 4ABC; date\r\n"
    static let requeued = "Received: by mx.example.org (Postfix)\r\n\tid 4DEF; date\r\nDelivered-To: ann@example.org\r\n"
    static let filter = "Received: from localhost (localhost [127.0.0.1])\r\n\tby mx.example.org (Postfix) with ESMTP id 4DEF; date\r\nReceived: from mx.example.org ([127.0.0.1])\r\n\tby localhost (mx.example.org [127.0.0.1]) (amavisd-new, port 10024)\r\n\twith ESMTP id x; date\r\n"
    static let web = "Received: from 203.0.113.6 by www.example.org with HTTP (HTTP/1.1 POST); date\r\n"

    static let began: [(String, Bool)] = [
        (user, true), (login, true), (inside, true), (stranger, false), ("", true),
        (requeued + stranger, false), (requeued + user, true), (requeued, false), (requeued + requeued + inside, true),
        (filter + stranger, false), (filter + login, true), (filter + user, true), (filter, true),
        (stranger + user, false), (stranger + login, false), (inside + stranger, true),
        ("Received: from localhost (localhost [127.0.0.1])\r\n\tby mx.example.org (Postfix) with ESMTP id 4; date\r\n" + web, true), (stranger + web, false), (inside + web, true),
        ("Received: from with (evil.example [203.0.113.6]) by mx.example.org with ESMTP id 4 for <\"with ESMTPSA\"@x>; date\r\n", false),
        ("Received: from by (evil.example [203.0.113.6]) by mx.example.org with ESMTP id 4; date with ESMTPSA\r\n", false),
        ("Received: from evil (with ESMTPSA [203.0.113.6]) by mx.example.org with ESMTP id 4; date\r\n", false),
        ("Received: from ann by mx.example.org with local (Exim 4.96) id 1x; date\r\n", true),
        ("Received: from [203.0.113.6] (helo=x)\r\n\tby mx.example.org with esmtpsa  (TLS1.3) (Exim 4.96) id 1x; date\r\n", true),
        ("Received: (from ann@localhost)\r\n\tby mx.example.org (8.17.1/8.17.1/Submit) id 6; date\r\n", true),
        ("Received: from evil by nowhere; date\r\n", false), ("Received: nonsense\r\n", false),
    ]

    @Test(arguments: began) func beganHere(_ head: String, _ expected: Bool) {
        let content = Octets((head + "Subject: x\r\n\r\nReceived: by body (Postfix, from userid 1)\r\n").utf8)
        everyDivision(content) { pieces in
            var reader = ReceivedReader()
            for piece in pieces { reader.read(piece.span) }
            let own = Network("192.0.2.0/24")
            #expect(ReceivedTrace.beganHere(reader.bodies) { own?.contains($0) == true } == expected, "\(head)")
        }
    }

    @Test func readerIsBounded() {
        var reader = ReceivedReader()
        for _ in 0..<100 { reader.read(Octets(("received : " + String(repeating: "x", count: 5_000) + "\r\n").utf8).span) }
        #expect(reader.bodies.count == ReceivedReader.kept && reader.bodies.allSatisfy { $0.count <= ReceivedReader.longest })
        var other = ReceivedReader()
        other.read(Octets("Receive: a\r\nReceivedx: b\r\nX-Received: c\r\n folded\r\nRECEIVED:d\r\n\te\r\n\r\nReceived: f\r\n".utf8).span)
        #expect(other.bodies == [Octets("d\te".utf8)])
    }

    private func send(_ head: String, from: String = "ann@example.org", rule: RecordRule = .own) -> SessionTranscript {
        let t = SessionTranscript {
            $0.direction = .outbound
            $0.records = rule
        }.opened().mailBegun(from: from, to: "eve@there.example")
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw(head + "Message-ID: <one@example.org>\r\n\r\nHello\r\n.\r\n")
        t.upstream("250 2.0.0 Ok: queued as 4ABCDEF")
        return t
    }

    @Test func ownMailIsRecordedAndForwardedMailIsNot() {
        #expect(send(Self.user).sink.records.count == 1)
        #expect(send(Self.stranger).sink.records.isEmpty)
        #expect(send(Self.stranger, rule: .all).sink.records.count == 1)
        #expect(send(Self.user, from: "someone@elsewhere.example").sink.records.isEmpty)
    }

    @Test func aStrangersMailGoesOnUnchanged() {
        let t = send(Self.requeued + Self.stranger)
        t.logs("send: client=192.0.2.7 from=<ann@example.org> to=<eve@there.example> size=\((Self.requeued + Self.stranger).utf8.count + 40) reply=\"250 2.0.0 Ok: queued as 4ABCDEF\"")
    }

    /// The MTA behind makes an id of its queue id: of a stranger's mail that is no id of ours.
    @Test func noQueueIDOfAStrangersMail() {
        let t = SessionTranscript {
            $0.direction = .outbound
            $0.records = .own
        }.opened().mailBegun(from: "ann@example.org", to: "eve@there.example")
        t.client("DATA")
        t.upstream("354 go on")
        t.clientRaw(Self.stranger + "Subject: x\r\n\r\nHello\r\n.\r\n")
        t.upstream("250 2.0.0 Ok: queued as 4ABCDEF")
        #expect(t.sink.records.isEmpty)
    }
}
