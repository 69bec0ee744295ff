import Foundation
import Glibc
import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("Sent log: the spool (THREATS R23)") struct SpoolTests {
    static let items = [
        SpoolItem(kind: .record(Octets("<one@a.example>\tann@a.example\tbob@b.example".utf8)), time: 1_795_348_700), SpoolItem(kind: .unrecorded, time: 0),
        SpoolItem(kind: .record([]), time: 999_999_999_999),
    ]

    @Test func itemsComeBack() {
        let (items, isDamaged) = SpoolItem.read(Octets(Self.items.map(\.octets).joined()))
        #expect(items == Self.items && !isDamaged)
        #expect(Checksum.crc32("123456789".utf8) == 0xCBF4_3926)
    }

    /// Whatever is missing at the end, or changed anywhere: all before it is kept, nothing else is made up.
    @Test func tornAndChanged() {
        let whole = Octets(Self.items.map(\.octets).joined())
        let ends = Self.items.indices.map { Self.items[...$0].map(\.octets.count).reduce(0, +) }
        for length in 0..<whole.count {
            let (items, isDamaged) = SpoolItem.read(Octets(whole[..<length]))
            #expect(items == Array(Self.items.prefix(ends.filter { $0 <= length }.count)))
            #expect(isDamaged == (length > 0 && !ends.contains(length)))
        }
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 1
            let (items, isDamaged) = SpoolItem.read(changed)
            #expect(isDamaged && items == Array(Self.items.prefix(ends.filter { $0 <= index }.count)), "\(index)")
        }
    }

    @Test func linesComeBack() throws {
        let entry = try entry("one@a.example", "\"two(x)y\"@a.example", "three", to: ["bob@b.example", "eve@b.example"])
        let read = RecordLine.lines(of: entry).map(RecordLine.read)
        let ids = read.flatMap { if case .entry(let entry) = $0 { entry.ids } else { [MessageID]() } }
        #expect(Set(ids) == Set(entry.ids) && read.count == 2)
        for outcome in read {
            guard case .entry(let one) = outcome else { Issue.record("\(outcome)"); continue }
            #expect(one.reversePath == entry.reversePath && one.forwardPaths == entry.forwardPaths)
        }
        var many = try self.entry(to: (0..<20_000).map { "recipient.number.\($0)@elsewhere.example" })
        many.forwardPaths += [Octets("a,b@c.example".utf8), Octets("a\tb@c.example".utf8)]
        let lines = RecordLine.lines(of: many)
        #expect(lines.count > 1 && lines.allSatisfy { $0.count <= RecordLine.limit })
        let paths = lines.flatMap { if case .entry(let entry) = RecordLine.read($0) { entry.forwardPaths } else { [Octets]() } }
        #expect(paths.count == 20_000)
    }

    @Test func boundLinesComeBack() throws {
        var bound = try entry("one@a.example", to: (0..<20_000).map { "recipient.number.\($0)@elsewhere.example" })
        bound.isBound = true
        let lines = RecordLine.lines(of: bound)
        #expect(lines.count > 1 && lines.allSatisfy { $0.count <= RecordLine.limit })
        for line in lines {
            guard case .entry(let one) = RecordLine.read(line) else { Issue.record("unread"); continue }
            #expect(one.isBound && one.ids == bound.ids && one.reversePath == bound.reversePath)
        }
        // Bound to what a line can't tell: never to anybody.
        for path in ["", "ann", "a\tb@a.example"] {
            bound.reversePath = Octets(path.utf8)
            #expect(RecordLine.lines(of: bound).isEmpty)
        }
    }

    private func entry(_ ids: String..., to: [String]) throws -> SentEntry {
        SentEntry(ids: try ids.map(id), reversePath: Octets("ann@a.example".utf8), forwardPaths: to.map { Octets($0.utf8) })
    }

    // MARK: with a log

    private final class Site {
        let state = try? StateDirectory()
        let log: LMDBSentLog
        let folder: SpoolFolder
        let importer: SpoolImporter
        let alarms = AlarmList()

        init() throws {
            let state = try #require(state)
            log = try LMDBSentLog(state.settings, at: noon)
            folder = SpoolFolder(path: state.path + "/spool")
            try folder.make(group: nil, isForAll: false)
            importer = try SpoolImporter(folder, into: log, now: { Int64(time(nil)) }) { [alarms] in alarms.add($0) }
        }

        var new: [String] { FolderNames.first(100, in: folder.new) ?? [] }
        var bad: [String] { FolderNames.first(100, in: folder.bad) ?? [] }
        func path(_ name: String) -> String { folder.new + "/" + name }

        func put(_ text: String, _ name: String, mode: Int = 0o640) throws {
            try Data(text.utf8).write(to: URL(filePath: path(name)))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
        }

        deinit {
            importer.close()
            log.close()
        }
    }

    private final class AlarmList: Sendable {
        private let kept = Mutex<[SpoolAlarm]>([])
        var all: [SpoolAlarm] { kept.withLock { $0 } }
        func add(_ alarm: SpoolAlarm) { kept.withLock { $0.append(alarm) } }
    }

    private func record(_ id: String, at time: Int64) -> SpoolItem {
        SpoolItem(kind: .record(Octets("<\(id)>\tann@a.example\tbob@b.example".utf8)), time: time)
    }

    @Test func whatIsPutThereIsImported() throws {
        let site = try Site()
        let now = Int64(time(nil))
        #expect(!site.importer.isClean, "nobody has looked yet")
        #expect(site.folder.put([record("one@a.example", at: now), record("two@a.example", at: now)]) == nil)
        #expect(site.folder.put([record("three@a.example", at: now + 9_000)]) == nil)
        #expect(site.new.count == 2)
        site.importer.runAndWait()
        #expect(site.new.isEmpty && site.bad.isEmpty && site.alarms.all.isEmpty)
        for name in ["one", "two", "three"] { #expect(try site.log.knows("\(name)@a.example", at: now)) }
    }

    /// A change right after the folder was read has the same time as the folder then: it must not be overlooked.
    @Test func aChangeInTheSameMomentIsSeen() throws {
        let site = try Site()
        for number in 0..<200 {
            site.importer.runAndWait()
            #expect(site.folder.put([record("\(number)@a.example", at: 0)]) == nil)
            #expect(!site.importer.isClean)
        }
        site.importer.runAndWait()
        #expect(try site.log.knows("199@a.example", at: noon))
    }

    @Test func aFolderThatRestsIsClean() throws {
        let site = try Site()
        var times = [timeval(tv_sec: 1_000, tv_usec: 0), timeval(tv_sec: 1_000, tv_usec: 0)]
        #expect(unsafe utimes(site.folder.new, &times) == 0)
        site.importer.runAndWait()
        #expect(site.importer.isClean)
        #expect(site.folder.put([record("one@a.example", at: 0)]) == nil)
        #expect(!site.importer.isClean)
    }

    @Test func whatIsNoHooksIsRefused() throws {
        let site = try Site()
        try site.put(String(decoding: record("writable@a.example", at: 0).octets, as: UTF8.self), "writable", mode: 0o666)
        try site.put(String(decoding: record("linked@a.example", at: 0).octets, as: UTF8.self), "linked")
        #expect(unsafe link(site.path("linked"), site.path("linked.too")) == 0)
        #expect(unsafe symlink("linked", site.path("symbolic")) == 0)
        #expect(unsafe mkfifo(site.path("fifo"), 0o600) == 0)
        try site.put(String(repeating: "x", count: SpoolFolder.fileLimit + 1), "large")
        try FileManager.default.createDirectory(atPath: site.path("folder"), withIntermediateDirectories: false)
        site.importer.runAndWait()
        #expect(Set(site.bad) == ["writable", "linked", "linked.too", "symbolic", "fifo", "large"])
        #expect(site.new.isEmpty)
        #expect(site.alarms.all.count == 6 && site.alarms.all.allSatisfy { if case .refused = $0 { true } else { false } }, "\(site.alarms.all)")
        for name in ["writable", "linked"] { #expect(try !site.log.knows("\(name)@a.example", at: noon)) }
    }

    @Test func aTornFileKeepsWhatIsWholeAndOpensAHole() throws {
        let site = try Site()
        let now = Int64(time(nil))
        try site.log.cover(since: now - 20 * 86_400, at: now - 5)
        let inquiry = Inquiry(ids: [try id("none@a.example")])
        #expect(site.log.answer(inquiry, at: now + 60).isCovered)
        let octets = record("whole@a.example", at: now - 10).octets + record("torn@a.example", at: now - 10).octets.dropLast()
        try site.put(String(decoding: octets, as: UTF8.self), "torn")
        site.importer.runAndWait()
        #expect(site.bad == ["torn"] && site.new.isEmpty)
        #expect(try site.log.knows("whole@a.example", at: now))
        #expect(try !site.log.knows("torn@a.example", at: now))
        #expect(!site.log.answer(inquiry, at: now + 60).isCovered)
    }

    @Test func aMarkOpensAHole() throws {
        let site = try Site()
        let now = Int64(time(nil))
        try site.log.cover(since: now - 20 * 86_400, at: now)
        #expect(site.folder.put([SpoolItem(kind: .unrecorded, time: now - 3_600)]) == nil)
        site.importer.runAndWait()
        #expect(site.alarms.all == [.unrecorded(at: now - 3_600)])
        #expect(!site.log.answer(Inquiry(ids: [try id("none@a.example")]), at: now).isCovered)
    }

    @Test func whatCantBeRecordedStays() throws {
        let site = try Site()
        #expect(site.folder.put([record("one@a.example", at: 0)]) == nil)
        site.log.close()
        let done = try #require(Signal())
        let box = OutcomeBox()
        site.importer.run { isComplete in
            box.value.withLock { $0 = isComplete }
            done.raise()
        }
        done.wait()
        #expect(box.value.withLock { $0 } == false)
        #expect(site.new.count == 1 && site.alarms.all.count == 1)
    }

    @Test func oldDraftsAreSwept() throws {
        let site = try Site()
        for name in ["old", "young"] { try Data("x".utf8).write(to: URL(filePath: site.folder.draft + "/" + name)) }
        var times = [timeval(tv_sec: 1_000, tv_usec: 0), timeval(tv_sec: 1_000, tv_usec: 0)]
        #expect(unsafe utimes(site.folder.draft + "/old", &times) == 0)
        site.importer.runAndWait()
        #expect(FolderNames.first(9, in: site.folder.draft) == ["young"])
    }

    @Test func modes() throws {
        let site = try Site()
        func mode(_ path: String) -> Int {
            var status = stat()
            return unsafe stat(path, &status) == 0 ? Int(status.st_mode & 0o7777) : -1
        }
        #expect([site.folder.path, site.folder.new, site.folder.draft, site.folder.bad].map(mode) == [0o2750, 0o3770, 0o3770, 0o700])
        try site.folder.make(group: nil, isForAll: true)
        #expect([site.folder.path, site.folder.new, site.folder.draft, site.folder.bad].map(mode) == [0o2755, 0o3777, 0o3777, 0o700])
    }
}

private final class OutcomeBox: Sendable {
    let value = Mutex<Bool?>(nil)
}
