import Foundation
import Testing
@testable import BackscatterGuard

@Suite("RESP 2: commands and replies") struct RedisReplyTests {
    @Test func commandsAreArraysOfOctets() {
        var octets: Octets = []
        octets.appendCommand([Octets("HGET".utf8), Octets("k".utf8), [0x0D, 0x0A]])
        #expect(octets == Octets("*3\r\n$4\r\nHGET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n".utf8))
    }

    @Test func repliesUnderEveryDivision() throws {
        let wire = Octets("+OK\r\n:42\r\n$-1\r\n$3\r\na\r\n\r\n*2\r\n$1\r\n7\r\n$-1\r\n-OOM full\r\n*0\r\n".utf8)
        let expected: [RedisReply] = [
            .status(Octets("OK".utf8)), .integer(42), .null, .octets(Octets("a\r\n".utf8)), .array([.octets(Octets("7".utf8)), .null]),
            .error(Octets("OOM full".utf8)), .array([]),
        ]
        everyDivision(wire) { pieces in
            guard let reader = RedisReplyReader() else { return #expect(Bool(false)) }
            var replies: [RedisReply] = []
            for piece in pieces {
                _ = reader.feed(piece.span)
                while case .reply(let reply) = reader.next() { replies.append(reply) }
            }
            #expect(replies == expected)
        }
    }

    @Test func whatIsNoReplyIsMalformed() throws {
        let reader = try #require(RedisReplyReader())
        _ = reader.feed(Octets("HTTP/1.1 400\r\n".utf8).span)
        #expect(reader.next() == .malformed)
    }

    @Test func timeIsMilliseconds() {
        #expect(RedisReply.array([.octets(Octets("1795348800".utf8)), .octets(Octets("250999".utf8))]).milliseconds == 1_795_348_800_250)
        #expect(RedisReply.array([.octets(Octets("x".utf8)), .null]).milliseconds == nil)
    }
}

@Suite("Redis layout: days, buckets, packed records") struct RedisLayoutTests {
    private func key() throws -> SentKey { try #require(SentKey(Octets(repeating: 7, count: 32))) }

    @Test(arguments: [(1_000, 4), (100_000, 9), (1_000_000, 12), (10_000_000, 15), (300_000_000, 20)])
    func bucketsStayBelowWhatRedisPacks(daily: Int, bits: Int) {
        #expect(RedisLayout.bits(daily: daily) == bits)
        if bits < 20 { #expect(daily / (1 << bits) <= 320) }
    }

    @Test func fieldAndBucketTellTheName() {
        let layout = RedisLayout(prefix: Octets("g".utf8), bits: 15)
        let name = Hash128(high: 0xFFFE_0102_0304_0506, low: 0x0708_090A_0B0C_0D0E)
        #expect(layout.key(.ids, day: 20779, of: name) == Octets("g:i:20779:vvv".utf8))
        #expect(layout.key(.pairs, day: -1, of: Hash128(high: 0, low: 0)) == Octets("g:p:-1:0".utf8))
        #expect(RedisLayout.field(name) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    }

    @Test func daysReachFromTomorrowToTheEndOfRetention() {
        let days = RedisLayout.days(at: noon, retention: 2 * Day.seconds)
        #expect(days.count == 4 && days.first == Day.number(noon) + 1 && days.last == Day.number(noon) - 2)
    }

    @Test(arguments: ["ann@example.org", "ann@mail.example.org", "ann", "ann@a.b.c.d.e.f.g.h.i.example.org"])
    func recordsComeBack(reversePath: String) throws {
        let key = try key(), day = Day.number(noon)
        let sender = SenderHashes(Octets(reversePath.utf8), key: key)
        let record = SentRecord(time: noon, recipients: 3, senders: sender.map { [$0] } ?? [], isOpen: sender == nil, key: key)
        let value = record.redisValue(day: day)
        #expect(value.count <= SentRecord.redisLimit)
        let read = try #require(SentRecord(redisValue: value, day: day, key: key))
        #expect(read.time == noon && read.recipients == 3)
        #expect(read.wasSent(from: Octets("example.org")), "what does not fit is open")
        if value.count > 5 { #expect(read == record) } else { #expect(read.isOpen) }
    }

    @Test func tooManySendersMakeItOpenAndStayPacked() throws {
        let key = try key()
        let senders = (0..<8).compactMap { SenderHashes(Octets("a@h\($0).example".utf8), key: key) }
        let record = SentRecord(time: noon, recipients: 1, senders: senders, isOpen: false, key: key)
        let value = record.redisValue(day: Day.number(noon))
        #expect(value.count <= 64)
        let read = try #require(SentRecord(redisValue: value, day: Day.number(noon), key: key))
        #expect(read.isOpen && read.wasSent(from: Octets("anything.example")))
    }

    @Test func manyRecipientsAreWithoutLimit() throws {
        let key = try key()
        let record = SentRecord(time: noon, recipients: 40_000, senders: [], isOpen: true, key: key)
        #expect(SentRecord(redisValue: record.redisValue(day: Day.number(noon)), day: Day.number(noon), key: key)?.recipients == Int(UInt32.max))
    }

    @Test func cutValuesAreNothing() throws {
        let key = try key(), day = Day.number(noon)
        let sender = try #require(SenderHashes(Octets("ann@example.org"), key: key))
        let value = SentRecord(time: noon, recipients: 1, senders: [sender], isOpen: false, key: key).redisValue(day: day)
        for length in 0..<value.count { #expect(SentRecord(redisValue: Octets(value.prefix(length)), day: day, key: key) == nil) }
    }
}

@Suite("Redis: an inquiry and its replies") struct RedisQuestionTests {
    private func view() throws -> RedisView {
        RedisView(
            key: try #require(SentKey(Octets(repeating: 7, count: 32))), layout: RedisLayout(prefix: Octets("g".utf8), bits: 4),
            bounceWindow: 10 * Day.seconds, retention: 21 * Day.seconds)
    }

    private func preface(_ site: SharedSite) -> [RedisReply] {
        let rows = site.rows.enumerated().flatMap { [RedisReply.octets([UInt8($0.offset)]), .octets($0.element.octets)] }
        return [
            .array(rows), site.statement.map { .octets($0.octets) } ?? .null,
            .array([.octets(Octets(String(site.clock / 1000).utf8)), .octets(Octets("0".utf8))]),
        ]
    }

    private func vouching(to time: Int64 = noon * 1000) -> SenderRow {
        var row = SenderRow()
        row.hasStarted = true
        row.coverage.start(at: noon - 20 * Day.seconds)
        row.run = 9
        row.standsTo = time
        return row
    }

    @Test func findsOnTheDayItWasSent() throws {
        let view = try view(), known = try id("one@example.org"), unknown = try id("two@example.org")
        let question = RedisQuestion(
            Inquiry(ids: [unknown, known], recipients: [Octets("ann@example.org")], failedRecipients: [Octets("eve@there.example")]), view, at: noon)
        let day = Day.number(noon) - 3
        let record = SentRecord(time: Day.start(day) + 5, recipients: 2, senders: [], isOpen: true, key: view.key)
        var replies = preface(SharedSite(rows: [vouching()], clock: noon * 1000))
        // Each id as it is, then as it is named where it is bound.
        replies += Array(repeating: .null, count: 46) + (0..<46).map { $0 == 4 ? .octets(record.redisValue(day: day)) : .null }
        replies += (0..<23).map { $0 == 20 ? .octets(Octets("1".utf8)) : .null }
        #expect(question.count == replies.count)
        let findings = try #require(question.findings(replies, run: 9))
        #expect(findings.ids[0] == nil && findings.ids[1] == record && findings.knownPairs == [true] && findings.isCovered && findings.availability == .answered)
    }

    /// A stranger chose the id; it went on under an address of ours, and counts for a bounce to that one only.
    @Test func whatIsBoundCountsForItsAddressOnly() throws {
        let view = try view(), planted = try id("two@evil.example")
        var entry = SentEntry(ids: [planted], reversePath: Octets("ann@example.org".utf8), keepsPairs: false, recipients: 1)
        entry.isBound = true
        let journal = try #require(JournalEntry.entries(of: entry, at: noon, key: view.key).first)
        let name = view.key.hash(id: planted)
        #expect(journal.ids == [view.key.bound(name), view.key.bound(name, to: Octets("Ann@example.org".utf8))] && journal.pairs.isEmpty)
        func found(_ recipient: String) throws -> SentRecord? {
            let question = RedisQuestion(Inquiry(ids: [planted], recipients: [Octets(recipient.utf8)]), view, at: noon)
            // What a log would answer that holds the journal's names.
            let isAsked = journal.ids.contains { Data(question.commands).range(of: Data(RedisLayout.field($0))) != nil }
            let replies = preface(SharedSite(rows: [vouching()], clock: noon * 1000))
                + (0..<46).map { isAsked && $0 == 24 ? .octets(journal.record.redisValue(day: Day.number(noon))) : .null }
            return try #require(question.findings(replies, run: 9)).ids[0]
        }
        #expect(try found("Ann@example.org")?.isBound == true && found("bob@example.org") == nil)
    }

    @Test func whatALogCutOffIsRecordedByItsBeginning() throws {
        let view = try view(), key = view.key
        let long = try id(String(repeating: "a", count: 120) + "@example.org")
        let beginning = try #require(LoggedID.beginnings(of: long).first)
        var entry = SentEntry(ids: [], reversePath: Octets("ann@example.org".utf8), keepsPairs: false)
        entry.idBeginnings = [beginning]
        #expect(JournalEntry.entries(of: entry, at: noon, key: key).first?.ids == [key.hash(.idBeginning, beginning)])
        let forms = 1 + LoggedID.beginnings(of: long).count
        #expect(RedisQuestion(Inquiry(ids: [long]), view, at: noon).count == 3 + 2 * forms * 23)
    }

    @Test func anErrorAmongTheRepliesIsNoAnswer() throws {
        let question = RedisQuestion(Inquiry(ids: [try id("one@example.org")]), try view(), at: noon)
        let replies = preface(SharedSite()) + [.error(Octets("LOADING".utf8))] + Array(repeating: .null, count: 45)
        #expect(question.findings(replies, run: 9) == nil)
        #expect(question.findings(Array(replies.dropLast()), run: 9) == nil)
    }

    private func answer(_ rows: [SenderRow], run: UInt64 = 9, asked: Int64?, of server: UInt64 = 9, known: SentRecord? = nil) throws -> RedisQuestion.Answer {
        let question = RedisQuestion(Inquiry(ids: [try id("one@example.org")]), try view(), at: noon)
        let found = (0..<46).map { $0 == 1 ? known.map { .octets($0.redisValue(day: Day.number(noon))) } ?? .null : RedisReply.null }
        return try #require(question.answer(preface(SharedSite(rows: rows, clock: noon * 1000)) + found, run: run, asked: asked.map { .init(clock: $0, run: server) }))
    }

    /// What a sender let go a moment ago stands only in its journal, perhaps.
    @Test func anUnknownIDWaitsUntilTheRowsReachToTheQuestion() throws {
        let asked = (noon - 1) * 1000
        for (time, isWaiting) in [(asked - 1, true), (asked, false)] {
            let answer = try answer([vouching(), vouching(to: time)], asked: asked)
            #expect(answer.isWaiting == isWaiting && answer.findings.isCovered == !isWaiting && answer.asked == .init(clock: asked, run: 9))
            #expect(answer.findings.availability == (isWaiting ? .silent : .answered))
        }
        #expect(try answer([vouching(to: noon * 1000 - 1)], asked: nil).isWaiting, "asked just now")
        let moved = try answer([vouching(to: noon * 1000 - 1)], asked: asked, of: 8)
        #expect(moved.isWaiting && moved.asked == .init(clock: noon * 1000, run: 9), "another server's clock says nothing of this one's")
        let record = SentRecord(time: noon, recipients: 2, senders: [], isOpen: true, key: try view().key)
        let known = try answer([vouching(to: asked - 1)], asked: asked, known: record)
        #expect(known.findings.ids[0] != nil && known.findings.availability == .answered && !known.isWaiting, "what is known waits for nobody")
    }

    /// Nothing is refused on the word of a sender that is silent; for some seconds nothing passes either.
    @Test func aSilentSenderIsDoubtThenAHole() throws {
        let asked = noon * 1000
        let lapsing = try answer([vouching(), vouching(to: (noon - 9) * 1000)], asked: asked)
        #expect(!lapsing.findings.isCovered && lapsing.isWaiting && lapsing.findings.availability == .silent)
        let gone = try answer([vouching(), vouching(to: (noon - 10) * 1000)], asked: asked)
        #expect(!gone.findings.isCovered && !gone.isWaiting && gone.findings.availability == .answered)
        #expect(try answer([vouching()], run: 10, asked: asked, of: 10).isWaiting, "it is of a server that has been started anew since")
    }
}

@Suite("Shared log: who vouches for what") struct SharedSiteTests {
    private let from = noon - 10 * Day.seconds

    private let clock = noon * 1000

    private func row(since: Int64, to time: Int64 = noon * 1000) -> SenderRow {
        var row = SenderRow()
        row.coverage.start(at: since)
        row.hasStarted = true
        row.standsTo = time
        return row
    }

    private func standing(_ rows: [SenderRow], _ statement: SharedSite.Statement? = nil, asked: Int64? = nil, run: UInt64 = 0) -> SharedSite.Standing {
        SharedSite(rows: rows, statement: statement, clock: clock, run: run).standing(from: from, to: noon, asked: asked)
    }

    @Test func everyRowMustReachToTheQuestion() {
        let late = row(since: from, to: clock - 1)
        #expect(standing([row(since: from), row(since: from)], asked: clock) == .complete)
        #expect(standing([row(since: from), late], asked: clock) == .waiting)
        #expect(standing([row(since: from), late], asked: clock - 1) == .complete)
        #expect(standing([late, row(since: from)], asked: clock - 1, run: 7) == .waiting, "by another server's clock")
    }

    @Test func aLeaseIsTenSeconds() {
        #expect(standing([row(since: from, to: clock - 9_999)], asked: clock) == .waiting)
        #expect(standing([row(since: from, to: clock - 10_000)], asked: clock) == .incomplete)
        #expect(standing([row(since: from, to: clock - 5_000)]) == .complete, "what was sent just now does not matter")
        #expect(standing([row(since: from, to: clock - 5_001)]) == .waiting)
        #expect(standing([row(since: from, to: 0)], asked: clock) == .incomplete)
    }

    /// It may have let something go that its hooks recorded; but nobody has said that all its mail is recorded.
    @Test func oneThatClaimsNothingIsWaitedForAsLongAsItsLease() {
        var row = row(since: from, to: clock - 1)
        (row.coverage, row.hasStarted) = (Coverage(), false)
        let said = SharedSite.Statement(since: from, at: noon)
        for rows in [[row], [row, self.row(since: from)]] { #expect(standing(rows, said, asked: clock) == .waiting) }
        row.standsTo = clock - 10_000
        for rows in [[row], [row, self.row(since: from)]] { #expect(standing(rows, said, asked: clock) == .complete) }
    }

    @Test func everySenderMustBeComplete() {
        #expect(standing([]) == .incomplete)
        #expect(standing([row(since: from)]) == .complete)
        #expect(standing([row(since: from), row(since: from + 1)]) == .incomplete)
        #expect(standing([row(since: from), SenderRow()]) == .complete, "one that never said that it records all its mail is not counted on")
    }

    @Test func aHoleOfOneIsAHoleOfAll() {
        var holed = row(since: from)
        holed.coverage.openHole(from: noon - 100, to: noon - 50)
        #expect(standing([row(since: from), holed]) == .incomplete)
        #expect(standing([row(since: from), holed], .init(since: noon - 200, at: noon - 10)) == .complete, "the administrator's word fills it")
    }

    @Test func theAdministratorsWordReachesToWhereASenderBegins() {
        #expect(standing([row(since: noon - 60)], .init(since: from, at: noon - 60)) == .complete)
        #expect(standing([row(since: noon - 60)], .init(since: from, at: noon - 61)) == .incomplete)
        #expect(standing([], .init(since: from, at: noon - 60)) == .complete, "nobody but hooks that wait for the log")
    }

    @Test func completeSince() {
        func since(_ rows: [SenderRow], _ statement: SharedSite.Statement? = nil) -> Int64? {
            SharedSite(rows: rows, statement: statement, clock: noon * 1000).completeSince(at: noon)
        }
        #expect(since([]) == nil)
        #expect(since([], .init(since: from, at: noon)) == from)
        #expect(since([row(since: from), row(since: from + 5)]) == from + 5)
        #expect(since([row(since: noon - 60)], .init(since: from, at: noon - 60)) == from)
        #expect(since([row(since: noon - 60)], .init(since: from, at: noon - 61)) == noon - 60)
        var holed = row(since: from)
        holed.coverage.openHole(at: noon - 5)
        #expect(since([row(since: from), holed]) == nil)
    }

    @Test func aRowThatCannotBeReadIsDoubt() {
        #expect(SharedSite(rows: [row(since: from)], unreadable: 1, clock: noon * 1000).standing(from: from, to: noon) == .incomplete)
    }

    @Test func rowsComeBack() throws {
        var row = row(since: from)
        row.name = Octets("mx1.example.org".utf8)
        row.through = 1 << 40
        row.run = .max
        row.renewed = noon
        row.readsLog = true
        row.coverage.openHole(at: noon)
        #expect(SenderRow(octets: row.octets) == row)
        for length in 0..<row.octets.count where length != row.octets.count - 8 && length != row.octets.count - 16 {
            if let cut = SenderRow(octets: Octets(row.octets.prefix(length))) { #expect(cut != row) }
        }
    }

    @Test func statementsUniteWhenTheyTouch() {
        let early = SharedSite.Statement(since: 10, at: 20)
        #expect(SharedSite.Statement(since: 15, at: 30).united(with: early) == .init(since: 10, at: 30))
        #expect(SharedSite.Statement(since: 25, at: 30).united(with: early) == .init(since: 25, at: 30))
        #expect(SharedSite.Statement(octets: early.octets) == early)
        #expect(SharedSite.Statement(octets: Octets("20 10".utf8)) == nil)
    }
}
