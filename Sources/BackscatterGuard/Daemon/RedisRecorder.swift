// Puts what this machine sends into a shared log: into the journal first, from there to Redis in groups, one on its way at
// a time. Lives on a thread and an event loop of its own.
//
// A record is answered when Redis has acknowledged it. When Redis does not, mail goes on all the same: once the time is
// over for which this machine has vouched (SenderRow), the journal is made durable and stands in for Redis until that is
// back and has caught up. Only then does the machine vouch again.

import Glibc

/// Used on its loop's thread only.
final class RedisRecorder {
    /// What other threads ask for.
    enum Job: Sendable {
        case record([(entry: SentEntry, time: Int64)], whenDone: @Sendable (SentLogError?) -> Void)
        case change(CoverageChange, whenDone: @Sendable (SentLogError?) -> Void)
        case keep(at: Int64, whenDone: @Sendable (SentLogError?) -> Void)
    }

    private struct Waiting {
        let number: UInt64
        let since: Int64
        let done: @Sendable (SentLogError?) -> Void
    }

    /// Milliseconds.
    private static let grain: Int64 = 50
    private static let renewal = SenderRow.vouching / 4
    /// Of a machine that reads logs: others wait for it to tell how far it is.
    private static let readingRenewal = SenderRow.vouching / 10
    /// How long an acknowledgement may take before Redis counts as away.
    private static let patience: Int64 = 250
    private static let replyLimit: Int64 = 3_000
    /// Octets of journal in one group.
    private static let group = 64 << 10
    private static let waitingLimit = 65_536

    private let settings: SharedLogSettings
    private let key: SentKey
    private let report: @Sendable (Severity, String) -> Void
    private let link: RedisLink
    private var timer: LoopTimer?
    private let journal: SentJournal
    private let hole: PendingHole
    private let reading: ReadingClock?
    /// The row is to go, or is gone.
    private var isRetiring = false
    private var identity: SenderIdentity

    /// What stands in Redis of this machine, and what is to stand there next; nil: not known yet.
    private(set) var row: SenderRow?
    private var changes: [CoverageChange] = []
    private var isDirty = false
    private var view: RedisView?
    private var script: Octets?
    private var waiting: [Waiting] = []
    private var isSending = false
    private var sentAt: Int64 = 0
    /// The last record that was let go without Redis.
    private var released: UInt64 = 0
    /// Milliseconds of the monotonic clock: nothing may go without Redis before.
    private var fence: Int64
    /// Said in the log.
    private var isAway = false
    private var trouble = "it was not reached yet"

    init(_ settings: SharedLogSettings, key: SentKey, loop: EventLoop, reading: ReadingClock? = nil, report: @escaping @Sendable (Severity, String) -> Void) throws {
        self.settings = settings
        self.key = key
        self.report = report
        self.reading = reading
        journal = try SentJournal(directory: settings.journalDirectory, key: key)
        hole = try PendingHole(path: settings.holeFile)
        identity = try SenderIdentity.load(settings.senderFile)
        // The process before this one may have vouched until now.
        fence = EventLoop.milliseconds() + SenderRow.vouching
        link = try RedisLink(loop: loop, settings: settings, key: key, beginsLog: true)
        timer = try LoopTimer(loop: loop) { [weak self] in self?.tick() }
        link.up = { [weak self] in self?.stands($0) }
        link.down = { [weak self] reason in self?.lost(reason) }
        link.start()
        timer?.set(after: RedisRecorder.grain)
    }

    /// Hears now and then since when the log of all machines is complete.
    var learnt: (Int64?) -> Void = { _ in }
    private var lookedAt: Int64 = .min / 2

    /// The server has taken this process's row: whether that says that all mail is recorded.
    var acknowledgedRow: (Bool) -> Void = { _ in }

    /// Called every 50 ms.
    var afterTick: () -> Void = {}

    /// Nothing waits for Redis or the disk.
    var isIdle: Bool { waiting.isEmpty }

    func close() {
        timer?.close()
        timer = nil
        link.close()
        try? journal.sync()
        for one in waiting { one.done(.closed) }
        waiting = []
    }

    // MARK: what is asked for

    func take(_ jobs: [Job]) {
        var entries: [JournalEntry] = []
        var answers: [(number: UInt64, done: @Sendable (SentLogError?) -> Void)] = []
        let oldest = EventLoop.seconds() - settings.local.retention
        for job in jobs {
            switch job {
            case .record(let mails, let done):
                guard waiting.count + answers.count < RedisRecorder.waitingLimit else {
                    done(.queueFull(limit: RedisRecorder.waitingLimit))
                    continue
                }
                for mail in mails where mail.time > oldest { entries += JournalEntry.entries(of: mail.entry, at: mail.time, key: key) }
                answers.append((UInt64(entries.count), done))
            case .change(let change, let done):
                done(apply(change))
            case .keep(let now, let done):
                journal.expire(at: now, acknowledged: row?.through ?? 0)
                done(nil)
            }
        }
        append(entries, answers)
        pump()
        release()
    }

    private func append(_ entries: [JournalEntry], _ answers: [(number: UInt64, done: @Sendable (SentLogError?) -> Void)]) {
        guard !answers.isEmpty else { return }
        do throws(SentLogError) {
            let last = entries.isEmpty ? journal.last : try journal.append(entries, at: EventLoop.seconds())
            let now = EventLoop.milliseconds()
            waiting += answers.map { Waiting(number: last - UInt64(entries.count) + $0.number, since: now, done: $0.done) }
        } catch {
            for answer in answers { answer.done(error) }
        }
    }

    private func apply(_ change: CoverageChange) -> SentLogError? {
        if case .openHole(let now) = change {
            hole.open(at: now)
            hole.keep()
        }
        if row == nil { changes.append(change) }
        applyToRow(change)
        return nil
    }

    private func applyToRow(_ change: CoverageChange) {
        guard var next = row else { return }
        change.apply(to: &next.coverage)
        next.hasStarted = !next.coverage.intervals.isEmpty || next.coverage.openHoleSince != nil
        row = next
        isDirty = true
    }

    // MARK: Redis is there

    private func stands(_ hello: RedisHello) {
        guard let layout = hello.layout(settings.prefix) else { return }
        view = RedisView(key: key, layout: layout, bounceWindow: settings.local.bounceWindow, retention: settings.local.retention)
        var commands: Octets = []
        commands.appendCommand("SCRIPT", "LOAD", RedisScript.apply)
        // What this process goes on from, if it is new in the log.
        let others = identity.epoch.isEmpty ? SharedSlot.senders(besides: settings) : []
        for number in [identity.number] + others { commands.appendCommand([Octets("HGET".utf8), layout.senders, Octets(number.utf8)]) }
        link.send(commands, replies: 2 + others.count) { [weak self] replies in
            guard let self, let replies else { return }
            guard let script = replies[0].octets, replies[1].errorText == nil else { return link.fail(replies.lazy.compactMap(\.errorText).first ?? "no script") }
            let known = replies[1].octets
            guard known == nil || known.flatMap(SenderRow.init(octets:)) != nil else { return link.fail("this machine's row in it was written by another version of guardd") }
            self.script = script
            let before = replies[2...].compactMap { $0.octets.flatMap(SenderRow.init(octets:)) }.max { $0.renewed < $1.renewed }
            catchUp(with: known.flatMap(SenderRow.init(octets:)), goingOnFrom: before, hello)
            pump()
        }
    }

    /// Finds out what Redis has of this machine, and what of it is lost.
    ///
    /// - Parameter before: the row of the process that this one takes the place of. It goes on vouching for what it has sent;
    ///   this one has sent nothing before now, so that one's coverage is true of it too.
    private func catchUp(with known: SenderRow?, goingOnFrom before: SenderRow?, _ hello: RedisHello) {
        let epoch = String(decoding: hello.epoch, as: UTF8.self)
        let begun = journal.begun ?? EventLoop.seconds()
        var next = row ?? known ?? SenderRow()
        if row == nil, known == nil, let before { (next.coverage, next.readTo) = (before.coverage, before.readTo) }
        if let known, identity.epoch.isEmpty || identity.epoch == epoch {
            next.through = known.through
            if known.through < journal.previous {
                report(.error, "sent log \(settings.address.text) came back without records from \(UTC.text(known.renewed)) on; those since \(UTC.text(begun)) are put back: a hole in coverage")
                next.coverage.openHole(from: known.renewed, to: max(begun, known.renewed + 1))
            }
        } else if !identity.epoch.isEmpty {
            report(.error, "sent log \(settings.address.text) came back without its data; records since \(UTC.text(begun)) are put back, and coverage starts anew")
            next = SenderRow()
            if identity.hasStarted || row?.hasStarted == true { next.coverage.start(at: begun) }
        }
        next.vouchesUntil = 0
        next.name = settings.name
        if let since = hole.since { next.coverage.openHole(at: since) }
        next.hasStarted = !next.coverage.intervals.isEmpty || next.coverage.openHoleSince != nil
        row = next
        for change in changes { applyToRow(change) }
        changes = []
        isDirty = true
        identity.epoch = epoch
        identity.hasStarted = row?.hasStarted ?? false
        do throws(SentLogError) { try identity.save(settings.senderFile) } catch { report(.error, "sent log: \(error.text)") }
    }

    /// Sends the next group, or renews.
    private func pump() {
        guard link.isUp, !isSending, !isRetiring, var next = row, let view, let script, let hello = link.hello else { return }
        let clock = EventLoop.milliseconds()
        let (entries, through) = journal.read(after: next.through, limit: RedisRecorder.group)
        guard !entries.isEmpty || isDirty || clock - sentAt >= (reading == nil ? RedisRecorder.renewal : RedisRecorder.readingRenewal) else { return }
        next.through = through
        next.run = hello.run
        next.renewed = EventLoop.seconds()
        // A lower bound of the server's clock makes `fence` an upper one of when it reaches `vouchesUntil`.
        next.vouchesUntil = next.hasStarted && through >= released ? hello.clock + (clock - hello.at) + SenderRow.vouching : 0
        next.readTo = readTo(next, hello)
        if next.vouchesUntil > 0 { fence = clock + SenderRow.vouching + RedisRecorder.grain }
        var words = [
            Octets("EVALSHA".utf8), script, Octets("2".utf8), view.layout.log, view.layout.senders, hello.epoch, Octets(identity.number.utf8), next.octets,
        ]
        for entry in entries { entry.appendOperations(view, to: &words) }
        var command: Octets = []
        command.appendCommand(words)
        isSending = true
        isDirty = false
        sentAt = clock
        let settled = hole.since
        link.send(command, replies: 1) { [weak self] replies in
            guard let self, let reply = replies?.first else { return }
            isSending = false
            guard case .status = reply else { return link.fail(reply.errorText ?? "an answer that is none of ours") }
            acknowledged(through, readTo: next.readTo, vouches: next.vouchesUntil > 0, starts: next.hasStarted, settled)
        }
    }

    /// By a lower bound of the server's clock. Nothing read yet: as far as the process before this one; in a new row (SIGUSR2)
    /// not so far that it vouches for anything, but not so far back either that unknown ids pass before it has begun to read.
    private func readTo(_ row: SenderRow, _ hello: RedisHello) -> Int64 {
        guard let reading else { return 0 }
        if let read = reading.readTo { return max(1, hello.clock + read - hello.at) }
        return max(1, row.readTo > 0 ? row.readTo : hello.clock - (SenderRow.lease - SenderRow.vouching) / 2)
    }

    /// Takes the row out of the log. For one that sends no more and whose journal nobody needs.
    ///
    /// - Parameter heir: the row that stands for the machine from now on.
    func retire(to heir: SenderRow, at now: Int64, _ done: @escaping () -> Void) {
        guard link.isUp, !isSending, !isRetiring, let row, let view, journal.isOver(at: now), journal.read(after: row.through, limit: 1).entries.isEmpty,
              hole.since == nil, heir.hasStarted || !row.hasStarted,
              row.coverage.contains(heir.coverage, from: now - settings.local.retention, to: now)
        else { return }
        isRetiring = true
        var command: Octets = []
        command.appendCommand([Octets("HDEL".utf8), view.layout.senders, Octets(identity.number.utf8)])
        link.send(command, replies: 1) { replies in
            if case .integer? = replies?.first { done() }
        }
    }

    private func acknowledged(_ through: UInt64, readTo: Int64, vouches: Bool, starts isStarted: Bool, _ settled: Int64?) {
        row?.through = through
        row?.readTo = readTo
        acknowledgedRow(isStarted)
        if let settled { hole.settle(settled) }
        if isAway, vouches || row?.hasStarted != true {
            isAway = false
            report(.warning, "sent log \(settings.address.text) is back and has all that was recorded meanwhile")
        }
        let count = waiting.firstIndex { $0.number > through } ?? waiting.count
        for one in waiting[..<count] { one.done(nil) }
        waiting.removeFirst(count)
        let starts = row?.hasStarted ?? false
        if starts != identity.hasStarted {
            identity.hasStarted = starts
            do throws(SentLogError) { try identity.save(settings.senderFile) } catch { report(.error, "sent log: \(error.text)") }
        }
        pump()
    }

    // MARK: Redis is away

    private func lost(_ reason: String) {
        (isSending, isRetiring) = (false, false)
        // Nothing is sent, and nothing vouched for, before the next server has been compared with.
        script = nil
        trouble = reason
        release()
    }

    /// Lets mail go that Redis does not acknowledge, once this machine vouches no more.
    private func release() {
        guard let first = waiting.first else { return }
        let clock = EventLoop.milliseconds()
        let isReached = link.isUp && script != nil
        guard clock >= fence, !isReached || clock - first.since >= RedisRecorder.patience else { return }
        // The other machines don't know of this one yet, so nothing would keep them from refusing its bounces.
        guard !identity.epoch.isEmpty else {
            for one in waiting { one.done(.failed(file: settings.address.text, reason: "\(trouble), and it has never been reached from here")) }
            return waiting = []
        }
        do throws(SentLogError) {
            try journal.sync()
        } catch {
            for one in waiting { one.done(error) }
            return waiting = []
        }
        if !isAway {
            isAway = true
            let reason = isReached ? "no reply for \(clock - sentAt) ms" : trouble
            report(.error, "sent log \(settings.address.text) is away (\(reason)): outgoing mail goes on, recorded in \(settings.journalDirectory); unknown ids are not refused")
        }
        for one in waiting {
            released = max(released, one.number)
            one.done(nil)
        }
        waiting = []
    }

    /// Asks what the other machines say, once in ten seconds.
    private func lookAround() {
        let clock = EventLoop.milliseconds()
        guard let view, let hello = link.hello, script != nil, clock - lookedAt > 10_000 else { return }
        lookedAt = clock
        let question = RedisQuestion(Inquiry(), view, at: EventLoop.seconds())
        link.send(question.commands, replies: question.count) { [weak self] replies in
            guard let self, let replies, let site = RedisQuestion.site(replies, run: hello.run) else { return }
            learnt(site.completeSince(at: question.now))
        }
    }

    private func tick() {
        timer?.set(after: RedisRecorder.grain)
        if isSending, EventLoop.milliseconds() - sentAt > RedisRecorder.replyLimit { link.fail("no reply for \(RedisRecorder.replyLimit) ms") }
        pump()
        release()
        lookAround()
        afterTick()
    }
}
