// A worker's questions to a shared log: asked in pipelines on the worker's own connection and loop, each with a deadline.
// What was on its way when the connection broke is asked again on the next one, as long as its deadline allows.

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
        /// The server's clock when it was first asked; nil: it has not answered yet.
        var clock: Int64?
        /// When it is asked again, because a sender had not read so far.
        var again: Int64 = .max
        let answered: (Findings) -> Void
    }

    /// More questions than this do not wait: the log is silent for them at once.
    private static let limit = 10_000
    /// Milliseconds that a question has besides, when a sender must read its log first; and until it is put again.
    private static let readingTime: Int64 = 1_500
    private static let readingPause: Int64 = 100
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
        asked[number]?.again = .max
        guard let question = asked[number], let view, let hello = link.hello else { return }
        let whole = RedisQuestion(question.inquiry, view, at: question.now)
        link.send(whole.commands, replies: whole.count) { [weak self] replies in
            guard let self, let replies else { return }           // lost: asked again by `stands`
            replied(number, whole, replies, run: hello.run)
        }
    }

    private func replied(_ number: UInt64, _ question: RedisQuestion, _ replies: [RedisReply], run: UInt64) {
        lastReply = EventLoop.milliseconds()
        guard let answer = question.answer(replies, run: run, asked: asked[number]?.clock ?? .max) else {
            return link.fail(replies.lazy.compactMap(\.errorText).first ?? "something in it is none of ours")
        }
        if shared.silence.spoke() { shared.report(.warning, "sent log \(shared.settings.address.text) answers again") }
        if answer.isReading, putsAgain(number, answer.clock) { return }
        var findings = answer.findings
        guard let asked = asked.removeValue(forKey: number) else { return }
        if findings.availability == .answered, asked.inquiry.countsReturn, let known = findings.ids.firstIndex(where: { $0 != nil }) {
            findings.timesReturned = shared.returns.count(shared.key.hash(id: asked.inquiry.ids[known]), at: asked.now)
        }
        asked.answered(findings)
    }

    /// What was sent a moment ago may not have been read yet where it was sent: the question is put again.
    ///
    /// - Returns: false for one that nobody waits for.
    private func putsAgain(_ number: UInt64, _ clock: Int64) -> Bool {
        guard var question = asked[number] else { return false }
        if question.clock == nil {
            question.clock = clock
            question.deadline += RedisLogReader.readingTime
        }
        question.again = EventLoop.milliseconds() + RedisLogReader.readingPause
        asked[number] = question
        return true
    }

    /// Looks for questions whose time is over, or has come again.
    private func look() {
        isTiming = false
        let clock = EventLoop.milliseconds()
        for (number, question) in asked where clock >= question.deadline {
            asked[number] = nil
            // One that waits for a sender, not for the server: that is not silent.
            question.answered(question.clock == nil ? silent(question.inquiry) : Findings(nothingFor: question.inquiry, .silent))
        }
        for number in asked.keys.sorted() where clock >= asked[number]?.again ?? .max { send(number) }
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
