// A shared log for commands: connects, asks, waits, within a deadline, on an event loop of its own.

/// Used on one thread. Records go straight to Redis, without a journal: what can't be recorded is told to the caller.
public final class RedisDesk: SentLogDesk {
    private let settings: SharedLogSettings
    private let key: SentKey?
    private let loop: EventLoop
    private let link: RedisLink
    private var timer: LoopTimer?
    private let patience: Int64
    private(set) var hello: RedisHello
    private var script: Octets?

    /// Connects.
    ///
    /// - Parameters:
    ///   - key: nil: to look at the server only.
    ///   - patience: milliseconds for connecting, and for each call.
    /// - Throws: keyMismatch, otherFormat, noLog; failed when the server does not answer.
    init(_ settings: SharedLogSettings, key: SentKey?, beginsLog: Bool, patience: Int64 = 5_000) throws(SentLogError) {
        self.settings = settings
        self.key = key
        self.patience = patience
        let made: (EventLoop, RedisLink)
        do {
            let loop = try EventLoop()
            made = (loop, try RedisLink(loop: loop, settings: settings, key: key, beginsLog: beginsLog))
        } catch { throw .failed(file: settings.address.text, reason: error.text) }
        (loop, link) = made
        hello = RedisHello(log: [:], run: 0, clock: 0, at: 0)
        var trouble = "no answer"
        let (loop, link) = made
        link.up = { _ in loop.stop() }
        link.down = { reason in
            trouble = reason
            if link.fault != nil { loop.stop() }
        }
        do { timer = try LoopTimer(loop: loop) { loop.stop() } } catch { throw .failed(file: settings.address.text, reason: error.text) }
        timer?.set(after: patience)
        link.start()
        if !link.isUp { loop.run() }
        timer?.stop()
        guard let hello = link.hello else {
            let fault = link.fault
            close()
            throw fault ?? .failed(file: settings.address.text, reason: trouble)
        }
        self.hello = hello
        link.up = { _ in }
        link.down = { _ in loop.stop() }
    }

    /// The desk of a machine that has the log's key.
    ///
    /// - Parameter begins: begin a log, and a key, where there is none.
    public convenience init(_ settings: SharedLogSettings, begins: Bool) throws(SentLogError) {
        var settings = settings
        settings.local.beginsLog = begins
        guard let key = try SharedLogOpener(settings).key() else { throw .noLog(directory: settings.local.stateDirectory) }
        try self.init(settings, key: key, beginsLog: begins)
    }

    deinit { close() }

    public func close() {
        link.close()
        timer?.close()
        guard timer != nil else { return }
        timer = nil
        loop.close()
    }

    /// Sends commands and waits for their replies.
    ///
    /// - Throws: failed, also for a reply that is an error.
    func call(_ commands: Octets, replies count: Int) throws(SentLogError) -> [RedisReply] {
        guard timer != nil else { throw .closed }
        var result: [RedisReply]?
        let loop = loop
        link.send(commands, replies: count) { replies in
            result = replies
            loop.stop()
        }
        timer?.set(after: patience)
        loop.run()
        timer?.stop()
        guard let replies = result else { throw .failed(file: settings.address.text, reason: "no reply") }
        if let error = replies.lazy.compactMap(\.errorText).first { throw .failed(file: settings.address.text, reason: error) }
        return replies
    }

    private func call(_ words: [Octets]) throws(SentLogError) -> RedisReply {
        var command: Octets = []
        command.appendCommand(words)
        return try call(command, replies: 1).first ?? .null
    }

    private func view() throws(SentLogError) -> RedisView {
        guard let key, let layout = hello.layout(settings.prefix) else { throw .otherFormat(file: settings.address.text) }
        return RedisView(key: key, layout: layout, bounceWindow: settings.local.bounceWindow, retention: settings.local.retention)
    }

    // MARK: SentLogDesk

    public func recordAndWait(_ entries: [SentEntry], at now: Int64) throws(SentLogError) {
        try recordAndWait(past: entries.map { ($0, now) })
    }

    public func recordAndWait(past entries: [(entry: SentEntry, sent: Int64)]) throws(SentLogError) {
        let view = try view()
        if script == nil { script = try call([Octets("SCRIPT".utf8), Octets("LOAD".utf8), Octets(RedisScript.apply.utf8)]).octets }
        var words = [Octets("EVALSHA".utf8), script ?? [], Octets("2".utf8), view.layout.log, view.layout.senders, hello.epoch, [], []]
        for entry in entries.flatMap({ JournalEntry.entries(of: $0.entry, at: $0.sent, key: view.key) }) { entry.appendOperations(view, to: &words) }
        _ = try call(words)
    }

    public func answer(_ inquiry: Inquiry, at now: Int64) -> Findings {
        do throws(SentLogError) {
            let question = RedisQuestion(inquiry, try view(), at: now)
            let replies = try call(question.commands, replies: question.count)
            return question.findings(replies, run: hello.run) ?? Findings(nothingFor: inquiry, .failed)
        } catch {
            return Findings(nothingFor: inquiry, .silent)
        }
    }

    public func lookup(_ id: MessageID, at now: Int64) throws(SentLogError) -> SentRecord? {
        let question = RedisQuestion(Inquiry(ids: [id]), try view(), at: now)
        let replies = try call(question.commands, replies: question.count)
        guard let findings = question.findings(replies, run: hello.run) else { throw .otherFormat(file: settings.address.text) }
        return findings.ids.first ?? nil
    }

    public func cover(since: Int64, at now: Int64) throws(SentLogError) { try complete(from: since, to: now) }
    public func retention(at now: Int64) throws(SentLogError) -> Int64 { settings.local.retention }

    public func complete(from: Int64, to: Int64) throws(SentLogError) {
        let view = try view()
        let statement = SharedSite.Statement(since: from, at: to).united(with: try site().statement)
        _ = try call([Octets("HSET".utf8), view.layout.log, Octets("stated".utf8), statement.octets])
    }

    /// Redis does it by itself; nothing to do.
    public func expire(at now: Int64) throws(SentLogError) -> ExpiryOutcome { .expired(before: Day.start(Day.number(now - settings.local.retention))) }

    public func retire(_ name: String) throws(SentLogError) -> Bool {
        let view = try view()
        guard let rows = try call([Octets("HGETALL".utf8), view.layout.senders]).pairs else { throw .otherFormat(file: settings.address.text) }
        let wanted = Octets(name.utf8)
        let found = rows.filter { $0.name == wanted || SenderRow(octets: $0.value)?.name == wanted }
        for row in found { _ = try call([Octets("HDEL".utf8), view.layout.senders, row.name]) }
        return !found.isEmpty
    }

    public func forget(_ id: MessageID, pair: (from: Octets, to: Octets)?, at now: Int64) throws(SentLogError) {
        let view = try view()
        let names = [view.key.hash(id: id)] + LoggedID.beginnings(of: id).map { view.key.hash(.idBeginning, $0) }
        var rows = (names + names.map(view.key.bound)).map { (RedisLayout.Table.ids, $0) }
        if let pair { rows.append((.pairs, view.key.hash(pairFrom: pair.from, to: pair.to))) }
        let days = RedisLayout.days(at: now, retention: settings.local.retention)
        var commands: Octets = []
        for (table, name) in rows {
            for day in days { commands.appendCommand([Octets("HDEL".utf8), view.layout.key(table, day: day, of: name), RedisLayout.field(name)]) }
        }
        _ = try call(commands, replies: rows.count * days.count)
    }

    private func site() throws(SentLogError) -> SharedSite {
        let question = RedisQuestion(Inquiry(), try view(), at: 0)
        guard let site = RedisQuestion.site(try call(question.commands, replies: question.count), run: hello.run) else {
            throw .otherFormat(file: settings.address.text)
        }
        return site
    }

    // MARK: reports

    /// Buckets of a day that are counted; the others are taken to be as full.
    private static let sample = 64

    public func statisticsText(at now: Int64) throws(SentLogError) -> String {
        let layout = try view().layout
        let buckets = 1 << layout.bits, step = max(1, buckets / RedisDesk.sample)
        let days = RedisLayout.days(at: now, retention: settings.local.retention)
        let counted = stride(from: 0, to: buckets, by: step).map { $0 }
        var commands: Octets = []
        for day in days {
            for table in [RedisLayout.Table.ids, .pairs] {
                for bucket in counted { commands.appendCommand([Octets("HLEN".utf8), layout.key(table, day: day, bucket: bucket)]) }
            }
        }
        var replies = try call(commands, replies: days.count * 2 * counted.count)[...]
        var lines = ["day        about ids      pairs"]
        for day in days {
            let counts = (0..<2).map { _ in
                defer { replies = replies.dropFirst(counted.count) }
                return replies.prefix(counted.count).reduce(0) { sum, reply in if case .integer(let count) = reply { sum + Int(count) } else { sum } } * step
            }
            if counts != [0, 0] { lines.append("\(UTC.day(day)) \(SentReport.column(counts[0])) \(SentReport.column(counts[1]))") }
        }
        lines.append("log: \(settings.address.text), \(buckets) hashes a day")
        lines.append("kept for: \(settings.local.retention / Day.seconds) days")
        return (lines + (try coverageText(at: now))).joined(separator: "\n")
    }

    public func coverageText(at now: Int64) throws(SentLogError) -> [String] {
        let site = try site()
        var lines: [String] = []
        for row in site.rows {
            let state = !row.hasStarted ? "records, and vouches for nothing"
                : site.vouches(row) ? "vouches"
                : now - row.renewed < SenderRow.lease / 1000 ? "is catching up; all stands that it sent up to \(UTC.text(row.standsTo / 1000))"
                : "silent since \(UTC.text(row.renewed)): a hole until it is back or retired"
            let behind = row.readsLog ? "; has read its log up to \(UTC.text(row.standsTo / 1000))" : ""
            lines.append("sender \(ASCII.washed(row.name, limit: 255)): \(state)\(behind)")
            for interval in row.coverage.intervals { lines.append("  complete: from \(UTC.text(interval.from)) to \(interval.to.map(UTC.text) ?? "now")") }
            if let hole = row.coverage.openHoleSince { lines.append("  hole: mail has been leaving unrecorded since \(UTC.text(hole))") }
        }
        if let statement = site.statement { lines.append("stated: complete since \(UTC.text(statement.since)) (said \(UTC.text(statement.at)))") }
        let days = settings.local.bounceWindow / Day.seconds
        switch site.standing(from: now - settings.local.bounceWindow, to: now) {
        case .complete: lines.append("covered: yes, the last \(days) days are complete: unknown ids can be refused")
        case .waiting: lines.append("covered: in doubt, a sender is silent or behind: unknown ids are deferred for some seconds")
        case .incomplete: lines.append("covered: no, the last \(days) days are not complete: unknown ids pass")
        }
        return lines
    }
}
