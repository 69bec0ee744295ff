import Testing
@testable import BackscatterGuard

@Suite("Milter session: outgoing mail is durable before its end is answered") struct MilterRecordTests {
    static func id(_ text: String) -> [MessageID] { [MessageID(Octets(text))].compactMap(\.self) }

    @Test func recordedWithSenderAndRecipients() {
        let octets = MTA.header("Subject", " x") + MTA.header("message-id", " <one@example.org>") + MTA.body("Hello\r\n") + MTA.end()
        everyDivision(octets) { pieces in
            let t = MilterTranscript().outgoing()
            t.recordsByHand = true
            t.pieces(pieces)
            #expect(t.records == [SentEntry(
                ids: Self.id("one@example.org"), reversePath: Octets("ann@example.org"), forwardPaths: [Octets("eve@there.example"), Octets("joe@there.example")], keepsPairs: false)])
            t.hears("s")
            t.recorded(true)
            t.hears("a")
            t.logs("send: client=192.0.2.200 from=<ann@example.org> to=<eve@there.example> to=<joe@there.example> msgid=<one@example.org> queue_id=4TESTQUEUEID reply=\"accept\"")
        }
    }

    @Test func theRecordIsUnderWayWhenTheEndComes() {
        let t = MilterTranscript().outgoing()
        t.recordsByHand = true
        t.says(MTA.header("Message-ID", " <one@example.org>"), MTA.body("x\r\n"))
        #expect(t.records.count == 1)
        t.recorded(true)
        t.says(MTA.end())
        t.hears("s", "a")
    }

    @Test func bodyInThePacketOfTheEnd() {
        let t = MilterTranscript().outgoing()
        t.says(MTA.header("Message-ID", " <one@example.org>"), MTA.end("Hello\r\n"))
        t.hears("a")
        t.logs("send: client=192.0.2.200 from=<ann@example.org> to=<eve@there.example> to=<joe@there.example> msgid=<one@example.org> size=40 queue_id=4TESTQUEUEID reply=\"accept\"")
    }

    @Test func withoutSkipEveryChunkIsAnswered() {
        let t = MilterTranscript().connected("192.0.2.200", offer: MTA.offer(steps: 0x1FFFFF & ~0x400))
        t.says(MTA.mail("<ann@example.org>"), MTA.rcpt("<eve@there.example>"), MTA.header("Message-ID", " <one@example.org>"), MTA.body("x"), MTA.body("y"), MTA.end())
        t.hears("c", "c", "c", "c", "a")
    }

    @Test(arguments: [
        ([("Message-ID", "<a@x>"), ("Message-Id", "<b@x>")], ["a@x", "b@x"]), ([("Resent-Message-ID", "<r@x>"), ("Message-ID", "<a@x>")], ["a@x", "r@x"]),
        ([("Message-ID", "\n <folded@x>")], ["folded@x"]), ([("Message-ID", "<one@\n\t x>")], ["one@x"]), ([("X-Message-ID", "<a@x>")], []), ([("Message-ID", "")], []),
        ([("Subject", "x\nMessage-ID: <a@x>\n\nMessage-ID: <b@x>")], []),
    ] as [([(String, String)], [String])])
    func whichIDs(_ fields: [(String, String)], _ ids: [String]) {
        let t = MilterTranscript().outgoing()
        for (name, body) in fields { t.says(MTA.header(name, body)) }
        t.says(MTA.body("Message-ID: <body@x>\r\n"), MTA.end())
        #expect(t.records.map { $0.ids.map(\.octets) } == [ids.map { Octets($0) }])
    }

    @Test func aMailWithoutIDIsKnownByItsQueueIDAndPairs() {
        let t = MilterTranscript().outgoing()
        t.says(MTA.header("Subject", "x"), MTA.body("x\r\n"))
        #expect(t.records.isEmpty)
        t.says(MTA.end())
        #expect(t.records == [SentEntry(
            ids: [], queueID: Octets("4TESTQUEUEID"), reversePath: Octets("ann@example.org"), forwardPaths: [Octets("eve@there.example"), Octets("joe@there.example")])])
        t.hears("s", "a")
    }

    @Test func localMailHasItsQueueIDFromMAILOn() {
        let t = MilterTranscript().connected("127.0.0.1", port: 0)
        t.says(MTA.macros("M", [("i", "4LOCAL")]), MTA.mail("ann@example.org"), MTA.rcpt("eve@there.example"), MTA.end(queueID: nil))
        #expect(t.records.map(\.queueID) == [Octets("4LOCAL")])
        #expect(t.records.map(\.reversePath) == [Octets("ann@example.org")] && t.records.map(\.forwardPaths) == [[Octets("eve@there.example")]])
    }

    @Test(arguments: [(PairRecording.withoutID, false), (.always, true)]) func pairs(_ setting: PairRecording, _ keeps: Bool) {
        let t = MilterTranscript { $0.recordPairs = setting }.outgoing()
        t.says(MTA.header("Message-ID", "<one@x>"), MTA.end())
        #expect(t.records.map(\.keepsPairs) == [keeps])
    }

    @Test func recipientsThatTheMTARefusesDoNotCount() {
        let t = MilterTranscript().connected("192.0.2.200")
        t.says(
            MTA.mail("<ann@example.org>"), MTA.macros("R", [("{rcpt_mailer}", "error")]), MTA.rcpt("<no@there.example>"), MTA.rcpt("<eve@there.example>"),
            MTA.header("Message-ID", "<one@x>"), MTA.end())
        #expect(t.records.map(\.forwardPaths) == [[Octets("eve@there.example")]])
    }

    @Test func manyRecipientsAreRecordedInParts() {
        let t = MilterTranscript().connected("192.0.2.200")
        t.recordsByHand = true
        t.says(MTA.mail("<ann@example.org>"))
        for number in 0..<5_000 { t.says(MTA.rcpt("<r\(number)@there.example>")) }
        t.says(MTA.header("Message-ID", "<one@x>"), MTA.end())
        #expect(Set(t.takeAnswers()) == ["c"])
        #expect(t.records.count == 2 && t.records.map(\.ids.count) == [0, 1] && t.records.first?.keepsPairs == true)
        #expect(t.records.flatMap(\.forwardPaths) == (0..<5_000).map { Octets("r\($0)@there.example") })
        t.recorded(true)
        t.hears()
        t.recorded(true)
        t.hears("a")
    }

    // MARK: THREATS section 4

    @Test func aRecordThatFailsLetsNothingLeave() {
        let t = MilterTranscript().outgoing()
        t.recordsAreDurable = false
        t.says(MTA.header("Message-ID", "<one@x>"), MTA.end())
        t.hears("y451 4.3.0 Error: the record of sent mail can't be written, try again later")
        t.logs(
            "record: sent mail could not be recorded, client got a temporary failure",
            "send: client=192.0.2.200 from=<ann@example.org> to=<eve@there.example> to=<joe@there.example> msgid=<one@x> size=20 queue_id=4TESTQUEUEID reply=\"451 4.3.0 Error: the record of sent mail can't be written, try again later\"")
    }

    @Test func orPassesAndOpensAHole() {
        let t = MilterTranscript { $0.recordFailure = .pass }.outgoing()
        t.recordsAreDurable = false
        t.says(MTA.header("Message-ID", "<one@x>"), MTA.end(queueID: nil))
        t.hears("a")
        t.logs(
            "record: sent mail could not be recorded, passed on all the same (record_failure = \"pass\")",
            "send: client=192.0.2.200 from=<ann@example.org> to=<eve@there.example> to=<joe@there.example> msgid=<one@x> size=20 reply=\"accept\"")
    }

    @Test func oneOfSeveralRecordsThatFailsIsEnough() {
        let t = MilterTranscript().connected("192.0.2.200")
        t.recordsByHand = true
        t.says(MTA.mail("<ann@example.org>"))
        for number in 0..<5_000 { t.says(MTA.rcpt("<r\(number)@there.example>")) }
        t.recorded(false)
        t.says(MTA.header("Message-ID", "<one@x>"), MTA.end())
        _ = t.takeAnswers()
        t.recorded(true)
        #expect(t.takeAnswers().first?.hasPrefix("y451") == true)
    }

    @Test func theRecordOfAMailThatWasGivenUpSaysNothingAboutTheNext() {
        let t = MilterTranscript().outgoing()
        t.recordsByHand = true
        t.says(MTA.header("Message-ID", "<one@x>"), MTA.body("x"), MTA.abort)
        t.says(MTA.mail("<ann@example.org>"), MTA.rcpt("<eve@there.example>"), MTA.header("Message-ID", "<two@x>"), MTA.end())
        _ = t.takeAnswers()
        t.recorded(false)
        t.hears()
        t.recorded(true)
        t.hears("a")
    }

    @Test func aSlowRecordIsAnnouncedAndAtLastGivenUp() {
        let t = MilterTranscript().outgoing()
        t.recordsByHand = true
        t.says(MTA.header("Message-ID", "<one@x>"), MTA.end(), MTA.mail("<more@example.org>"))
        t.hears()
        t.after(10_000)
        t.hears("p")
        t.after(1_000)
        t.hears()
        t.after(289_000)
        t.hears("p")
        t.after(1_000)
        t.hears("t")
        #expect(t.isClosed)
    }
}
