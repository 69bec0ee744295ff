// Follows one log on a thread of its own: reads what is new, records it durably, then saves how far it is. Looks five
// times a second, and at once when somebody asks. It may wait for disks; nobody waits for it without a deadline.

import Glibc
import Synchronization

/// A source that reads a log. Any thread may ask; the work is done on its own.
final class LogFollower: Sendable {
    /// What it works with.
    struct Parts: Sendable {
        let source: Configuration.Source
        let site: SourceSite
        let sentLog: any SentLog
        let log: LogWriter
        let registry: SourceRegistry
        /// Told how far it has read; nil: nobody wants to know.
        let reading: ReadingClock?
        /// Where the position is kept.
        let stateDirectory: String
    }

    /// Told whether all that had been written when it was asked is recorded.
    typealias Answer = @Sendable (Bool) -> Void

    /// Milliseconds between two looks.
    static let period: CInt = 200

    private let parts: Parts
    private let bell: Signal
    private let asked = Mutex<[Answer]>([])
    private let isStopped = Atomic(false)
    private let thread = Mutex<LogThread?>(nil)
    private let number: Int

    init(_ parts: Parts) throws(SentLogError) {
        guard let bell = Signal() else { throw .failed(file: parts.source.name, reason: "no descriptor left") }
        self.bell = bell
        self.parts = parts
        number = parts.registry.add(SourceStatus(name: parts.source.name, format: parts.source.format.rawValue))
    }

    func start() throws(SentLogError) {
        guard let started = LogThread({ [self] in FollowerWork(parts, number).run(self) }) else {
            throw .failed(file: parts.source.name, reason: "no thread left")
        }
        thread.withLock { $0 = started }
    }

    /// Reads once more what is there now.
    ///
    /// - Parameter answer: called once, on the follower's thread; never after `stop` has returned.
    func catchUp(_ answer: @escaping Answer) {
        asked.withLock { $0.append(answer) }
        bell.raise()
    }

    /// Ends the thread when it has saved its position. Idempotent.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.raise()
        let running = thread.take()
        running?.join()
    }

    fileprivate var hasToStop: Bool { isStopped.load(ordering: .acquiring) }

    fileprivate func takeAsked() -> [Answer] {
        asked.withLock { list in
            defer { list = [] }
            return list
        }
    }

    /// - Parameter descriptor: ends the wait too, when it is readable.
    fileprivate func wait(atMost milliseconds: CInt, or descriptor: CInt? = nil) { bell.wait(atMost: milliseconds, or: descriptor) }
}

/// The thread's own part.
private final class FollowerWork {
    /// The position of a quiet log is saved so often, in seconds: it bounds the hole if the log vanishes.
    private static let saved: Int64 = 60
    /// Milliseconds between two looks while somebody waits.
    private static let grain: Int64 = 20

    private let parts: LogFollower.Parts
    private let number: Int
    private let file: String
    private let tail: any FollowedLog
    private var reader: MTALog
    private var status: SourceStatus
    private var report: SourceReport
    /// When all that was there had been read, and what of the position is saved.
    private var caughtUp: Int64
    private var savedPlace: String?
    private var savedAt: Int64 = 0
    private var problem: String?
    private var hasWarned = false
    /// Up to when a log that is not understood was stated as a hole; nil: it is understood.
    private var holeTold: Int64?

    init(_ parts: LogFollower.Parts, _ number: Int) {
        self.parts = parts
        self.number = number
        let now = EventLoop.seconds()
        file = parts.source.positionFile(in: parts.stateDirectory)
        let left = parts.source.open(position: SmallFile.read(file))
        (tail, caughtUp) = (left.log, left.caughtUp ?? now)
        reader = MTALog(parts.source.format, parts.site.logSite, now: now)
        status = SourceStatus(name: parts.source.name, format: parts.source.format.rawValue)
        report = SourceReport(file: parts.source.reportFile(in: parts.stateDirectory), log: parts.log)
    }

    func run(_ follower: LogFollower) {
        while !follower.hasToStop {
            let asked = follower.takeAsked()
            if !asked.isEmpty { tail.look() }
            var isCaughtUp = advance(follower)
            if !asked.isEmpty { isCaughtUp = settle(isCaughtUp, follower) }
            publish(isCaughtUp)
            for answer in asked { answer(isCaughtUp) }
            follower.wait(atMost: LogFollower.period, or: tail.wake)
        }
        for answer in follower.takeAsked() { answer(false) }
        if let doubt = reader.recognition.doubt { lacks(doubt, until: EventLoop.seconds()) }
        tail.close()
        save()
        report.end()
    }

    /// Gives what was written just now the time that it needs to come here.
    private func settle(_ isCaughtUp: Bool, _ follower: LogFollower) -> Bool {
        var isCaughtUp = isCaughtUp
        let end = EventLoop.milliseconds() + tail.patience
        while !isCaughtUp, !follower.hasToStop {
            let left = end - EventLoop.milliseconds()
            guard left > 0 else { break }
            // Not too long: a log that is looked at once more has nothing to wake anybody with.
            follower.wait(atMost: CInt(min(left, FollowerWork.grain)), or: tail.wake)
            isCaughtUp = advance(follower)
        }
        return isCaughtUp
    }

    /// Reads to the end.
    ///
    /// - Returns: whether all that was written is recorded.
    private func advance(_ follower: LogFollower) -> Bool {
        while !follower.hasToStop {
            let began = EventLoop.seconds(), clock = EventLoop.milliseconds()
            switch tail.next(at: clock) {
            case .lines(let octets, let isKnown):
                reader.now = began
                reader.read(octets.span)
                if !took(isKnown, began, follower) { return false }
            case .messages(let messages, let isKnown):
                reader.now = began
                for message in messages { reader.read(message) }
                if !took(isKnown, began, follower) { return false }
            case .lost(let what): lost(what)
            case .pending: return false
            case .end:
                if isDoubtful(began, clock) { return false }
                tell(nil)
                parts.reading?.hasRead(number, to: clock - tail.lateness)
                caughtUp = began - (tail.lateness + 999) / 1_000
                let isNew = tail.position(caughtUp: 0) != savedPlace
                if isNew ? began > savedAt : began >= savedAt + FollowerWork.saved { save() }
                return true
            case .unreadable(let reason):
                tell("can't be read: \(reason)")
                return false
            }
        }
        return false
    }

    /// Records what was found in what was read.
    ///
    /// - Returns: false when guardd stops before that is done.
    private func took(_ isKnown: Bool, _ began: Int64, _ follower: LogFollower) -> Bool {
        // What an earlier run has read it has judged, and stated the holes.
        if isKnown { reader.recognition.forget() }
        if let ended = reader.recognition.takeEnded() {
            lacks(ended, until: began)
            holeTold = nil
            parts.log.write(.error, "source \(parts.source.name): understood again: mail since \(UTC.text(min(caughtUp, ended.since))) may be missing; unknown ids are not refused until bounce_window is over")
        }
        let mails = reader.take()
        if !isKnown, !mails.isEmpty, !record(mails, follower) { return false }
        if began > savedAt { save() }
        return true
    }

    /// Records, and waits until it is durable; tries again until it is, or guardd stops.
    private func record(_ mails: [LoggedMail], _ follower: LogFollower) -> Bool {
        while true {
            guard let error = attempt(mails) else {
                if let mail = mails.last(where: { !$0.entry.ids.isEmpty }), let id = mail.entry.ids.first {
                    status.lastID = "<\(ASCII.washed(id.octets, limit: 200))>"
                    status.lastSent = mail.time
                }
                return true
            }
            tell("records nothing: \(error.text)")
            publish(false)
            if follower.hasToStop { return false }
            follower.wait(atMost: 1_000)
        }
    }

    private func attempt(_ mails: [LoggedMail]) -> SentLogError? {
        guard let done = Signal() else { return .failed(file: parts.source.name, reason: "no descriptor left") }
        let outcome = FollowerOutcome()
        parts.sentLog.record(past: mails.map { ($0.entry, $0.time) }) { error in
            outcome.error.withLock { $0 = error }
            done.raise()
        }
        done.wait()
        return outcome.error.withLock { $0 }
    }

    /// All that was written was read, but perhaps not understood. What is left of it counts as mail that left unrecorded; and the
    /// place is not saved, so that a guardd that is told better reads it again.
    private func isDoubtful(_ now: Int64, _ clock: Int64) -> Bool {
        reader.recognition.judge(at: now)
        guard let doubt = reader.recognition.doubt else { return reader.recognition.isUnsure(at: now) }
        tell(doubt.text(parts.source.format))
        if now >= (holeTold ?? 0) + FollowerWork.saved || now < holeTold ?? 0 { lacks(doubt, until: now) }
        // Who shares the log needs not wait: it tells of the hole.
        parts.reading?.hasRead(number, to: clock - tail.lateness)
        return true
    }

    private func lacks(_ doubt: LogDoubt, until now: Int64) {
        holeTold = now
        let log = parts.log
        parts.sentLog.change(.hole(from: min(caughtUp, doubt.since), to: now)) { error in
            if let error { log.write(.error, "coverage: \(error.text)") }
        }
    }

    private func lost(_ what: String) {
        let now = EventLoop.seconds()
        let log = parts.log
        log.write(.error, "source \(parts.source.name): \(what): mail since \(UTC.text(caughtUp)) may be missing; unknown ids are not refused until bounce_window is over")
        parts.sentLog.change(.hole(from: caughtUp, to: now)) { error in
            if let error { log.write(.error, "coverage: \(error.text)") }
        }
    }

    /// Tells the operator when things change.
    private func tell(_ new: String?) {
        guard new != problem else { return }
        problem = new
        if let new {
            parts.log.write(.error, "source \(parts.source.name): \(new)")
        } else {
            parts.log.write(.info, "source \(parts.source.name): read again")
        }
    }

    /// What the administrator has to know of the mail server's settings, once.
    private func warn() {
        guard !hasWarned, (reader.counts.untoldPaths ?? 0) > 0 else { return }
        hasWarned = true
        parts.log.write(.warning, "source \(parts.source.name): mail of strangers is redirected to other sites, and Exim does not log its return path: "
            + "if a router has errors_to, or a transport return_path, set log_selector = +return_path_on_delivery, or bounces to that address may be refused")
    }

    private func publish(_ isCaughtUp: Bool) {
        warn()
        status.isAlive = problem == nil
        status.problem = problem
        status.behind = tail.behind
        status.counts = reader.counts
        if isCaughtUp { status.caughtUp = caughtUp }
        parts.registry.set(number, status)
        report.tell(status)
    }

    /// Everything before the position is durable.
    private func save() {
        savedAt = EventLoop.seconds()
        guard reader.recognition.doubt == nil, !reader.recognition.isUnsure(at: savedAt) else { return }
        guard let text = tail.position(caughtUp: caughtUp) else { return }
        savedPlace = tail.position(caughtUp: 0)
        if let reason = SmallFile.write(text, to: file) {
            parts.log.write(.error, "source \(parts.source.name): \(file): \(reason): after a restart lines will be read twice")
        }
    }
}

private final class FollowerOutcome: Sendable {
    let error = Mutex<SentLogError?>(nil)
}
