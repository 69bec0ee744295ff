// A worker's questions to a shared log: asked in pipelines on the worker's own connection and loop, each with a deadline.
// What was on its way when the connection broke is asked again on the next one, as long as its deadline allows. An unknown
// id waits until the senders' rows reach to when it was asked for (SenderRow), and is looked up once more then.

/// Asks a shared log for one event loop.
final class RedisLogReader: SentLogReader {
    /// What all workers have in common.
    struct Shared: Sendable {
        let settings: SharedLogSettings
        let key: SentKey
        let silence = SilenceClock()
        let returns: ReturnCounter
        /// For the log: severity and one line.
        let report: @Sendable (Severity, String) -> Void

        init(_ settings: SharedLogSettings, key: SentKey, report: @escaping @Sendable (Severity, String) -> Void) {
            self.settings = settings
            self.key = key
            self.report = report
            returns = ReturnCounter(limit: settings.local.countedReturns, lifetime: settings.local.retention)
        }
    }

    private struct Asked {
        let inquiry: Inquiry
        let now: Int64
        var deadline: Int64
        /// When it was asked first; nil: it was not answered yet.
        var first: RedisQuestion.Moment?
        /// Nothing is known, and it is on its way no more: it waits for the senders.
        var isWaiting = false
        /// It has been given the time for that.
        var isExtended = false
        let answered: (Findings) -> Void
    }

    /// More questions than this do not wait: the log is silent for them at once.
    private static let limit = 10_000
    /// Milliseconds that a question has besides, when it waits for senders; and between two looks at their rows.
    private static let waitingTime: Int64 = 1_500
    private static let pause: Int64 = 40
    /// Milliseconds between two looks at deadlines.
    private static let grain: Int64 = 20

    private let shared: Shared
    private let link: RedisLink
    private var timer: LoopTimer?
    private var asked: [UInt64: Asked] = [:]
    private var number: UInt64 = 0
    private var isTiming = false
    private var lastReply: Int64 = 0
    private var view: RedisView?
    /// The senders' rows are on their way; and when they were asked for.
    private var isLooking = false
    private var lookedAt: Int64 = 0
    private var trouble = "it was not reached yet"

    init(_ shared: Shared, loop: EventLoop) throws(ReactorError) {
        self.shared = shared
        link = try RedisLink(loop: loop, settings: shared.settings, key: shared.key, beginsLog: true)
        timer = try LoopTimer(loop: loop) { [weak self] in self?.look() }
        link.up = { [weak self] in self?.stands($0) }
        link.down = { [weak self] in self?.trouble = $0 }
        link.start()
    }

    func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void) {
        guard asked.count < RedisLogReader.limit else { return answered(silent(inquiry)) }
        let clock = EventLoop.milliseconds()
        if asked.isEmpty { lastReply = clock }
        number += 1
        asked[number] = Asked(inquiry: inquiry, now: now, deadline: clock + shared.settings.timeout, answered: answered)
        if link.isUp { send(number) }
        guard !isTiming else { return }
        isTiming = true
        timer?.set(after: RedisLogReader.grain)
    }

    func close() {
        link.close()
        timer?.close()
        timer = nil
        asked = [:]
    }

    private func stands(_ hello: RedisHello) {
        guard let layout = hello.layout(shared.settings.prefix) else { return }
        view = RedisView(key: shared.key, layout: layout, bounceWindow: shared.settings.local.bounceWindow, retention: shared.settings.local.retention)
        lastReply = EventLoop.milliseconds()
        for number in asked.keys.sorted() { send(number) }
    }

    private func send(_ number: UInt64) {
        asked[number]?.isWaiting = false
        guard let question = asked[number], let view, let hello = link.hello else { return }
        let whole = RedisQuestion(question.inquiry, view, at: question.now)
        link.send(whole.commands, replies: whole.count) { [weak self] replies in
            guard let self, let replies else { return }           // lost: asked again by `stands`
            replied(number, whole, replies, run: hello.run)
        }
    }

    private func replied(_ number: UInt64, _ question: RedisQuestion, _ replies: [RedisReply], run: UInt64) {
        lastReply = EventLoop.milliseconds()
        guard let answer = question.answer(replies, run: run, asked: asked[number]?.first) else {
            return link.fail(replies.lazy.compactMap(\.errorText).first ?? "something in it is none of ours")
        }
        if shared.silence.spoke() { shared.report(.warning, "sent log \(shared.settings.address.text) answers again") }
        if answer.isWaiting, waits(number, answer.asked) { return }
        var findings = answer.findings
        guard let asked = asked.removeValue(forKey: number) else { return }
        if findings.availability == .answered, asked.inquiry.countsReturn, let known = findings.ids.firstIndex(where: { $0 != nil }) {
            findings.timesReturned = shared.returns.count(shared.key.hash(id: asked.inquiry.ids[known]), at: asked.now)
        }
        asked.answered(findings)
    }

    /// What was sent a moment ago may not stand yet: the question is put again when the senders say that it does.
    ///
    /// - Returns: false for one that nobody waits for.
    private func waits(_ number: UInt64, _ first: RedisQuestion.Moment) -> Bool {
        guard var question = asked[number] else { return false }
        question.first = first
        if !question.isExtended { question.deadline += RedisLogReader.waitingTime }
        (question.isExtended, question.isWaiting) = (true, true)
        asked[number] = question
        return true
    }

    /// Asks for the senders' rows alone, for all questions that wait.
    private func lookAtSenders(_ clock: Int64) {
        guard !isLooking, clock - lookedAt >= RedisLogReader.pause, link.isUp, let view, let hello = link.hello,
              asked.values.contains(where: \.isWaiting)
        else { return }
        (isLooking, lookedAt) = (true, clock)
        let rows = RedisQuestion(Inquiry(), view, at: 0)
        link.send(rows.commands, replies: rows.count) { [weak self] replies in
            guard let self else { return }
            isLooking = false
            guard let replies else { return }
            lastReply = EventLoop.milliseconds()
            guard let site = RedisQuestion.site(replies, run: hello.run) else { return link.fail("something in it is none of ours") }
            // In the order in which they were asked: when one has to wait, so have all behind it.
            for number in asked.keys.sorted() {
                guard let question = asked[number], question.isWaiting, let first = question.first else { continue }
                if site.standing(from: question.now - view.bounceWindow, to: question.now, asked: first.clock) == .waiting { return }
                send(number)
            }
        }
    }

    /// Looks for questions whose time is over, or has come again.
    private func look() {
        isTiming = false
        let clock = EventLoop.milliseconds()
        for (number, question) in asked where clock >= question.deadline {
            asked[number] = nil
            // One that waits for a sender, not for the server: that is not silent.
            question.answered(question.isExtended ? Findings(nothingFor: question.inquiry, .silent) : silent(question.inquiry))
        }
        lookAtSenders(clock)
        // Replies come in order: nothing behind a stuck one would ever be answered in time.
        if link.isUp, clock - lastReply > 2 * shared.settings.timeout, !asked.isEmpty { link.fail("no reply for \(clock - lastReply) ms") }
        guard !asked.isEmpty, !isTiming else { return }
        isTiming = true
        timer?.set(after: RedisLogReader.grain)
    }

    private func silent(_ inquiry: Inquiry) -> Findings {
        let (availability, isFirst) = shared.silence.fell(at: EventLoop.milliseconds())
        if isFirst {
            let reason = link.isUp ? "no reply within \(shared.settings.timeout) ms" : trouble
            shared.report(.error, "sent log \(shared.settings.address.text) is silent (\(reason)): bounces are deferred, for 4 h at most")
        }
        return Findings(nothingFor: inquiry, availability)
    }
}
