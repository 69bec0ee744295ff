import Testing

@testable import BackscatterGuard

@Suite("Shared log: how far sources have read") struct SharedReadingTests {
    @Test func theClockIsThatOfTheLastSource() {
        #expect(ReadingClock(sources: 0) == nil)
        let clock = ReadingClock(sources: 2)
        #expect(clock?.readTo == nil)
        clock?.hasRead(0, to: 20)
        #expect(clock?.readTo == nil, "the other has read nothing")
        clock?.hasRead(1, to: 10)
        #expect(clock?.readTo == 10)
        clock?.hasRead(1, to: 30)
        clock?.hasRead(0, to: 15)
        clock?.hasRead(7, to: 99)
        #expect(clock?.readTo == 20, "what was read stays read")
    }
}

@Suite("Shared log: processes that follow one another") struct SharedSlotTests {
    private let directory: StateDirectory

    init() throws { directory = try StateDirectory() }

    private func settings() throws -> SharedLogSettings {
        SharedLogSettings(address: try SharedLogAddress("redis://127.0.0.1:1/0"), local: SentLogSettings(stateDirectory: directory.path))
    }

    @Test func aSuccessorHasAFolderOfItsOwnAndAStrangerNone() throws {
        let settings = try settings()
        let first = try SharedSlot.take(settings, isSuccessor: false)
        #expect(first.settings.journalDirectory == directory.path + "/shared")
        #expect(throws: SentLogError.self) { try SharedSlot.take(settings, isSuccessor: false) }
        let second = try SharedSlot.take(settings, isSuccessor: true)
        #expect(second.settings.journalDirectory == directory.path + "/shared/2")
        withExtendedLifetime((first, second)) {}
    }

    @Test func whatAnEndedOneHasLeftIsFoundOnce() throws {
        let settings = try settings()
        var first: SharedSlot? = try SharedSlot.take(settings, isSuccessor: false)
        let number = try SenderIdentity.load(try #require(first).settings.senderFile).number
        let second = try SharedSlot.take(settings, isSuccessor: true)
        #expect(SharedSlot.left(settings, besides: [second.settings.slot]).isEmpty, "it still runs")
        #expect(SharedSlot.senders(besides: second.settings) == [number])
        first = nil
        let left = SharedSlot.left(settings, besides: [second.settings.slot])
        #expect(left.map(\.settings.slot) == [0])
        #expect(SharedSlot.left(settings, besides: [second.settings.slot]).isEmpty, "somebody has it")
        left.first?.clear()
        #expect(SharedSlot.senders(besides: second.settings).isEmpty)
        withExtendedLifetime((first, left)) {}
    }

    @Test func aJournalIsOverWhenAllOfItIsOld() throws {
        let key = try #require(SentKey(Octets(repeating: 7, count: 32)))
        let journal = try SentJournal(directory: directory.path, key: key)
        #expect(journal.isOver(at: noon), "there is nothing in it")
        let sent = SentEntry(ids: [try id("a@example.org")], reversePath: Octets("ann@example.org".utf8), forwardPaths: [])
        _ = try journal.append(JournalEntry.entries(of: sent, at: noon, key: key), at: noon)
        #expect(!journal.isOver(at: noon + SentJournal.kept) && journal.isOver(at: noon + 2 * SentJournal.kept))
        SentJournal.remove(directory: directory.path)
        #expect(try SentJournal(directory: directory.path, key: key).begun == nil)
    }

    @Test func aRowGoesOnlyWhenTheOtherClaimsNoMore() {
        var old = Coverage(), new = Coverage()
        old.start(at: noon - 100)
        new.start(at: noon - 100)
        #expect(old.contains(new, from: noon - 1_000, to: noon))
        new.cover(since: noon - 200, at: noon)
        #expect(!old.contains(new, from: noon - 1_000, to: noon))
        #expect(old.contains(new, from: noon - 100, to: noon), "what is older than all that is kept does not matter")
        old.cover(since: noon - 200, at: noon)
        old.openHole(from: noon - 50, to: noon - 40)
        #expect(!old.contains(new, from: noon - 1_000, to: noon))
        new.openHole(from: noon - 60, to: noon - 30)
        #expect(old.contains(new, from: noon - 1_000, to: noon))
        #expect(Coverage().contains(Coverage(), from: 0, to: noon))
    }
}
