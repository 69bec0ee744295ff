// What the end of a message waits for: the durable record of an outgoing mail, the sent log's word on a notification.
// THREATS section 4: a record that fails lets nothing leave.

extension MilterSession {
    mutating func wait(at now: Int64) {
        state = .deciding
        deadline = now + settings.decisionLimit
        progressDue = now + settings.progressInterval
    }

    // MARK: outgoing mail

    /// Recipients beyond what is kept of one mail: their pairs are recorded now, since the ids are not known yet.
    mutating func recordPairs(of message: MilterMessage, into sink: some MilterSink) {
        record(SentEntry(ids: [], reversePath: message.sender.octets, forwardPaths: message.paths), of: message, into: sink)
        message.paths = []
        message.keptOctets = 0
    }

    /// The Message-IDs with sender and recipients, once. A mail that leaves without an id may get one from the MTA, made of
    /// its queue id.
    mutating func beginRecord(of message: MilterMessage, into sink: some MilterSink) {
        guard !message.isRecorded else { return }
        message.isRecorded = true
        let ids = message.headers.messageIDs
        let queueID = ids.isEmpty ? message.queueID : nil
        record(
            settings.session.entry(ids: ids, reversePath: message.sender.octets, forwardPaths: message.paths, queueID: queueID), of: message, into: sink)
    }

    private mutating func record(_ entry: SentEntry, of message: MilterMessage, into sink: some MilterSink) {
        message.recordsAwaited += 1
        recordsAwaited.append(message.number)
        sink.record(entry)
    }

    mutating func waitForRecord(of message: MilterMessage, at now: Int64, into sink: some MilterSink) {
        wait(at: now)
        settle(message, at: now, into: sink)
    }

    /// The sent log's word on the record that was asked for first of those still open. It may be of a message that has been
    /// given up since.
    public mutating func recorded(_ isDurable: Bool, at now: Int64, into sink: some MilterSink) {
        guard !recordsAwaited.isEmpty else { return }
        let number = recordsAwaited.removeFirst()
        guard let message, message.number == number else { return }
        message.recordsAwaited -= 1
        if !isDurable { message.recordHasFailed = true }
        if case .deciding = state { settle(message, at: now, into: sink) }
    }

    private mutating func settle(_ message: MilterMessage, at now: Int64, into sink: some MilterSink) {
        guard message.recordsAwaited == 0 else { return }
        deadline = now + settings.timeout
        guard message.recordHasFailed else { return answer(.accept, logged: MilterSession.accepted, into: sink) }
        let passes = settings.session.recordFailure == .pass
        sink.report(.unrecorded(session: number, passes: passes))
        if passes { return answer(.accept, logged: MilterSession.accepted, into: sink) }
        answer(.reply(Replies.recordFailed), logged: Replies.recordFailed, into: sink)
    }

    // MARK: notifications

    /// The sent log's answer to the last question.
    public mutating func found(_ findings: Findings, at now: Int64, wallClock: Int64, into sink: some MilterSink) {
        guard case .deciding = state, let message, message.inquiry != nil, let treatment = message.treatment else { return }
        message.inquiry = nil
        deadline = now + settings.timeout
        let evidence = message.reader.evidence
        let judgement = settings.session.policy.judge(evidence, findings, recipients: message.recipients, treatment: treatment, at: wallClock)
        message.judgement = judgement
        message.evidence = evidence
        if let reply = settings.session.refusal(judgement) { return answer(.reply(reply), logged: reply, into: sink) }
        if let field = settings.session.mark(judgement) { add(field, into: sink) }
        answer(.accept, logged: MilterSession.accepted, into: sink)
    }

    private func add(_ field: (name: Octets, body: Octets), into sink: some MilterSink) {
        guard options.actions.contains(.addHeaders) else { return }
        let body = (options.steps.contains(.leadingSpace) ? [ASCII.space] : []) + field.body
        // Version 2 knows no place for a field.
        send(options.version > 2 ? .insertHeader(name: field.name, body: body) : .addHeader(name: field.name, body: body), into: sink)
    }

    // MARK: the end

    /// The message is over, however; its line is written.
    ///
    /// - Parameter reply: nil when it ended before it was answered.
    /// - Parameter keepsMacros: those of the next MAIL are there already.
    mutating func endMessage(_ reply: Octets?, keepsMacros: Bool = false, into sink: some MilterSink) {
        if !keepsMacros { macros.endMessage() }
        guard let message else { return }
        self.message = nil
        let isWhole = message.hasContent && !message.isSkipping && reply != nil
        let ids = message.isOutgoing ? message.headers.messageIDs : []
        sink.report(.transaction(TransactionSummary(
            session: number, client: client, reversePath: message.sender.octets, forwardPaths: message.shown, recipientCount: message.recipientCount,
            isOutgoing: message.isOutgoing, hasContent: message.hasContent || reply != nil, size: isWhole ? message.size : nil,
            judgement: message.judgement ?? settled(message), evidence: message.evidence, messageID: ids.first, queueID: message.queueID, reply: reply
        )))
    }

    /// What is certain from the recipient alone, where nothing is judged: `tagged`.
    private func settled(_ message: MilterMessage) -> Judgement? {
        guard message.hasContent, let treatment = message.treatment, !treatment.isJudged else { return nil }
        return treatment.settled.map { Judgement(verdict: .deliver, reason: $0) }
    }
}
