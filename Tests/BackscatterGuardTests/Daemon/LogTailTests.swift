import Foundation
import Glibc
import Synchronization
import Testing
@testable import BackscatterGuard

/// A folder with a log in it.
final class LogFolder {
    let folder: String
    let path: String
    private var now: Int64 = 1_000_000

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "guardd-log-\(UUID().uuidString)").path
        path = folder + "/mail.log"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func append(_ text: String, to name: String = "mail.log") throws {
        let place = folder + "/" + name
        if !FileManager.default.fileExists(atPath: place) { _ = FileManager.default.createFile(atPath: place, contents: nil) }
        let handle = try FileHandle(forWritingTo: URL(filePath: place))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func rename(_ name: String = "mail.log", to other: String) { _ = unsafe Glibc.rename(folder + "/" + name, folder + "/" + other) }

    /// As logrotate's copytruncate.
    func copyAndTruncate(to other: String?) throws {
        if let other { try FileManager.default.copyItem(atPath: path, toPath: folder + "/" + other) }
        _ = unsafe truncate(path, 0)
    }

    func compress(_ name: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = [folder + "/" + name]
        try process.run()
        process.waitUntilExit()
    }

    /// All that is new, as text; `!` for a loss, `?` for a log that can't be read.
    func read(_ tail: LogTail, after milliseconds: Int64 = 0) -> String {
        now += milliseconds
        var text = ""
        for _ in 0..<100 {
            switch tail.next(at: EventLoop.milliseconds() + now) {
            case .lines(let octets, let isKnown): if !isKnown { text += String(decoding: octets, as: UTF8.self) }
            case .lost: text += "!"
            case .end: return text
            case .messages, .pending: return text + " not of a file"
            case .unreadable: return text + "?"
            }
        }
        return text + "without end"
    }

    /// A tail that goes on where another was, as after a stop.
    func next(_ tail: LogTail) throws -> LogTail {
        let left = try #require(LogPosition(LogPosition(places: tail.places, caughtUp: 0).text))
        return LogTail(path: path, position: left)
    }
}

@Suite("Following a log through rotations") struct LogTailTests {
    @Test func wholeLinesAsTheyCome() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        #expect(log.read(tail) == "?")
        try log.append("one\ntwo\nthr")
        #expect(log.read(tail) == "one\ntwo\n")
        #expect(log.read(tail) == "")
        try log.append("ee\n")
        #expect(log.read(tail) == "three\n")
        #expect(tail.behind == 0)
    }

    @Test func renamed() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        log.rename(to: "mail.log.1")
        #expect(log.read(tail) == "")
        // The writer has not noticed yet.
        try log.append("two\nhalf", to: "mail.log.1")
        try log.append("three\n")
        #expect(log.read(tail) == "two\nthree\n")
        try log.append(" a line\n", to: "mail.log.1")
        #expect(log.read(tail) == "half a line\n")
        try log.append("last", to: "mail.log.1")
        #expect(log.read(tail) == "")
        #expect(log.read(tail, after: 120_000) == "last\n")
        #expect(tail.places.count == 1)
    }

    @Test(arguments: [true, false]) func copiedAndTruncated(_ growsBeyond: Bool) throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try log.append("two\n")
        try log.copyAndTruncate(to: "mail.log.1")
        try log.append(growsBeyond ? "three, much longer than it was before\n" : "3\n")
        #expect(log.read(tail) == "two\n" + (growsBeyond ? "three, much longer than it was before\n" : "3\n"))
    }

    @Test func truncatedWithoutACopy() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\ntwo\n")
        #expect(log.read(tail) == "one\ntwo\n")
        try log.copyAndTruncate(to: nil)
        try log.append("3\n")
        #expect(log.read(tail).replacing("!", with: "") == "3\n")
        #expect(log.read(tail) == "")
    }

    @Test func goesOnAfterAStop() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\ntwo\n")
        #expect(log.read(tail) == "one\ntwo\n")
        try log.append("three\n")
        let next = try log.next(tail)
        // What was under way is read again, and known to be so.
        #expect(next.next(at: 0) == .lines(Octets("one\ntwo\n"), isKnown: true))
        #expect(log.read(next) == "three\n")
    }

    @Test func renamedWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try log.append("two\n")
        log.rename(to: "mail.log.1")
        try log.append("three\n")
        #expect(log.read(try log.next(tail)) == "two\nthree\n")
    }

    @Test func rotatedTwiceAndCompressedWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try log.append("two\n")
        log.rename(to: "mail.log.2")
        try log.compress("mail.log.2")
        try log.append("three\n", to: "mail.log.1")
        try log.append("four\n")
        #expect(log.read(try log.next(tail)) == "two\nthree\nfour\n")
    }

    @Test func copiedAndTruncatedWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try log.append("two\n")
        try log.copyAndTruncate(to: "mail.log-20261122")
        try log.append("three\n")
        #expect(log.read(try log.next(tail)) == "two\nthree\n")
    }

    @Test func goneWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try FileManager.default.removeItem(atPath: log.path)
        try log.append("two\n")
        #expect(log.read(try log.next(tail)) == "!two\n")
    }

    @Test func noRegularFile() throws {
        let log = try LogFolder()
        try FileManager.default.createDirectory(atPath: log.path, withIntermediateDirectories: false)
        #expect(log.read(LogTail(path: log.path, position: nil)) == "?")
    }

    @Test(arguments: ["", "guardd log position 1", "guardd log position 1\ntime x", "guardd log position 2\ntime 5\n", "guardd log position 1\ntime 5\n1 2 3\n",
                      "guardd log position 1\ntime 5\n1 2 3 4 5\n", "guardd log position 1\ntime 5\n1 2 -3 0 5\n"])
    func noPosition(_ text: String) { #expect(LogPosition(text) == nil) }
}

@Suite("A log on its way into the sent log") struct LogFollowerTests {
    private static let mail = "Nov 22 03:31:00 mail postfix/pickup[1]: ABCDEF1: uid=0 from=<root>\nNov 22 03:31:00 mail postfix/cleanup[1]: ABCDEF1: message-id=<%@>\n"
        + "Nov 22 03:31:00 mail postfix/qmgr[1]: ABCDEF1: from=<ann@example.org>, size=1, nrcpt=1 (queue active)\nNov 22 03:31:00 mail postfix/qmgr[1]: ABCDEF1: removed\n"

    private static func mail(_ id: String) -> String { mail.replacing("%@", with: id) }

    private final class Answers: Sendable {
        private let kept = Mutex<[Bool]>([])
        private let bell = Signal()
        func add(_ answer: Bool) {
            kept.withLock { $0.append(answer) }
            bell?.raise()
        }
        /// Waits for the next.
        func next() -> Bool {
            bell?.wait()
            return kept.withLock { $0.removeFirst() }
        }
    }

    private func keeper(_ log: LogFolder, _ sentLog: LMDBSentLog, _ state: StateDirectory) throws -> SourceKeeper {
        var configuration = Configuration()
        configuration.sources = [.init(format: .postfix, path: log.path)]
        configuration.stateDirectory = state.path
        var settings = PolicySettings()
        settings.protectedDomains = [try #require(DomainPattern(Octets("example.org")))]
        return try SourceKeeper(configuration, Policy(settings), sentLog: sentLog, log: LogWriter(level: .error, tape: LogTape()))
    }

    private func lookOnce(_ keeper: SourceKeeper) -> Bool {
        let answers = Answers()
        keeper.catchUp { answers.add($0) }
        return answers.next()
    }

    @Test func recordsAndGoesOn() throws {
        let (log, state) = (try LogFolder(), try StateDirectory())
        let sentLog = try LMDBSentLog(state.settings, at: noon)
        defer { sentLog.close() }
        try log.append(Self.mail("one@example.org"))
        let first = try keeper(log, sentLog, state)
        try first.start()
        #expect(lookOnce(first))
        #expect(try sentLog.knows("one@example.org", at: noon))
        let status = try #require(first.registry.all.first)
        #expect(status.isAlive && status.lastID == "<one@example.org>" && status.counts.mails == 1 && status.behind == 0)
        first.stop()
        try log.append(Self.mail("two@example.org"))
        log.rename(to: "mail.log.1")
        try log.append(Self.mail("three@example.org"))
        let second = try keeper(log, sentLog, state)
        try second.start()
        #expect(lookOnce(second))
        #expect(try sentLog.knows("two@example.org", at: noon) && sentLog.knows("three@example.org", at: noon))
        // What was read again was not recorded again.
        #expect(try sentLog.lookup(id("one@example.org"), at: noon)?.recipients == 1)
        second.stop()
    }

    @Test func aLogThatCantBeReadLeavesNothingRefused() throws {
        let (log, state) = (try LogFolder(), try StateDirectory())
        let sentLog = try LMDBSentLog(state.settings, at: noon)
        defer { sentLog.close() }
        let keeper = try keeper(log, sentLog, state)
        try keeper.start()
        #expect(!lookOnce(keeper))
        #expect(keeper.registry.all.first?.isAlive == false && keeper.registry.all.first?.problem != nil)
        try log.append(Self.mail("one@example.org"))
        #expect(lookOnce(keeper))
        keeper.stop()
    }

    /// Lines that can't be cut, or another mail server's: what leaves is not recorded, so nothing is refused.
    @Test(arguments: ["{\"msg\":\"%@\"}\n", "Nov 22 03:31:00 mail sm-mta[1]: ABCDEF12: from=<ann@example.org>, msgid=<%@>\n"])
    func aLogThatIsNotUnderstoodIsAHole(_ line: String) throws {
        let (log, state) = (try LogFolder(), try StateDirectory())
        let sentLog = try LMDBSentLog(state.settings, at: noon)
        defer { sentLog.close() }
        let now = EventLoop.seconds()
        try sentLog.cover(since: now - 1_000_000, at: now)
        for number in 0..<99 { try log.append(line.replacing("%@", with: "\(number)@example.org")) }
        let first = try keeper(log, sentLog, state)
        try first.start()
        #expect(!lookOnce(first))                               // not yet, but not sure
        #expect(first.registry.all.first?.problem == nil)
        #expect(try sentLog.statistics(at: now).isCovered(at: EventLoop.seconds()))
        try log.append(line.replacing("%@", with: "99@example.org"))
        #expect(!lookOnce(first))
        let status = try #require(first.registry.all.first)
        #expect(!status.isAlive && status.problem?.contains("0@example.org") == true && status.problem?.contains("; ") == true)
        try sentLog.change(.hole(from: 1, to: 2))              // behind the hole in the queue
        #expect(try !sentLog.statistics(at: now).isCovered(at: EventLoop.seconds()))
        // Its place was not saved: whoever understands it reads all of it.
        first.stop()
        let second = try keeper(log, sentLog, state)
        try second.start()
        #expect(!lookOnce(second) && second.registry.all.first?.counts.lines == 100)
        try log.append(Self.mail("one@example.org"))
        #expect(lookOnce(second) && second.registry.all.first?.isAlive == true && second.registry.all.first?.problem == nil)
        #expect(try sentLog.knows("one@example.org", at: noon))
        second.stop()
        #expect(try !sentLog.statistics(at: now).isCovered(at: EventLoop.seconds()))
    }

    /// After a restart the same lines, read once more for the mails under way, make no second hole.
    @Test func aDoubtThatIsOverStaysOver() throws {
        let (log, state) = (try LogFolder(), try StateDirectory())
        let sentLog = try LMDBSentLog(state.settings, at: noon)
        defer { sentLog.close() }
        let now = EventLoop.seconds()
        for _ in 0..<100 { try log.append("{}\n") }
        try log.append(Self.mail("one@example.org"))
        for restart in [false, true] {
            let keeper = try keeper(log, sentLog, state)
            try keeper.start()
            #expect(lookOnce(keeper))
            keeper.stop()
            try sentLog.change(.hole(from: 1, to: 2))          // behind the hole in the queue
            if restart { #expect(try sentLog.statistics(at: now).isCovered(at: EventLoop.seconds())) }
            try sentLog.cover(since: now - 1_000_000, at: EventLoop.seconds())
            try log.append(Self.mail("two@example.org"))
        }
    }

    @Test func aLossIsAHole() throws {
        let (log, state) = (try LogFolder(), try StateDirectory())
        let sentLog = try LMDBSentLog(state.settings, at: noon)
        defer { sentLog.close() }
        let now = EventLoop.seconds()
        try sentLog.cover(since: now - 1_000_000, at: now)
        try log.append(Self.mail("one@example.org"))
        let first = try keeper(log, sentLog, state)
        try first.start()
        #expect(lookOnce(first))
        first.stop()
        #expect(try sentLog.statistics(at: now).isCovered(at: now))
        try FileManager.default.removeItem(atPath: log.path)
        try log.append(Self.mail("two@example.org"))
        let second = try keeper(log, sentLog, state)
        try second.start()
        #expect(lookOnce(second))
        second.stop()
        try sentLog.change(.hole(from: 1, to: 2))              // behind the hole in the queue
        #expect(try !sentLog.statistics(at: now).isCovered(at: EventLoop.seconds()))
    }

    /// A log of sent mail whose disk is slow, or never done.
    private final class Reader: SentLogReader {
        var known: Set<Octets> = []
        private(set) var asked = 0
        func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void) {
            asked += 1
            var findings = Findings(nothingFor: inquiry, .answered)
            findings.ids = inquiry.ids.map { known.contains($0.octets) ? SentRecord(time: now, recipients: 1, reversePath: []) : nil }
            findings.isCovered = true
            answered(findings)
        }
        func close() {}
    }

    @Test func aMissLooksOnceMore() throws {
        let (log, state) = (try LogFolder(), try StateDirectory())
        let sentLog = try LMDBSentLog(state.settings, at: noon)
        defer { sentLog.close() }
        try log.append("\n")
        let keeper = try keeper(log, sentLog, state)
        try keeper.start()
        defer { keeper.stop() }
        let loop = try EventLoop()
        let inner = Reader()
        let reader = try CatchingUpReader(inner, keeper, loop: loop)
        var answers: [Findings] = []
        func ask(_ id: String, last: Bool) throws {
            let asked = MessageID(Octets(id))
            reader.ask(Inquiry(ids: [try #require(asked)], countsReturn: last), at: noon) {
                answers.append($0)
                loop.stop()
            }
        }
        try ask("x@y", last: false)                             // not the last word: answered at once
        #expect(answers.count == 1 && inner.asked == 1)
        try ask("x@y", last: true)
        #expect(answers.count == 1)
        loop.run()
        #expect(answers.count == 2 && inner.asked == 3 && answers[1].isCovered)
        inner.known = [Octets("x@y")]
        try ask("x@y", last: true)                              // known: answered at once
        #expect(answers.count == 3 && inner.asked == 4)
        reader.close()
        loop.close()
    }

    @Test func sourcesThatAreSilentLeaveNothingRefused() throws {
        let (log, state) = (try LogFolder(), try StateDirectory())
        let sentLog = try LMDBSentLog(state.settings, at: noon)
        defer { sentLog.close() }
        let keeper = try keeper(log, sentLog, state)            // never started
        let loop = try EventLoop()
        let reader = try CatchingUpReader(Reader(), keeper, loop: loop, patience: 20)
        var answer: Findings?
        reader.ask(Inquiry(ids: [try id("x@y")], countsReturn: true), at: noon) {
            answer = $0
            loop.stop()
        }
        loop.run()
        #expect(answer?.isCovered == false && answer?.availability == .answered)
        reader.close()
        loop.close()
    }
}
