import Testing
@testable import BackscatterGuard

@Suite("Session: outgoing mail is recorded before its end goes on (DESIGN.md, THREATS section 4)") struct SessionRecordTests {
    static let mail = "Message-ID: <one@example.org>\r\nSubject: x\r\n\r\nHello\r\n"

    private func outgoing(_ change: (inout SessionTranscript.Setup) -> Void = { _ in }) -> SessionTranscript {
        let t = SessionTranscript { $0.isOutgoingClient = true; change(&$0) }.opened()
        t.recordsByHand = true
        return t.mailBegun(from: "ann@example.org", to: "eve@there.example", "joe@there.example")
    }

    private func begunData(_ t: SessionTranscript) -> SessionTranscript {
        t.client("DATA")
        t.upstream("354 go on")
        return t.forgotten()
    }

    @Test func endWaitsForTheRecord() {
        everyDivision(Octets(Self.mail + ".\r\n")) { pieces in
            let t = begunData(outgoing())
            for piece in pieces { t.clientOctets(piece) }
            let entry = SentEntry(
                ids: [MessageID(Octets("one@example.org"))].compactMap(\.self), reversePath: Octets("ann@example.org"),
                forwardPaths: [Octets("eve@there.example"), Octets("joe@there.example")], keepsPairs: false)
            #expect(t.sink.records == [entry])
            var heard = t.sink.takeUpstreamText()
            #expect(heard == Self.mail || heard == Self.mail + ".")
            t.recorded(true)
            heard += t.sink.takeUpstreamText()
            #expect(heard == Self.mail + ".\r\n")
            t.upstream("250 2.0.0 Ok: queued as 4ABCDEF")
            t.clientHears("250 2.0.0 Ok: queued as 4ABCDEF")
            #expect(t.sink.records.count == 1)
            t.logs("send: client=192.0.2.7 from=<ann@example.org> to=<eve@there.example> to=<joe@there.example> size=\(Self.mail.utf8.count) reply=\"250 2.0.0 Ok: queued as 4ABCDEF\"")
        }
    }

    @Test(arguments: [(PairRecording.withoutID, true, false), (.withoutID, false, true), (.always, true, true), (.always, false, true)])
    func pairsAreKeptOfMailWithoutIDOrOfAll(_ setting: PairRecording, hasID: Bool, keeps: Bool) {
        let t = begunData(outgoing { $0.recordPairs = setting })
        t.clientRaw(hasID ? Self.mail : "Subject: x\r\n\r\nHello\r\n")
        #expect(t.sink.records.map(\.keepsPairs) == [keeps])
        #expect(t.sink.records.map(\.forwardPaths.count) == [2])
    }

    @Test func recordDurableBeforeTheEndCostsNoWait() {
        let t = begunData(outgoing())
        t.clientRaw(Self.mail)
        t.recorded(true)
        t.upstreamHearsRaw(Self.mail)
        t.clientRaw(".\r\n")
        t.upstreamHearsRaw(".\r\n")
    }

    @Test func failedRecordLetsNothingLeave() {
        let t = begunData(outgoing())
        t.clientRaw(Self.mail + ".\r\nNOOP\r\n")
        t.recorded(false)
        t.upstreamHearsRaw(Self.mail)
        #expect(t.sink.hangUps == 1)
        t.clientHears("451 4.3.0 Error: the record of sent mail can't be written, try again later", "250 2.0.0 Ok")
        t.logs(
            "record: sent mail could not be recorded, client got a temporary failure",
            "send: client=192.0.2.7 from=<ann@example.org> to=<eve@there.example> to=<joe@there.example> size=\(Self.mail.utf8.count) reply=\"451 4.3.0 Error: the record of sent mail can't be written, try again later\"")
    }

    @Test func failedRecordOfAnAuthenticatedClientEndsTheSession() {
        let t = SessionTranscript().opened().authenticated()
        t.recordsByHand = true
        t.mailBegun(from: "ann@example.org", to: "eve@there.example")
        _ = begunData(t)
        t.clientRaw(Self.mail + ".\r\n")
        t.recorded(false)
        t.clientHears("421 4.3.0 Error: the record of sent mail can't be written, try again later")
        t.isOver()
    }

    @Test func failedRecordMayPass() {
        let t = begunData(outgoing { $0.recordFailure = .pass })
        t.clientRaw(Self.mail + ".\r\n")
        t.recorded(false)
        t.upstreamHearsRaw(Self.mail + ".\r\n")
        t.logs("record: sent mail could not be recorded, passed on all the same (record_failure = \"pass\")")
    }

    @Test func queueIDOfMailWithoutMessageID() {
        let t = begunData(outgoing())
        t.clientRaw("Subject: x\r\n\r\nHello\r\n.\r\n")
        t.recorded(true)
        t.upstream("250 2.0.0 Ok: queued as 4ABCDEF")
        #expect(t.sink.records.count == 2)
        #expect(t.sink.records.last == SentEntry(ids: [], queueID: Octets("4ABCDEF"), reversePath: Octets("ann@example.org")))
        #expect(t.sink.recordsAwaited == 0)
    }

    @Test(arguments: [
        ("250 2.0.0 Ok: queued as 4bXyZ12345z1\r\n", "4bXyZ12345z1"), ("250 OK id=1tXyZa-0005wW-1W\r\n", "1tXyZa-0005wW-1W"),
        ("250 2.0.0 41QCRjx8012345 Message accepted for delivery\r\n", "41QCRjx8012345"), ("250 ok 1700000000 qp 123\r\n", nil),
        ("250 queued as <b@d>\r\n", nil), ("250 queued as\r\n", nil), ("250 Message accepted\r\n", nil), ("250\r\n", nil), ("250 id=abc\r\n", nil),
    ] as [(String, String?)]) func queueIDsInReplies(_ reply: String, _ id: String?) {
        #expect(ReplyText.queueID(in: Octets(reply)) == id.map { Octets($0) })
    }

    @Test func headerWithoutEndIsRecordedToo() {
        let t = begunData(outgoing())
        t.clientRaw("Message-ID: <one@example.org>\r\n.\r\n")
        #expect(t.sink.records.first?.ids.first?.octets == Octets("one@example.org"))
    }

    @Test func headerLargerThanTheLimit() {
        let header = "X: " + String(repeating: "x", count: 103_000) + "\r\n"
        let t = begunData(outgoing())
        t.clientRaw(header + ".\r\n")
        t.clientHears("451 4.3.0 Error: header section too large to find the Message-ID")
        #expect(t.sink.hangUps == 1 && t.sink.records.isEmpty)

        let passes = begunData(outgoing { $0.recordFailure = .pass })
        passes.clientRaw(header + ".\r\n")
        passes.upstreamHearsRaw(header + ".\r\n")
    }

    @Test func bouncesThatLeaveAreNotRecorded() {
        let t = SessionTranscript { $0.isOutgoingClient = true }.opened().mailBegun(from: "", to: "eve@there.example")
        _ = begunData(t)
        t.clientRaw(Self.mail + ".\r\n")
        t.upstreamHearsRaw(Self.mail + ".\r\n")
        #expect(t.sink.records.isEmpty)
    }

    @Test func refusedRecipientsAreNotRecorded() {
        let t = SessionTranscript { $0.direction = .outbound }.opened()
        t.client("MAIL FROM:<ann@example.org>", "RCPT TO:<no@there.example>", "RCPT TO:<eve@there.example>", "DATA")
        t.upstream("250 1", "550 2", "250 3", "354 4")
        t.clientRaw(Self.mail)
        #expect(t.sink.records.first?.forwardPaths == [Octets("eve@there.example")])
    }

    @Test func directions() {
        func records(_ change: (inout SessionTranscript.Setup) -> Void, authenticates: Bool = false) -> Int {
            var t = SessionTranscript(change).opened()
            if authenticates { t = t.authenticated() }
            _ = begunData(t.mailBegun(from: "ann@example.org", to: "eve@there.example"))
            t.clientRaw(Self.mail + ".\r\n")
            return t.sink.records.count
        }
        #expect(records { $0.direction = .outbound } == 1)
        #expect(records { $0.direction = .auto } == 0)
        #expect(records({ $0.direction = .auto }, authenticates: true) == 1)
        #expect(records({ $0.direction = .inbound }, authenticates: true) == 0)
        #expect(records { $0.direction = .outbound; $0.isExempt = true } == 0)
        #expect(records { $0.direction = .inbound; $0.isOutgoingClient = true } == 0)
    }

    /// The word on the record of a mail that was given up must not be taken for that of the next one.
    @Test func lateWordOnAnotherMailsRecord() {
        let t = begunData(outgoing())
        t.clientRaw(Self.mail)
        t.upstreamEnds()
        t.clientRaw(".\r\n")
        t.client("MAIL FROM:<ann@example.org>")
        t.upstream("220 mx")
        t.upstream(SessionTranscript.keywords)
        t.upstream("250 2.1.0 Ok")
        t.client("RCPT TO:<eve@there.example>")
        t.upstream("250 2.1.5 Ok")
        _ = begunData(t)
        t.clientRaw("Message-ID: <two@example.org>\r\n\r\n.\r\n")
        #expect(t.sink.records.count == 2)
        t.recorded(true)
        t.upstreamHearsRaw("Message-ID: <two@example.org>\r\n\r\n")
        t.recorded(true)
        t.upstreamHearsRaw(".\r\n")
    }

    @Test func lostOrRefusedWhileTheRecordIsAwaited() {
        let lost = begunData(outgoing())
        lost.clientRaw(Self.mail + ".\r\n")
        lost.upstreamEnds()
        lost.clientHears("421 4.3.0 Error: mail server connection lost, try again later")
        lost.isOver()
        lost.recorded(true)

        let refused = begunData(outgoing())
        refused.clientRaw(Self.mail + ".\r\n")
        refused.upstream("452 4.3.1 disk full")
        refused.clientHears("452 4.3.1 disk full")
        refused.recorded(true)
        refused.goesOn()
    }

    // MARK: BDAT

    @Test func lastChunkIsWithheldUntilTheRecordIsDurable() {
        let t = outgoing()
        t.clientRaw("BDAT \(Self.mail.utf8.count) LAST\r\n" + Self.mail)
        t.upstreamHearsRaw("BDAT \(Self.mail.utf8.count)\r\n" + Self.mail)
        t.upstream("250 2.0.0 chunk")
        t.clientHears()
        t.recorded(true)
        t.upstreamHears("BDAT 0 LAST")
        t.upstream("250 2.0.0 Ok: queued as 4ABC")
        t.clientHears("250 2.0.0 Ok: queued as 4ABC")
        #expect(t.sink.takeEvents().first?.text.contains("send: ") == true)
    }

    @Test func lastChunkIsNotWithheldWhenTheRecordIsDurable() {
        let t = outgoing()
        t.clientRaw("BDAT \(Self.mail.utf8.count)\r\n" + Self.mail)
        t.recorded(true)
        t.upstream("250 2.0.0 chunk")
        t.clientRaw("BDAT 2 LAST\r\nx\n")
        t.upstreamHearsRaw("BDAT \(Self.mail.utf8.count)\r\n" + Self.mail + "BDAT 2 LAST\r\nx\n")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 chunk", "250 2.0.0 Ok")
    }

    /// Postfix answers 551 to `BDAT 0` without LAST.
    @Test func emptyLastChunkIsNeverSentAsOneThatIsNotTheLast() {
        let t = outgoing()
        t.clientRaw("BDAT \(Self.mail.utf8.count)\r\n" + Self.mail)
        t.upstream("250 2.0.0 chunk")
        t.forgotten()
        t.clientRaw("BDAT 0 LAST\r\n")
        t.upstreamHears()
        t.recorded(true)
        t.upstreamHears("BDAT 0 LAST")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok")
    }

    @Test func failedRecordOfChunksIsReset() {
        for authenticates in [false, true] {
            var t = SessionTranscript { $0.direction = .outbound }.opened()
            if authenticates { t = t.authenticated() }
            t.recordsByHand = true
            t.mailBegun(from: "ann@example.org", to: "eve@there.example")
            t.clientRaw("BDAT \(Self.mail.utf8.count) LAST\r\n" + Self.mail)
            t.forgotten()
            t.recorded(false)
            t.clientHears("451 4.3.0 Error: the record of sent mail can't be written, try again later")
            t.client("MAIL FROM:<ann@example.org>")
            t.upstreamHears()
            t.upstream("250 2.0.0 chunk")
            t.upstreamHears("RSET", "MAIL FROM:<ann@example.org>")
            t.upstream("250 2.0.0 reset")
            t.clientHears()
        }
    }

    /// The 451 must not be taken for the answer to an earlier chunk, whose own 250 would then accept the mail (RFC 2920 §3.1).
    @Test func failedRecordWaitsForTheRepliesToEarlierChunks() {
        for last in ["BDAT 2 LAST\r\nx\n", "BDAT 0 LAST\r\n"] {
            let t = outgoing()
            t.clientRaw("BDAT \(Self.mail.utf8.count)\r\n" + Self.mail + last)
            t.recorded(false)
            t.clientHears()
            t.upstream("250 2.0.0 chunk")
            t.clientHears("250 2.0.0 chunk", "451 4.3.0 Error: the record of sent mail can't be written, try again later")
            t.goesOn()
        }
    }

    @Test func refusedWithheldChunk() {
        let t = outgoing()
        t.clientRaw("BDAT \(Self.mail.utf8.count) LAST\r\n" + Self.mail)
        t.forgotten()
        t.upstream("552 5.3.4 too large")
        t.clientHears("552 5.3.4 too large")
        t.recorded(true)
        t.nobodyHears()
        t.goesOn()
    }
}
