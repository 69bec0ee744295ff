import Foundation
import Glibc
import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("Event store: judged notifications on disk, in bounded space and few writes") struct EventStoreTests {
    /// A state directory that goes with the test.
    private final class Place {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("guardd-events-\(UUID())").path
        let tape = LogTape()
        var log: LogWriter { LogWriter(level: .info, tape: tape) }

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        var folder: String { path + "/events" }

        func settings(size: Int = 1 << 20, retention: Int64 = 14 * 86_400) -> EventSettings {
            EventSettings(folder: folder, size: size, retention: retention)
        }

        func store(_ calls: EventSegments.Calls = .init()) -> EventStore {
            EventStore(settings(), stateDirectory: path, log: log, calls: calls)
        }

        var events: [VerdictEvent] {
            var files = EventFiles(stateDirectory: path)
            var found: [VerdictEvent] = []
            files.read { event, _ in found.append(event) }
            return found
        }

        var octets: Int {
            EventFiles.names(in: folder).reduce(0) { $0 + ((try? Data(contentsOf: URL(filePath: "\(folder)/\($1)")).count) ?? 0) }
        }
    }

    private static func line(_ event: VerdictEvent) -> Octets { event.json + [ASCII.lf] }

    /// How often the system was asked.
    private final class Count: Sendable {
        let syncs = Atomic(0)
        let writes = Atomic(0)

        var calls: EventSegments.Calls {
            var calls = EventSegments.Calls()
            calls.sync = { [self] in
                syncs.add(1, ordering: .relaxed)
                return fdatasync($0)
            }
            calls.write = { [self] in
                writes.add(1, ordering: .relaxed)
                return unsafe Glibc.write($0, $1, $1.count)
            }
            return calls
        }
    }

    @Test func aFloodCostsFewWritesAndEveryOneCounts() throws {
        let place = try Place()
        let count = Count()
        let store = place.store(count.calls)
        let now = EventLoop.seconds()
        store.start(at: now)
        for number in 0..<10_000 { store.record(.refused(client: "192.0.2.\(number % 50)", id: "forged\(number)@x", at: now), at: now) }
        store.close(at: now)
        #expect(count.syncs.load(ordering: .relaxed) <= 3 && count.writes.load(ordering: .relaxed) <= 3)
        let events = place.events
        #expect(events.count == 11 && events.reduce(0) { $0 + $1.count } == 10_000)
        let repeats = events.last?.repeats
        #expect(repeats?.count == 9_990 && repeats?.clients == 50 && events.last?.recipients == ["ann@example.org"] && events.last?.recipientCount == 9_990)
        #expect(store.recent(1) == Array(events.suffix(1)))
        let top = store.top(3, at: now)
        #expect(top.victims == [.init(name: "ann@example.org", count: 10_000, error: 0)] && top.hosts.map(\.count) == [200, 200, 200])
    }

    @Test func whoeverRecordsDoesNotWaitForTheDisk() throws {
        let place = try Place()
        var ends: [CInt] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { _ = (close(ends[0]), close(ends[1])) }
        var calls = EventSegments.Calls()
        // A disk that takes nothing until the pipe says so.
        calls.sync = { [reading = ends[0]] _ in
            var octet: UInt8 = 0
            return unsafe read(reading, &octet, 1) == 1 ? 0 : -1
        }
        let writer = try #require(EventWriter(place.settings(), log: place.log, calls: calls, limit: 4_000))
        writer.start()
        let line = VerdictEvent.refused().json
        for _ in 0..<1_000 { writer.add(line) }
        let go = Octets(repeating: 1, count: 8)
        #expect(unsafe write(ends[1], go, go.count) == go.count)
        writer.close(within: 30_000)
        let kept = place.events.count
        #expect(kept > 0 && kept < 1_000 && writer.lost == 1_000 - kept)
        #expect(place.tape.lines.contains("events: \(1_000 - kept) lost: the disk did not take them in time"))
    }

    @Test func anEarlierGuarddsEventsAreThereAgain() throws {
        let place = try Place()
        let now = EventLoop.seconds()
        let first = place.store()
        first.start(at: now)
        for number in 0..<5 { first.record(.refused("v\(number)@example.org", at: now), at: now) }
        first.close(at: now)
        let second = place.store()
        second.start(at: now)
        second.close(at: now)
        #expect(second.recent(2).map(\.recipients) == [["v4@example.org"], ["v3@example.org"]])
        #expect(second.top(1, at: now).hosts == [.init(name: "192.0.2.7", count: 5, error: 0)])
    }

    @Test func memoryIsBounded() throws {
        let place = try Place()
        let store = EventStore(place.settings(size: 0), stateDirectory: place.path, log: place.log)
        for number in 0..<2_000 { store.record(.refused("v\(number)@example.org", at: Int64(number) * 60), at: Int64(number) * 60) }
        #expect((EventStore.recentLimit..<2 * EventStore.recentLimit).contains(store.recent(.max).count))
        #expect(store.recent(1).first?.recipients == ["v1999@example.org"])
        #expect(!FileManager.default.fileExists(atPath: place.folder) && store.lost == nil)
    }

    // MARK: Files

    @Test func aTornLastLineIsPassedOverAndTheNextWriterBeginsANewOne() throws {
        let place = try Place()
        let segments = EventSegments(place.settings())
        #expect(segments.append(Self.line(.refused("a@x", at: 1_000)), at: 1_000) == .init(written: Self.line(.refused("a@x", at: 1_000)).count, fault: nil))
        segments.close()
        let name = try #require(EventFiles.names(in: place.folder).first)
        let file = try FileHandle(forWritingTo: URL(filePath: "\(place.folder)/\(name)"))
        _ = try file.seekToEnd()
        try file.write(contentsOf: Data("{\"time\":\"1970-01-01T00:1".utf8))
        try file.close()
        var reader = EventFiles(stateDirectory: place.path)
        var seen: [String] = []
        reader.read { event, _ in seen += event.recipients }
        #expect(seen == ["a@x"] && reader.damaged == 0)
        _ = EventSegments(place.settings()).append(Self.line(.refused("b@x", at: 1_001)), at: 1_001)
        #expect(EventFiles.names(in: place.folder) == [name])
        reader.read { event, _ in seen += event.recipients }
        #expect(seen == ["a@x", "b@x"] && reader.damaged == 1)
    }

    @Test func sizeIsBounded() throws {
        let place = try Place()
        let settings = place.settings(size: 256 << 10)
        let segments = EventSegments(settings)
        let lines = Octets((0..<30).map { Self.line(.refused("v\($0)@example.org")) }.joined())
        for time in 0..<200 {
            #expect(segments.append(lines, at: 1_000 + Int64(time)).fault == nil)
            #expect(place.octets <= settings.size + lines.count)
        }
        #expect(EventFiles.names(in: place.folder).count > 8 && place.octets > settings.size / 2)
    }

    @Test func daysAreBounded() throws {
        let place = try Place()
        let segments = EventSegments(place.settings(retention: 8 * 86_400))
        try FileManager.default.createDirectory(atPath: place.folder, withIntermediateDirectories: true)
        for (name, age) in [("20200101T000000Z.jsonl", 9.0), ("20200102T000000Z.jsonl", 7.0), ("notes.txt", 99.0)] {
            let path = place.folder + "/" + name
            try Data([ASCII.lf]).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age * 86_400)], ofItemAtPath: path)
        }
        let now = EventLoop.seconds()
        _ = segments.append(Self.line(.refused()), at: now)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.folder).sorted()
        #expect(names == ["20200102T000000Z.jsonl", EventFiles.name(begun: now), "notes.txt"])
    }

    @Test func daysAreBoundedAlsoWhereNothingNewComes() throws {
        let place = try Place()
        let segments = EventSegments(place.settings(retention: 8 * 86_400))
        let now = EventLoop.seconds()
        _ = segments.append(Self.line(.refused()), at: now)
        segments.keep(at: now + 7 * 86_400)
        #expect(place.events.count == 1)
        segments.keep(at: now + 9 * 86_400)
        #expect(EventFiles.names(in: place.folder) == [])
        #expect(segments.append(Self.line(.refused()), at: now + 9 * 86_400).fault == nil && place.events.count == 1)
    }

    /// During a restart.
    @Test func twoWritersShareAFile() throws {
        let place = try Place()
        let (one, other) = (EventSegments(place.settings()), EventSegments(place.settings()))
        for time in 0..<3 {
            _ = one.append(Self.line(.refused("one@x")), at: 1_000 + Int64(time))
            _ = other.append(Self.line(.refused("other@x")), at: 1_000 + Int64(time))
        }
        #expect(EventFiles.names(in: place.folder) == ["19700101T001640Z.jsonl"])
        #expect(place.events.map(\.recipients) == [["one@x"], ["other@x"], ["one@x"], ["other@x"], ["one@x"], ["other@x"]])
    }

    @Test func aFileThatSomebodyRemovedIsBegunAnew() throws {
        let place = try Place()
        let segments = EventSegments(place.settings())
        _ = segments.append(Self.line(.refused("one@x")), at: 1_000)
        try FileManager.default.removeItem(atPath: place.folder)
        #expect(segments.append(Self.line(.refused("two@x")), at: 1_001).fault == nil)
        #expect(place.events.map(\.recipients) == [["two@x"]])
    }

    @Test func anOldFileGoesNoFurther() throws {
        let place = try Place()
        let segments = EventSegments(place.settings())
        for time in [0, 86_399, 86_400, 86_400 * 3] as [Int64] { _ = segments.append(Self.line(.refused()), at: time) }
        #expect(EventFiles.names(in: place.folder) == ["19700101T000000Z.jsonl", "19700102T000000Z.jsonl", "19700104T000000Z.jsonl"])
    }

    @Test func othersMayNotRead() throws {
        let place = try Place()
        _ = EventSegments(place.settings()).append(Self.line(.refused()), at: 0)
        func mode(_ path: String) -> mode_t? {
            guard let file = Descriptor(path, O_RDONLY) else { return nil }
            return file.status.st_mode & 0o777
        }
        #expect(mode(place.folder) == 0o700 && mode("\(place.folder)/\(EventFiles.name(begun: 0))") == 0o600)
    }

    // MARK: A full disk

    private final class Disk: Sendable {
        /// Octets that it takes.
        let room = Atomic(50)
    }

    @Test func aFullDiskIsToldAndWhatWasWrittenHalfIsNotLost() throws {
        let place = try Place()
        let disk = Disk()
        var calls = EventSegments.Calls()
        calls.write = { descriptor, octets in
            let free = disk.room.load(ordering: .relaxed)
            if free == 0 {
                errno = ENOSPC
                return -1
            }
            let count = unsafe write(descriptor, octets, min(free, octets.count))
            disk.room.subtract(count, ordering: .relaxed)
            return count
        }
        let segments = EventSegments(place.settings(), calls: calls)
        let (one, two) = (Self.line(.refused("one@x")), Self.line(.refused("two@x")))
        #expect(segments.append(one + two, at: 0) == .init(written: 0, fault: "\(place.folder)/\(EventFiles.name(begun: 0)): No space left on device"))
        disk.room.store(one.count + 10, ordering: .relaxed)
        #expect(segments.append(one + two, at: 1).written == one.count)
        disk.room.store(.max, ordering: .relaxed)
        #expect(segments.append(two, at: 2) == .init(written: two.count, fault: nil))
        var reader = EventFiles(stateDirectory: place.path)
        var seen: [String] = []
        reader.read { event, _ in seen += event.recipients }
        #expect(seen == ["one@x", "two@x"] && reader.damaged == 2)
    }

    @Test func aFolderThatCanNotBeMadeIsAnAlarmAndMailGoesOn() throws {
        let place = try Place()
        try Data().write(to: URL(filePath: place.folder))
        let store = place.store()
        let now = EventLoop.seconds()
        store.start(at: now)
        store.record(.refused(at: now), at: now)
        store.close(at: now)
        #expect(place.tape.lines.count == 1 && place.tape.lines.allSatisfy { $0.hasPrefix("events: can't be written, mail goes on: \(place.folder)/") && $0.hasSuffix(": Not a directory") })
        #expect(store.fault != nil && store.lost == 0 && store.recent(9).count == 1)
    }

    // MARK: Names

    @Test func names() {
        #expect(EventFiles.name(begun: 1_795_324_980) == "20261122T052300Z.jsonl" && EventFiles.begun("20261122T052300Z.jsonl") == 1_795_324_980)
        #expect(EventFiles.name(begun: 1_795_324_980, 7) == "20261122T052300Z.007.jsonl" && EventFiles.begun("20261122T052300Z.007.jsonl") == 1_795_324_980)
        for name in ["", ".jsonl", "20261322T052300Z.jsonl", "20261122T052300Z", "aaaaaaaaTbbbbbbZ.jsonl", "20261122T052300.jsonl"] {
            #expect(EventFiles.begun(name) == nil, "\(name)")
        }
    }
}
