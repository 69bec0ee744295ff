import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Telemetry: events of judged notifications") struct VerdictEventTests {
    private func summary(_ octets: Octets, _ judgement: Judgement?) -> TransactionSummary {
        var evidence = Evidence()
        evidence.kind = .bounce
        return TransactionSummary(
            session: 0x2A, client: PeerAddress("2001:db8::7", port: 25) ?? .unixSocket, reversePath: octets, forwardPaths: [Octets("ann@example.org"), octets],
            recipientCount: 12, isOutgoing: false, hasContent: true, size: 7, judgement: judgement, evidence: evidence, queueID: nil, reply: octets)
    }

    @Test func whatIsNotJudgedIsNoEvent() {
        #expect(VerdictEvent(summary([], nil), at: 0) == nil)
    }

    @Test func aLineHasTheKeysInOrder() throws {
        let judgement = Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true, decidingID: MessageID(Octets("a@b")))
        var event = try #require(VerdictEvent(summary([], judgement), at: 1_795_324_980))
        event.recipients = ["ann@example.org"]
        event.reply = "250 2.0.0 Ok"
        #expect(String(decoding: event.json, as: UTF8.self) == """
            {"time":"2026-11-22T05:23:00Z","session":"S0000002a","verdict":"deliver","reason":"not_covered","would":"refuse","client":"2001:db8::7",\
            "from":"","to":["ann@example.org"],"nrcpt":12,"msgid":"a@b","kind":"bounce","size":7,"reply":"250 2.0.0 Ok"}
            """)
        #expect(event.isBackscatter && event.count == 1)
    }

    @Test func repeatsAreTold() {
        let event = VerdictEvent(RepeatFolding<VerdictEvent.Key>.Repeats(
            key: .init(verdict: .refuse, reason: .neverSent, wouldRefuse: false, victim: "ann@example.org"), first: 0, last: 59, count: 9, clients: 3, recipients: 18))
        #expect(String(decoding: event.json, as: UTF8.self) == """
            {"time":"1970-01-01T00:00:00Z","verdict":"refuse","reason":"never_sent","to":["ann@example.org"],"nrcpt":18,"repeats":9,"clients":3,"until":"1970-01-01T00:00:59Z"}
            """)
        #expect(event.count == 9)
    }

    /// CWE-117 and RFC 8259: whatever a stranger wrote, it is one line, printable, and what a JSON parser reads is what was washed.
    @Test func hostileOctetsAreOneLineOfGoodJSON() throws {
        let octets = Octets("\"}\n{\"time\":\"\\u0000\\\"".utf8) + (0...255).map { UInt8($0) } + Octets(repeating: 0x41, count: 5_000)
        let judgement = Judgement(verdict: .refuse, reason: .neverSent, decidingID: MessageID(scanned: octets))
        let event = try #require(VerdictEvent(summary(octets, judgement), at: 1_795_324_980))
        #expect(event.json.allSatisfy { (0x20..<0x7F).contains($0) } && event.json.count < 16_384)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(event.json)) as? [String: Any])
        #expect(object["from"] as? String == ASCII.washed(octets))
        #expect(object["msgid"] as? String == ASCII.washed(octets))
        #expect(object["to"] as? [String] == ["ann@example.org", ASCII.washed(octets)])
        #expect(try JSONDecoder().decode(VerdictEvent.self, from: Data(event.json)) == event)
    }

    @Test(arguments: Verdict.allCases, Reason.allCases) func everyLineIsReadAgain(_ verdict: Verdict, _ reason: Reason) throws {
        var event = VerdictEvent.refused()
        (event.verdict, event.reason) = (verdict, reason)
        #expect(try JSONDecoder().decode(VerdictEvent.self, from: Data(event.json)) == event)
        event.repeats = .init(count: 2, clients: 1, until: 1_000_001)
        #expect(try JSONDecoder().decode(VerdictEvent.self, from: Data(event.json)) == event)
    }

    /// Guardd's own words need no washing, but must not break the line either.
    @Test func controlsAndOtherScriptsInOwnTexts() throws {
        var line = JSONLine()
        line.add("text", "a\u{7F}\u{1}\n\t\"ä\\")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.closed)) as? [String: String])
        #expect(object["text"] == "a\u{7F}\u{1}\n\t\"ä\\" && !line.closed.contains(ASCII.lf))
    }
}

@Suite("Telemetry: top bouncing hosts and victims by the hour") struct VerdictTopsTests {
    private let hour: Int64 = 3_600

    @Test func onlyBackscatterCounts() {
        var tops = VerdictTops()
        var genuine = VerdictEvent.refused()
        (genuine.verdict, genuine.reason) = (.deliver, .sent)
        tops.add(genuine, at: genuine.time)
        #expect(tops.top(9, hours: 24, at: genuine.time).hosts == [])
        genuine.wouldRefuse = true
        tops.add(genuine, at: genuine.time)
        let top = tops.top(9, hours: 24, at: genuine.time)
        #expect(top.hosts.map(\.name) == ["192.0.2.7"] && top.victims.map(\.name) == ["ann@example.org"])
    }

    @Test func oldHoursAreForgotten() {
        var tops = VerdictTops()
        for number in 0..<100 { tops.add(.refused("v\(number)@example.org", at: Int64(number) * hour), at: Int64(number) * hour) }
        #expect(tops.top(.max, hours: 24, at: 99 * hour).victims.count == 24)
        #expect(tops.top(.max, hours: 2, at: 99 * hour).victims.map(\.name) == ["v98@example.org", "v99@example.org"])
        #expect(tops.top(.max, hours: 24, at: 200 * hour).victims == [])
    }

    @Test func whatComesOutOfOrderFindsItsHour() {
        var (tops, past) = (VerdictTops(), VerdictTops())
        tops.add(.refused(at: 5 * hour), at: 5 * hour)
        tops.add(.refused(at: 4 * hour), at: 5 * hour)
        past.add(.refused(at: 4 * hour), at: 5 * hour)
        tops.merge(past)
        #expect(tops.top(1, hours: 1, at: 5 * hour).hosts.map(\.count) == [1])
        #expect(tops.top(1, hours: 2, at: 5 * hour).hosts.map(\.count) == [3])
    }

    @Test func aClockThatIsSetBackForgetsTheFuture() {
        var tops = VerdictTops()
        for number in 1_000..<1_100 { tops.add(.refused(at: Int64(number) * hour), at: Int64(number) * hour) }
        tops.add(.refused(at: 5 * hour), at: 5 * hour)
        #expect(tops.top(1, hours: 24, at: 5 * hour).hosts.map(\.count) == [1])
        tops.add(.refused(at: 6 * hour), at: 6 * hour)
        #expect(tops.top(1, hours: 24, at: 6 * hour).hosts.map(\.count) == [2])
    }
}
