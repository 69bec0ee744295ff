import Foundation
import Glibc
import Synchronization
import Testing
@testable import BackscatterGuard

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
