// Notifications: held, looked up while they come, judged at their end, released or refused. DESIGN.md "The way of a
// message". Upstream hears DATA only when the verdict is to deliver, or when the hold is outgrown: then the content
// streams and its end waits, so that size hides nothing.

extension SMTPSession {
    mutating func beginHold(_ transaction: MailTransaction) { transaction.hold = Hold() }

    /// Looks new ids up while content still comes: the first one that is known ends the hold.
    mutating func askEarly(_ transaction: MailTransaction, into sink: some SessionSink) {
        guard let hold = transaction.hold, hold.inquiry == nil, !hold.hasCounted else { return }
        let count = hold.reader.originalIDCount
        guard count > hold.askedIDs else { return }
        hold.askedIDs = count
        ask(Inquiry(ids: hold.reader.evidence.originalMessageIDs, references: [], recipients: [], failedRecipients: [], countsReturn: false), .early, hold, into: sink)
    }

    /// The whole notification has been read.
    mutating func askFinally(_ transaction: MailTransaction, into sink: some SessionSink) {
        guard let hold = transaction.hold, hold.judgement == nil, hold.inquiry == nil else { return }
        hold.reader.finish()
        ask(fullInquiry(transaction, hold), .final, hold, into: sink)
    }

    private func fullInquiry(_ transaction: MailTransaction, _ hold: Hold) -> Inquiry {
        Inquiry(about: hold.reader.evidence, to: transaction.accepted, countsReturn: !hold.hasCounted)
    }

    private func ask(_ inquiry: Inquiry, _ stage: Hold.Stage, _ hold: Hold, into sink: some SessionSink) {
        hold.inquiry = inquiry
        hold.stage = stage
        if inquiry.countsReturn { hold.hasCounted = true }
        sink.ask(inquiry)
    }

    /// The sent log's answer to the last question.
    public mutating func found(_ findings: Findings, at now: Int64, wallClock: Int64, into sink: some SessionSink) {
        guard let transaction, let hold = transaction.hold, hold.inquiry != nil else { return }
        defer { endIfDone(into: sink) }
        hold.inquiry = nil
        if hold.stage == .early {
            let isKnown = findings.ids.contains { $0 != nil }
            if isKnown, !hold.isComplete { return ask(fullInquiry(transaction, hold), .confirming, hold, into: sink) }
            if hold.isComplete { askFinally(transaction, into: sink) } else { askEarly(transaction, into: sink) }
            return
        }
        var findings = findings
        findings.timesReturned = max(findings.timesReturned, hold.timesReturned)
        hold.timesReturned = findings.timesReturned
        guard let treatment = transaction.treatment else { return }
        let evidence = hold.reader.evidence
        let policy = settings.policy
        guard hold.stage == .final else {
            // Enough to deliver before the end? If not, the end decides.
            guard let early = policy.judgesEarly(evidence, findings, recipients: transaction.accepted, treatment: treatment, at: wallClock) else {
                if hold.isComplete { askFinally(transaction, into: sink) }
                return
            }
            return judged(early, evidence, transaction, hold, at: now, into: sink)
        }
        let judgement = policy.judge(evidence, findings, recipients: transaction.accepted, treatment: treatment, at: wallClock)
        judged(judgement, evidence, transaction, hold, at: now, into: sink)
    }

    private mutating func judged(
        _ judgement: Judgement, _ evidence: Evidence, _ transaction: MailTransaction, _ hold: Hold, at now: Int64, into sink: some SessionSink
    ) {
        hold.judgement = judgement
        hold.evidence = evidence
        hold.reader = NotificationReader()
        conclude(transaction, hold, judgement, at: now, into: sink)
    }

    private mutating func conclude(_ transaction: MailTransaction, _ hold: Hold, _ judgement: Judgement, at now: Int64, into sink: some SessionSink) {
        if let reply = settings.refusal(judgement) { return takeBack(transaction, hold, reply, at: now, into: sink) }
        if hold.isReleasing { return }                            // DATA or the link is on its way: that answer goes on
        if case .held = flow { return release(transaction, hold, at: now, into: sink) }
        if case .undecided = flow { flow = .through }
        payOwed(at: now, into: sink)
    }

    /// Not to be delivered: what has gone up already is taken back before its end, and the client gets `reply`.
    private mutating func takeBack(_ transaction: MailTransaction, _ hold: Hold, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        switch flow {
        case .undecided where !transaction.hasChunks, .undecided where hold.isReleasing: unlink(into: sink)
        case .undecided, .held, .through, .nowhere: resetUpstream()
        }
        transactionFailed(reply, at: now, into: sink)
    }

    /// RSET of guardd's own, so that the connection is clean for the next transaction (RFC 5321 §4.1.1.5). It goes up in
    /// one write with the next command, for most clients say QUIT after a refusal and need none.
    mutating func resetUpstream() {
        if case .standing = link { owesReset = true }
    }

    /// - Returns: false when the next command has to wait for the reply.
    mutating func payReset(at now: Int64, into sink: some SessionSink) -> Bool {
        guard owesReset else { return true }
        owesReset = false
        sink.toUpstream(SMTPSession.rset)
        expect(.silent, at: now)
        return keywords?.pipelining == true
    }

    // MARK: release

    /// Lets the held octets go up; the client waits meanwhile.
    private mutating func release(_ transaction: MailTransaction, _ hold: Hold, at now: Int64, into sink: some SessionSink) {
        flow = hold.judgement == nil ? .undecided : .through
        hold.isReleasing = true
        input = .nothing
        guard case .standing = link else {
            if isAuthenticated { return releaseFailed(at: now, into: sink) }
            hold.repeats = forwardingLines.map { Octets($0.dropLast(2)) } + [transaction.mailLine] + transaction.recipients.lazy.filter { $0.reply == .accepted }.map(\.line)
            return dial(for: .release, at: now, into: sink)
        }
        if transaction.hasChunks {
            hold.isReleasing = false
            sendHeldChunks(transaction, hold, at: now, into: sink)
        } else {
            sink.toUpstream(SMTPSession.dataCommand)
            expect(.heldData, at: now)
        }
    }

    /// The session's own limit; called when what the client just sent has been taken as a whole, so that a hold whose
    /// content has ended is judged instead.
    mutating func outgrewOwnLimit(at now: Int64, into sink: some SessionSink) {
        guard case .held = flow, let hold = transaction?.hold, hold.octets.count > settings.holdLimit else { return }
        outgrew(at: now, into: sink)
    }

    /// The hold is larger than allowed, or the largest when all holds together are: it streams on while the scan goes on.
    public mutating func outgrew(at now: Int64, into sink: some SessionSink) {
        guard let transaction, let hold = transaction.hold, case .held = flow, !hold.isReleasing, !hold.isComplete else { return }
        switch input {
        case .content, .chunk, .command: break
        default: return                         // a line is being thrown away, or the session ends: it has its own way on
        }
        hold.streams = true
        defer { endIfDone(into: sink) }
        release(transaction, hold, at: now, into: sink)
    }

    /// Upstream's answer to the DATA that released a hold.
    mutating func heldDataReplied(_ code: Int, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        guard let transaction, let hold = transaction.hold else { return end(Replies.internalError, into: sink) }
        hold.isReleasing = false
        guard code == 354 else {
            if code != 421 { resetUpstream() }
            return holdFailed(transaction, hold, reply, at: now, into: sink)
        }
        sink.toUpstream(markField(of: hold))
        sink.toUpstream(hold.octets)
        freeHeldOctets(hold, into: sink)
        if hold.isComplete, owed == nil { owed = .terminator(withDot: true) }
        if hold.judgement != nil { flow = .through }
        if hold.isComplete {
            if hold.judgement != nil { payOwed(at: now, into: sink) }
        } else {
            input = .content
            resumeContent(at: now)
        }
    }

    /// MAIL and RCPT are said again, one at a time, on a connection made anew.
    mutating func repeatEnvelope(at now: Int64, into sink: some SessionSink) {
        guard let transaction, let hold = transaction.hold else { return }
        guard !hold.repeats.isEmpty else { return release(transaction, hold, at: now, into: sink) }
        sink.toUpstream(hold.repeats.removeFirst())
        sink.toUpstream(SMTPSession.crlf)
        expect(.repeated, at: now)
    }

    mutating func repeatedReply(_ code: Int, at now: Int64, into sink: some SessionSink) {
        if code < 300 { return repeatEnvelope(at: now, into: sink) }
        guard let transaction, let hold = transaction.hold else { return }
        resetUpstream()
        holdFailed(transaction, hold, Replies.changedMind, at: now, into: sink)
    }

    /// No connection to release the hold to.
    mutating func releaseFailed(at now: Int64, into sink: some SessionSink) {
        guard let transaction, let hold = transaction.hold else { return end(Replies.upstreamLost, into: sink) }
        holdFailed(transaction, hold, Replies.contentLost, at: now, into: sink)
    }

    private mutating func holdFailed(_ transaction: MailTransaction, _ hold: Hold, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        hold.isReleasing = false
        if hold.isComplete { return transactionFailed(reply, at: now, into: sink) }
        input = !transaction.hasChunks ? .content : chunkLeft > 0 ? .chunk : .command
        contentFailed(reply, at: now, into: sink)
    }

    /// What action `mark` puts before the content.
    func markField(of hold: Hold) -> Octets {
        guard let judgement = hold.judgement, let field = settings.mark(judgement) else { return [] }
        return field.name + [ASCII.colon, ASCII.space] + field.body + SMTPSession.crlf
    }

    func freeHeldOctets(_ hold: Hold, into sink: some SessionSink) {
        sink.holdChanged(by: -hold.octets.count)
        hold.octets = []
    }

    mutating func endHold(into sink: some SessionSink) {
        guard let hold = transaction?.hold else { return }
        freeHeldOctets(hold, into: sink)
        hold.inquiry = nil
    }
}
