@testable import BackscatterGuard
import Testing

/// Ids that a stranger chose, of mail that went on under an address of ours.
@Suite("The sent log: ids bound to one address, and ids that logs show otherwise") struct BoundRecordTests {
    private func entry(_ text: String, _ reversePath: String, bound: Bool) throws -> SentEntry {
        var entry = SentEntry(ids: [try id(text)], reversePath: Octets(reversePath), keepsPairs: false)
        entry.isBound = bound
        return entry
    }

    private func knows(_ log: LMDBSentLog, _ text: String, for recipients: [String]) throws -> Bool {
        log.answer(Inquiry(ids: [try id(text)], recipients: recipients.map { Octets($0) }), at: noon).ids.first.map { $0 != nil } ?? false
    }

    @Test func countsForItsAddressOnly() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        try log.recordAndWait([entry("a@x", "owner@ours.example", bound: true)], at: noon)
        #expect(try knows(log, "a@x", for: ["Owner@Ours.example"]))
        #expect(try !knows(log, "a@x", for: ["ann@ours.example"]))
        #expect(try !knows(log, "a@x", for: ["owner@sub.ours.example"]))
        #expect(try log.lookup(id("a@x"), at: noon) != nil)
    }

    @Test func manyAddressesAllCountAndOpenNothing() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        try log.recordAndWait((0..<12).map { try entry("a@x", "owner\($0)@ours.example", bound: true) }, at: noon)
        for number in 0..<12 { #expect(try knows(log, "a@x", for: ["Owner\(number)@ours.example"]), "\(number)") }
        #expect(try !knows(log, "a@x", for: ["ann@ours.example"]) && !knows(log, "a@x", for: ["owner12@ours.example"]))
        #expect(try knows(log, "a@x", for: ["ann@ours.example", "owner11@ours.example"]))
    }

    @Test(arguments: [true, false]) func whatWeSentCountsEverywhere(_ boundFirst: Bool) throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        let both = [try entry("a@x", "owner@ours.example", bound: true), try entry("a@x", "ann@ours.example", bound: false)]
        for entry in boundFirst ? both : both.reversed() { try log.recordAndWait([entry], at: noon) }
        #expect(try knows(log, "a@x", for: ["bob@ours.example"]))
    }

    @Test func otherAlphabetsAreFoundAsPostfixShowsThem() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        try log.recordAndWait([entry("m??ll@x", "ann@ours.example", bound: false)], at: noon)
        #expect(try knows(log, "müll@x", for: ["ann@ours.example"]))
        #expect(try !knows(log, "mull@x", for: ["ann@ours.example"]))
    }
}
