import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Sent log: key and directory") struct SentLogKeyFileTests {
    @Test func keyAndLogAreMadeTogetherForTheOwnerOnly() throws {
        let state = try StateDirectory()
        let directory = state.file("made/here")
        try FileManager.default.createDirectory(atPath: state.file("made"), withIntermediateDirectories: true)
        let log = try LMDBSentLog(SentLogSettings(stateDirectory: directory), at: noon)
        for name in ["", "/sent.key", "/sent.mdb", "/sent.mdb-lock", "/sent.guard"] {
            let mode = try FileManager.default.attributesOfItem(atPath: directory + name)[.posixPermissions] as? Int
            #expect(mode == (name.isEmpty ? 0o700 : 0o600), "\(name)")
        }
        log.close()
    }

    @Test func missingKeyIsNeverMadeAnew() throws {
        let state = try StateDirectory()
        try LMDBSentLog(state.settings, at: noon).close()
        try FileManager.default.removeItem(atPath: state.file("sent.key"))
        let expected = SentLogError.keyMissing(file: state.file("sent.key"), log: state.file("sent.mdb"))
        #expect(throws: expected) { try LMDBSentLog(state.settings, at: noon) }
        #expect(expected.isOperatorFault && !state.names.contains("sent.key"))
    }

    @Test func missingKeyOfADamagedLogIsAnErrorToo() throws {
        let state = try StateDirectory()
        try state.write(Octets("rubbish"), to: "sent.mdb")
        #expect(throws: SentLogError.keyMissing(file: state.file("sent.key"), log: state.file("sent.mdb"))) {
            try LMDBSentLog(state.settings, at: noon)
        }
        #expect(try state.octets("sent.mdb") == Octets("rubbish"))
    }

    @Test func anotherKeyIsRefused() throws {
        let state = try StateDirectory()
        try LMDBSentLog(state.settings, at: noon).close()
        try state.write(Octets(String(repeating: "ab", count: 32)), to: "sent.key")
        let expected = SentLogError.keyMismatch(file: state.file("sent.key"), log: state.file("sent.mdb"))
        #expect(throws: expected) { try LMDBSentLog(state.settings, at: noon) }
        #expect(state.names == ["sent.guard", "sent.key", "sent.mdb", "sent.mdb-lock"], "nothing is moved or made")
    }

    @Test func whoeverOnlyLooksBeginsNoLog() throws {
        let state = try StateDirectory()
        var settings = state.settings
        settings.beginsLog = false
        #expect(throws: SentLogError.noLog(directory: state.path)) { try LMDBSentLog(settings, at: noon) }
        #expect(state.names == [])
        try LMDBSentLog(state.settings, at: noon).close()
        try LMDBSentLog(settings, at: noon).close()
    }

    @Test func aKeyWithoutLogBeginsALogWithThatKey() throws {
        let state = try StateDirectory()
        let text = Octets(String(repeating: "Ab", count: 32) + "\n")
        try state.write(text, to: "sent.key")
        try LMDBSentLog(state.settings, at: noon).close()
        #expect(try state.octets("sent.key") == text)
        try LMDBSentLog(state.settings, at: noon).close()
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
    func exposedKeyIsRefused(_ mode: Int) throws {
        let state = try StateDirectory()
        try state.write(Octets(String(repeating: "ab", count: 32)), to: "sent.key", mode: mode)
        let expected = SentLogError.keyExposed(file: state.file("sent.key"), mode: UInt32(mode))
        #expect(throws: expected) { try LMDBSentLog(state.settings, at: noon) }
        #expect(expected.text.contains("chmod 600"))
    }

    @Test(arguments: ["", "\n", "xyz", String(repeating: "ab", count: 31), String(repeating: "ab", count: 33), String(repeating: "ag", count: 32)])
    func malformedKeyIsRefused(_ text: String) throws {
        let state = try StateDirectory()
        try state.write(Octets(text), to: "sent.key")
        #expect(throws: SentLogError.keyMalformed(file: state.file("sent.key"))) { try LMDBSentLog(state.settings, at: noon) }
    }

    @Test func theDirectoryMustBeMakeable() throws {
        let state = try StateDirectory()
        #expect(throws: SentLogError.cannotOpen(file: state.file("no/where"), reason: "No such file or directory")) {
            try LMDBSentLog(SentLogSettings(stateDirectory: state.file("no/where")), at: noon)
        }
        try state.write([], to: "file")
        #expect(throws: SentLogError.self) { try LMDBSentLog(SentLogSettings(stateDirectory: state.file("file")), at: noon) }
    }

    @Test(arguments: [(Int64(10), Int64(16)), (10, 91), (0, 21), (10, 17), (10, 90)])
    func retentionAndWindow(_ window: Int64, _ retention: Int64) throws {
        let settings = SentLogSettings(stateDirectory: "", bounceWindow: window * Day.seconds, retention: retention * Day.seconds)
        #expect((settings.fault == nil) == (window == 10 && [17, 90].contains(retention)))
        if let fault = settings.fault {
            #expect(throws: SentLogError.settings(fault)) { try LMDBSentLog(settings, at: noon) }
        }
    }

    @Test func everyErrorIsOneLineWithARemedy() {
        let errors: [SentLogError] = [
            .keyMissing(file: "f", log: "l"), .keyMismatch(file: "f", log: "l"), .keyExposed(file: "f", mode: 0o644),
            .keyMalformed(file: "f"), .wrongUser(directory: "f", uid: 7), .otherFormat(file: "f"), .damagedInUse(file: "f"),
            .noLog(directory: "f"), .cannotOpen(file: "f", reason: "r"), .unreadable(file: "f", reason: "r"), .settings("f: r"), .diskFull(file: "f"), .failed(file: "f", reason: "r"),
            .queueFull(limit: 3), .closed,
        ]
        // What is no log and no mail is not mended by its permissions.
        #expect(!SentLogError.unreadable(file: "f", reason: "r").text.contains("permissions"))
        for error in errors {
            #expect(!error.text.contains("\n") && error.description == error.text && !error.text.isEmpty)
            if error.isOperatorFault { #expect(error.text.hasPrefix("f: ")) }
        }
        let alarms: [SentLogAlarm] = [
            .movedAside(file: "f", to: "t", reason: "r"), .lost(file: "f"), .reopened(file: "f", reason: "r"),
            .clockStepped(by: -5, until: noon), .holePending(since: noon, reason: "r"),
        ]
        for alarm in alarms { #expect(!alarm.text.contains("\n") && !alarm.text.isEmpty) }
    }
}

@Suite("Sent log: damaged, lost and full files (THREATS R23)") struct SentLogDamageTests {
    /// A log with rows in it, closed.
    private func filled(_ state: StateDirectory) throws {
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.startCovering(at: noon - 30 * Day.seconds)
        try log.recordAndWait(try (0..<2000).map { try entry("\($0)@b") }, at: noon)
        #expect(log.answer(Inquiry(), at: noon).isCovered)
        log.close()
    }

    /// Opens, and expects that the file was moved aside and coverage is gone.
    private func expectNewLog(_ state: StateDirectory, moved: Int = 1, _ comment: Comment? = nil) throws {
        let book = AlarmBook()
        let before = try state.octets("sent.mdb")
        let key = try state.octets("sent.key")
        let log = try LMDBSentLog(state.settings, at: noon) { book.take($0) }
        defer { log.close() }
        let aside = state.names.filter { $0.hasPrefix("sent.mdb.damaged-20261122T120000Z") }
        #expect(aside.count == moved, comment)
        if let last = aside.max(by: { $0.count < $1.count }) { #expect(try state.octets(last).starts(with: before.prefix(16)), comment) }
        guard case .movedAside = book.all.first, book.all.count == 1 else {
            Issue.record("\(book.all)")
            return
        }
        #expect(try !log.knows("0@b", at: noon) && !log.answer(Inquiry(), at: noon).isCovered, comment)
        try log.recordNow(try entry("new@b"), at: noon)
        #expect(try log.knows("new@b", at: noon) && state.octets("sent.key") == key, comment)
    }

    @Test(arguments: [1, 100, 4095, 4096, 5000, 8191, 8192, 12_288, 100_000])
    func aFileCutOffIsMovedAside(_ size: UInt64) throws {
        let state = try StateDirectory()
        try filled(state)
        try state.truncate("sent.mdb", to: size)
        try expectNewLog(state)
    }

    @Test func aFileShortByItsLastPageIsMovedAside() throws {
        let state = try StateDirectory()
        try filled(state)
        try state.truncate("sent.mdb", to: UInt64(try state.octets("sent.mdb").count - 4096))
        try expectNewLog(state)
    }

    @Test func otherFilesUnderTheNameAreMovedAside() throws {
        let state = try StateDirectory()
        try filled(state)
        try state.write(Octets(repeating: 0, count: 100_000), to: "sent.mdb")
        try expectNewLog(state)
        try state.write(Octets(String(repeating: "Not a database. ", count: 9000)), to: "sent.mdb")
        try expectNewLog(state, moved: 2, "the name is taken already")
    }

    @Test func aFileOfNoOctetsIsALogNotBegun() throws {
        let state = try StateDirectory()
        try LMDBSentLog(state.settings, at: noon).close()
        try state.truncate("sent.mdb", to: 0)
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry("a@b"), at: noon)
        #expect(state.names.count == 4)
    }

    @Test func anotherLMDBVersionIsLeftAlone() throws {
        let state = try StateDirectory()
        try filled(state)
        for page: UInt64 in [0, 4096] { try state.overwrite("sent.mdb", at: page + 20, [9, 0, 0, 0]) }
        let before = try state.octets("sent.mdb")
        #expect(throws: SentLogError.otherFormat(file: state.file("sent.mdb"))) { try LMDBSentLog(state.settings, at: noon) }
        #expect(try state.octets("sent.mdb") == before)
    }

    @Test func damageWhileRunningIsRepaired() throws {
        let state = try StateDirectory()
        try filled(state)
        let book = AlarmBook()
        let log = try LMDBSentLog(state.settings, at: noon) { book.take($0) }
        // Every page but the two meta pages loses its content: what is read next tells MDB_CORRUPTED.
        let size = try state.octets("sent.mdb").count
        try state.overwrite("sent.mdb", at: 8192, Octets(repeating: 0, count: size - 8192))
        #expect(log.answer(Inquiry(ids: [try id("0@b")]), at: noon).availability == .failed)
        try log.keepAndWait(at: noon)
        #expect(book.all.count == 1 && state.names.contains { $0.hasPrefix("sent.mdb.damaged-") })
        #expect(try !log.knows("0@b", at: noon) && !log.answer(Inquiry(), at: noon).isCovered)
        try log.recordNow(try entry("new@b"), at: noon)
        #expect(try log.knows("new@b", at: noon))
    }

    @Test func damageMetByTheWriterLosesNoRecord() throws {
        let state = try StateDirectory()
        try filled(state)
        let log = try LMDBSentLog(state.settings, at: noon)
        let size = try state.octets("sent.mdb").count
        try state.overwrite("sent.mdb", at: 8192, Octets(repeating: 0, count: size - 8192))
        try log.recordNow(try entry("new@b"), at: noon)
        #expect(try log.knows("new@b", at: noon))
    }

    @Test func aFileRemovedWhileInUseIsBegunAnew() throws {
        let state = try StateDirectory()
        let book = AlarmBook()
        let log = try LMDBSentLog(state.settings, at: noon) { book.take($0) }
        try log.startCovering(at: noon - 30 * Day.seconds)
        try log.recordNow(try entry("old@b"), at: noon)
        try FileManager.default.removeItem(atPath: state.file("sent.mdb"))
        try log.recordNow(try entry("new@b"), at: noon)
        #expect(try log.knows("new@b", at: noon) && !log.knows("old@b", at: noon))
        #expect(!log.answer(Inquiry(), at: noon).isCovered)
        #expect(book.all == [.lost(file: state.file("sent.mdb"))])
        log.close()
        let next = try LMDBSentLog(state.settings, at: noon)
        #expect(try next.knows("new@b", at: noon))
    }

    @Test func aRemovedKeyStopsRecordingOnlyWithTheNextOpening() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try FileManager.default.removeItem(atPath: state.file("sent.key"))
        try log.recordNow(try entry("a@b"), at: noon)
        log.close()
        #expect(throws: SentLogError.keyMissing(file: state.file("sent.key"), log: state.file("sent.mdb"))) {
            try LMDBSentLog(state.settings, at: noon)
        }
    }

    @Test func aFullFileRefusesAndLosesNothing() throws {
        let state = try StateDirectory()
        var settings = state.settings
        settings.mapSize = 1 << 20
        let log = try LMDBSentLog(settings, at: noon)
        var written = 0
        var refusal: SentLogError?
        while refusal == nil, written < 100_000 {
            do throws(SentLogError) {
                try log.recordAndWait(try entries(written), at: noon)
                written += 100
            } catch {
                refusal = error
            }
        }
        #expect(refusal == .diskFull(file: state.file("sent.mdb")) && refusal?.isOperatorFault == false)
        #expect(written > 1000)
        for number in 0..<written { #expect(try log.knows("\(number)@b", at: noon)) }
        #expect(try !log.knows("\(written)@b", at: noon), "a batch is durable whole or not at all")
        log.close()
        settings.mapSize = 1 << 24
        let larger = try LMDBSentLog(settings, at: noon)
        try larger.recordAndWait(try entries(written), at: noon)
        #expect(try larger.knows("0@b", at: noon) && larger.knows("\(written)@b", at: noon))
    }

    private func entries(_ from: Int) throws(SentLogError) -> [SentEntry] {
        (from..<from + 100).compactMap { number in
            MessageID(Octets("\(number)@b")).map { SentEntry(ids: [$0], reversePath: Octets("u\(number)@example.org")) }
        }
    }

    @Test func aHoleThatCannotBeWrittenCountsAllTheSame() throws {
        let state = try StateDirectory()
        var settings = state.settings
        settings.mapSize = 1 << 20
        let book = AlarmBook()
        let full = try LMDBSentLog(settings, at: noon) { book.take($0) }
        try full.startCovering(at: noon - 30 * Day.seconds)
        var number = 0
        while (try? full.recordAndWait(try entries(number), at: noon)) != nil { number += 100 }
        while (try? full.recordAndWait([try entry("x\(number)@b")], at: noon)) != nil { number += 1 }
        #expect(full.answer(Inquiry(), at: noon).isCovered)
        _ = try? full.openHole(at: noon + 5)
        // Whether this small write still found room or not, the hole counts.
        #expect(!full.answer(Inquiry(), at: noon + 6).isCovered)
        full.close()
        settings.mapSize = 1 << 24
        let later = try LMDBSentLog(settings, at: noon + 60)
        #expect(!later.answer(Inquiry(), at: noon + 60).isCovered, "another process knows it")
        try later.closeHole(at: noon + 90)
        #expect(try later.statistics(at: noon + 90).coverage.intervals == [
            .init(from: noon - 30 * Day.seconds, to: noon + 5), .init(from: noon + 90, to: nil),
        ])
        #expect(try later.statistics(at: noon + 90).pendingHole == nil)
    }

    @Test func aLogThatCannotBeOpenedAgainRefusesUntilItCan() throws {
        let state = try StateDirectory(), other = try StateDirectory()
        try LMDBSentLog(other.settings, at: noon).close()
        let book = AlarmBook()
        let log = try LMDBSentLog(state.settings, at: noon) { book.take($0) }
        try log.startCovering(at: noon - 30 * Day.seconds)
        try log.recordNow(try entry("a@b"), at: noon)
        try FileManager.default.moveItem(atPath: state.file("sent.mdb"), toPath: state.file("kept"))
        try FileManager.default.copyItem(atPath: other.file("sent.mdb"), toPath: state.file("sent.mdb"))
        let fault = SentLogError.keyMismatch(file: state.file("sent.key"), log: state.file("sent.mdb"))
        #expect(throws: fault) { try log.recordNow(try entry("refused@b"), at: noon) }
        #expect(throws: fault) { try log.openHole(at: noon + 5) }
        #expect(book.all == [.holePending(since: noon + 5, reason: fault.text)])
        #expect(log.answer(Inquiry(ids: [try id("a@b")]), at: noon).availability == .failed)
        #expect(throws: fault) { try log.expire(at: noon) }
        #expect(try PendingHole(path: state.file("sent.guard")).since == noon + 5)
        try FileManager.default.removeItem(atPath: state.file("sent.mdb"))
        try FileManager.default.moveItem(atPath: state.file("kept"), toPath: state.file("sent.mdb"))
        try log.recordNow(try entry("again@b"), at: noon + 9)
        #expect(try log.knows("a@b", at: noon) && log.knows("again@b", at: noon) && !log.knows("refused@b", at: noon))
        #expect(try log.statistics(at: noon).coverage.openHoleSince == noon + 5)
        #expect(try PendingHole(path: state.file("sent.guard")).since == nil)
    }

    @Test func aHoleThatAnEarlierProcessLeftCountsAtOnce() throws {
        let state = try StateDirectory()
        do {
            let log = try LMDBSentLog(state.settings, at: noon)
            try log.startCovering(at: noon - 30 * Day.seconds)
        }
        let hole = try PendingHole(path: state.file("sent.guard"))
        hole.open(at: noon)
        hole.keep()
        let log = try LMDBSentLog(state.settings, at: noon)
        #expect(!log.answer(Inquiry(), at: noon).isCovered)
        #expect(try !log.statistics(at: noon).isCovered(at: noon))
        try log.closeHole(at: noon + 5)
        #expect(try log.statistics(at: noon).coverage.intervals.last == .init(from: noon + 5, to: nil))
    }

    @Test func thePendingHoleIsKeptInItsFile() throws {
        let state = try StateDirectory()
        let hole = try PendingHole(path: state.file("hole"))
        #expect(hole.since == nil)
        hole.open(at: 50)
        hole.open(at: 70)
        #expect(hole.since == 50)
        hole.keep()
        let next = try PendingHole(path: state.file("hole"))
        #expect(next.since == 50)
        next.settle(49)
        #expect(next.since == 50, "another hole than the one that was written")
        next.settle(50)
        #expect(next.since == nil)
        #expect(try PendingHole(path: state.file("hole")).since == nil)
        #expect(throws: SentLogError.self) { try PendingHole(path: state.file("no/where")) }
    }
}
