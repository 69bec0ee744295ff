import Testing
@testable import BackscatterGuard

@Suite("The journal of a shared log") struct SentJournalTests {
    private let directory: StateDirectory
    private let key: SentKey

    init() throws {
        directory = try StateDirectory()
        key = try #require(SentKey(Octets(repeating: 7, count: 32)))
    }

    private func entry(_ name: String, at time: Int64 = noon) throws -> JournalEntry {
        let sent = SentEntry(ids: [try id("\(name)@example.org")], reversePath: Octets("ann@example.org"), forwardPaths: [Octets("eve@there.example")])
        return try #require(JournalEntry.entries(of: sent, at: time, key: key).first)
    }

    private func open() throws -> SentJournal { try SentJournal(directory: directory.path, key: key) }

    @Test func readsWhatWasAppended() throws {
        let journal = try open()
        #expect(journal.read(after: 0, limit: .max).entries.isEmpty)
        let entries = try (0..<5).map { try entry("m\($0)") }
        #expect(try journal.append(entries, at: noon) == 5)
        #expect(journal.read(after: 0, limit: .max).entries == entries)
        #expect(journal.read(after: 3, limit: .max).entries == Array(entries[3...]))
        #expect(journal.read(after: 5, limit: .max).entries.isEmpty)
        #expect(journal.read(after: 0, limit: 1).through == 1)
        #expect(journal.read(after: 1, limit: 1).through == 2, "goes on where it was")
        #expect(try journal.append([entries[0]], at: noon) == 6)
        #expect(journal.read(after: 5, limit: .max).through == 6)
    }

    @Test func aNewProcessGivesNewNumbersAndLosesNothing() throws {
        let first = try open()
        let entries = try (0..<3).map { try entry("m\($0)") }
        _ = try first.append(entries, at: noon)
        let second = try open()
        let more = try entry("later")
        let number = try second.append([more], at: noon + 1)
        #expect(number > 3)
        let all = second.read(after: 0, limit: .max)
        #expect(all.entries == entries + [more] && all.through == number)
        #expect(second.previous == 0, "nothing is missing before the oldest file")
    }

    @Test func aTornTailIsDroppedAndAllBeforeKept() throws {
        let entries = try (0..<3).map { try entry("m\($0)") }
        let size = entries[0].frame.count
        for cut in [1, size - 1, size] {
            let place = try StateDirectory()
            _ = try SentJournal(directory: place.path, key: key).append(entries, at: noon)
            try place.truncate("0000000000000001", to: UInt64(32 + 3 * size - cut))
            let journal = try SentJournal(directory: place.path, key: key)
            let more = try entry("later")
            _ = try journal.append([more], at: noon)
            #expect(journal.read(after: 0, limit: .max).entries == [entries[0], entries[1], more])
        }
    }

    @Test func aDamagedFrameIsSeen() throws {
        let frame = try entry("m").frame
        for index in frame.indices {
            var damaged = frame
            damaged[index] ^= 0x10
            if let read = JournalEntry.read(damaged[...], key: key)?.entry { #expect(Bool(false), "octet \(index): \(read)") }
        }
        #expect(JournalEntry.read(frame[...], key: key)?.size == frame.count)
    }

    /// A row must not say that all stands before all has been read.
    @Test func saysWhetherMoreFollows() throws {
        let journal = try open()
        #expect(journal.read(after: 0, limit: 1).isEnd)
        _ = try journal.append([try entry("a"), try entry("b")], at: noon)
        #expect(!journal.read(after: 0, limit: 1).isEnd && !journal.read(after: 1, limit: 1).isEnd, "as many octets as were asked for: more may follow")
        #expect(journal.read(after: 2, limit: 1).isEnd && journal.read(after: 0, limit: 1 << 20).isEnd)
        #expect(try open().read(after: 0, limit: 1 << 20).isEnd)
    }

    @Test func keepsTheLastHourAndWhatIsNotAcknowledged() throws {
        let journal = try open()
        var now = noon, last: UInt64 = 0
        for step in 0..<9 {
            last = try journal.append([try entry("m\(step)", at: now)], at: now)
            now += 1_200
            journal.expire(at: now, acknowledged: 0)
        }
        #expect(journal.previous == 0, "nothing acknowledged: nothing goes")
        journal.expire(at: now, acknowledged: last)
        let oldest = try #require(journal.read(after: 0, limit: .max).entries.first?.time)
        #expect(oldest <= now - SentJournal.kept && oldest >= now - SentJournal.kept - 1_200)
        #expect(journal.previous > 0)
    }

    @Test func aMailToManyBecomesSeveralEntries() throws {
        let sent = SentEntry(
            ids: [try id("one@example.org")], reversePath: Octets("ann@example.org"), forwardPaths: (0..<2_500).map { Octets("u\($0)@there.example".utf8) })
        let entries = JournalEntry.entries(of: sent, at: noon, key: key)
        #expect(entries.map(\.pairs.count) == [1_000, 1_000, 500] && entries.map(\.ids.count) == [1, 0, 0])
        #expect(entries.allSatisfy { $0.record.recipients == 2_500 && $0.frame.count <= JournalEntry.frameLimit })
    }
}
