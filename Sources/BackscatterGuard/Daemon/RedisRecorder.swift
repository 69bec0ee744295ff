// Puts what this machine sends into a shared log: into the journal first, from there to Redis in groups, one on its way at
// a time. Lives on a thread and an event loop of its own.
//
// A record is answered when Redis has acknowledged it. When Redis does not at once (RedisPace), mail goes on all the same:
// the journal is made durable and stands in for Redis. The machine's row, which goes with every group and is renewed all
// the time, says up to when all stands that was let go (SenderRow); it says no more than before until a group has carried
// all of that. So the bounce of a mail that Redis does not know yet is never refused.

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
    /// The row tells something new so often: the others wait for that before they refuse.
    private static let renewal: Int64 = 200
    /// A time of the server that was heard of longer ago is asked for again before a renewal.
    private static let freshness: Int64 = 20
    private static let replyLimit: Int64 = 3_000
    /// How long mail waits for a log that has never heard of this machine.
    private static let firstLimit: Int64 = 2_000
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
    /// A question is on its way, since then.
    private var isSending = false
    private var askedAt: Int64 = 0
    private var moments = ServerMoments()
    /// When the server's time was heard of with which the row went there last.
    private var renewedAt: Int64 = .min / 2
    /// The last record that was let go without Redis.
    private var released: UInt64 = 0
    /// What stands in the journal is not all in Redis: it was not looked through since the last connection was made.
    private var isBehind = true
    private var pace = RedisPace()
    private var trouble = "it was not reached yet"

    init(_ settings: SharedLogSettings, key: SentKey, loop: EventLoop, reading: ReadingClock? = nil, report: @escaping @Sendable (Severity, String) -> Void) throws {
        self.settings = settings
        self.key = key
        self.report = report
        self.reading = reading
        journal = try SentJournal(directory: settings.journalDirectory, key: key)
        hole = try PendingHole(path: settings.holeFile)
        identity = try SenderIdentity.load(settings.senderFile)
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
        moments = ServerMoments()
        moments.add(hello.clock, at: hello.at)
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
            pace.found()
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
        if row == nil, known == nil, let before { (next.coverage, next.standsTo, next.run) = (before.coverage, before.standsTo, before.run) }
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
        // A row that is new says nothing yet, but has its lease: what is unknown does not pass before it says something.
        if next.standsTo == 0 { (next.standsTo, next.run) = (hello.clock - SenderRow.lease / 2, 0) }
        next.readsLog = reading != nil
        next.name = settings.name
        if let since = hole.since { next.coverage.openHole(at: since) }
        next.hasStarted = !next.coverage.intervals.isEmpty || next.coverage.openHoleSince != nil
        row = next
        for change in changes { applyToRow(change) }
        changes = []
        (isDirty, isBehind) = (true, true)
    }

    /// Sends the next group, or renews.
    private func pump() {
        guard link.isUp, !isSending, !isRetiring, var next = row, let view, let script, let hello = link.hello else { return }
        let now = EventLoop.milliseconds()
        let (entries, through, isEnd) = journal.read(after: next.through, limit: RedisRecorder.group)
        let heardAt = moments.newestAt ?? .min / 2
        // How far a log was read is told by the newest time that was heard of before that.
        let isCurious = reading != nil && now - heardAt >= RedisRecorder.grain
        guard !entries.isEmpty || isDirty || isCurious || now - renewedAt >= RedisRecorder.renewal else { return }
        // Without news a row would be renewed in vain.
        guard !entries.isEmpty || now - heardAt <= RedisRecorder.freshness else { return askTime() }
        if isEnd { isBehind = false }
        let carriesAll = !isBehind && through >= released
        if carriesAll, let time = standsTo() { (next.standsTo, next.run) = (time, hello.run) }
        next.through = through
        next.renewed = EventLoop.seconds()
        var words = [
            Octets("EVALSHA".utf8), script, Octets("2".utf8), view.layout.log, view.layout.senders, hello.epoch, Octets(identity.number.utf8), next.octets,
        ]
        for entry in entries { entry.appendOperations(view, to: &words) }
        var command: Octets = []
        command.appendCommand(words)
        command.appendCommand("TIME")
        (isSending, isDirty, askedAt, renewedAt) = (true, false, now, heardAt)
        let settled = hole.since
        link.send(command, replies: 2) { [weak self] replies in
            guard let self, let replies else { return }
            isSending = false
            guard case .status = replies[0] else { return link.fail(replies[0].errorText ?? "an answer that is none of ours") }
            guard hear(replies[1]) else { return }
            acknowledged(next, hello, carriesAll, settled)
        }
    }

    /// Asks for the server's clock, and renews then.
    private func askTime() {
        var command: Octets = []
        command.appendCommand("TIME")
        (isSending, askedAt) = (true, EventLoop.milliseconds())
        link.send(command, replies: 1) { [weak self] replies in
            guard let self, let replies else { return }
            isSending = false
            if hear(replies[0]) { pump() }
        }
    }

    /// - Returns: false when it is no time; the connection is given up then.
    private func hear(_ reply: RedisReply) -> Bool {
        guard let clock = reply.milliseconds else {
            link.fail(reply.errorText ?? "an answer that is none of ours")
            return false
        }
        moments.add(clock, at: EventLoop.milliseconds())
        return true
    }

    /// By the server's clock: all stands that has left up to then, if a group carries all that was let go. nil: it can't be said.
    private func standsTo() -> Int64? {
        guard let reading else { return moments.latest }
        return reading.readTo.flatMap { moments.earlier(than: $0) }
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

    private func acknowledged(_ sent: SenderRow, _ hello: RedisHello, _ carriedAll: Bool, _ settled: Int64?) {
        row?.through = sent.through
        row?.standsTo = sent.standsTo
        row?.run = sent.run
        remember(sent, hello)
        acknowledgedRow(sent.hasStarted)
        if let settled { hole.settle(settled) }
        let now = EventLoop.milliseconds()
        if pace.acknowledged(after: now - askedAt, all: carriedAll, at: now) {
            report(.warning, "sent log \(settings.address.text) is back and has all that was recorded meanwhile")
        }
        let count = waiting.firstIndex { $0.number > sent.through } ?? waiting.count
        for one in waiting[..<count] { one.done(nil) }
        waiting.removeFirst(count)
        pump()
    }

    /// The log has this row now.
    private func remember(_ sent: SenderRow, _ hello: RedisHello) {
        let before = identity
        identity.epoch = String(decoding: hello.epoch, as: UTF8.self)
        identity.hasStarted = sent.hasStarted
        guard identity != before else { return }
        do throws(SentLogError) { try identity.save(settings.senderFile) } catch { report(.error, "sent log: \(error.text)") }
    }

    // MARK: Redis is away

    private func lost(_ reason: String) {
        (isSending, isRetiring) = (false, false)
        // Nothing is sent, and nothing vouched for, before the next server has been compared with.
        script = nil
        trouble = reason
        pace.lost(at: EventLoop.milliseconds())
        release()
    }

    /// Lets mail go that Redis does not acknowledge.
    private func release() {
        let now = EventLoop.milliseconds()
        if isSending { pace.waited(since: askedAt, at: now) }
        if let first = waiting.first { pace.waited(since: first.since, at: now) }
        if !pace.waits, !waiting.isEmpty {
            if isExpected { letGo() } else { giveUp(now) }
        }
        guard pace.turnsAway(at: now) else { return }
        let reason = link.isUp ? isSending ? "no reply for \(now - askedAt) ms" : "replies take more than \(RedisPace.patience) ms" : trouble
        report(.error, "sent log \(settings.address.text) is away (\(reason)): outgoing mail goes on, recorded in \(settings.journalDirectory); unknown ids are not refused")
    }

    private func letGo() {
        do throws(SentLogError) {
            try journal.sync()
        } catch {
            for one in waiting { one.done(error) }
            return waiting = []
        }
        released = max(released, waiting.last?.number ?? 0)
        for one in waiting { one.done(nil) }
        waiting = []
        pace.letGo()
    }

    /// The other machines would not wait for this one's word before they refuse the bounces of its mail.
    private func giveUp(_ now: Int64) {
        let count = waiting.firstIndex { now - $0.since < RedisRecorder.firstLimit } ?? waiting.count
        for one in waiting[..<count] { one.done(.failed(file: settings.address.text, reason: "\(trouble), and it has never been reached from here")) }
        waiting.removeFirst(count)
    }

    /// The log has a row of this machine that says of its mail what this process does.
    private var isExpected: Bool {
        !identity.epoch.isEmpty && (identity.hasStarted || !(row?.hasStarted ?? changes.contains(where: \.isClaim)))
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
        if isSending, EventLoop.milliseconds() - askedAt > RedisRecorder.replyLimit { link.fail("no reply for \(RedisRecorder.replyLimit) ms") }
        pump()
        release()
        lookAround()
        afterTick()
    }
}
