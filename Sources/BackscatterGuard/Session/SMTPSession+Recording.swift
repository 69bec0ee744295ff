// Outgoing mail: its Message-IDs, reverse-path and forward-paths are durable in the sent log before the end of its
// content goes on. Everything before that end streams. THREATS section 4: a record that fails lets nothing leave.

extension SMTPSession {
    mutating func readHeaders(_ octets: Span<UInt8>, _ transaction: MailTransaction, into sink: some SessionSink) {
        if transaction.hasChunks {
            transaction.headers?.read(octets)
            if records == .own { transaction.received.read(octets) }
        } else {
            let readsReceived = records == .own
            headerUnstuffer.unstuff(octets) {
                transaction.headers?.read($0)
                if readsReceived { transaction.received.read($0) }
            }
        }
        if transaction.headers?.isComplete == true { beginRecord(of: transaction, into: sink) }
    }

    private mutating func beginRecord(of transaction: MailTransaction, into sink: some SessionSink) {
        guard let headers = transaction.headers else { return }
        guard isOwnMail(transaction) else {
            transaction.isForeign = true
            transaction.record = .durable
            return
        }
        if headers.overflowed, headers.messageIDs.isEmpty {
            transaction.record = .failed
            return
        }
        transaction.record = .asked
        // A recipient whose reply is still due counts: recording one too many does no harm.
        let paths = transaction.recipients.filter { $0.reply != .refused }.map(\.path.octets)
        let entry = settings.entry(ids: headers.messageIDs, reversePath: transaction.reversePath.octets, forwardPaths: paths)
        recordsAwaited += 1
        sink.record(entry, isAwaited: true)
    }

    /// The content has ended: its end may go up when the record is durable.
    mutating func finishRecord(of transaction: MailTransaction, at now: Int64, into sink: some SessionSink) {
        guard transaction.isRecorded else { return payOwed(at: now, into: sink) }
        if transaction.record == .none {
            transaction.headers?.finish()
            beginRecord(of: transaction, into: sink)
        }
        settleRecord(of: transaction, at: now, into: sink)
    }

    /// The sent log's word on the record that was asked for first of those still open. It answers in order; one that was
    /// asked for a mail that has been given up says nothing about the mail that came after it.
    public mutating func recorded(_ isDurable: Bool, at now: Int64, into sink: some SessionSink) {
        recordsAwaited -= 1
        guard recordsAwaited == 0, let transaction, transaction.record == .asked else { return }
        defer { endIfDone(into: sink) }
        transaction.record = isDurable ? .durable : .failed
        if owed != nil { settleRecord(of: transaction, at: now, into: sink) }
    }

    private mutating func settleRecord(of transaction: MailTransaction, at now: Int64, into sink: some SessionSink) {
        switch transaction.record {
        case .none, .asked: return
        case .durable: payOwed(at: now, into: sink)
        case .failed:
            if settings.recordFailure == .tempfail, awaited.all.contains(where: \.isForClient) {
                owedIsDue = true                 // chunks before the last are unanswered: the refusal must not come for one of them
                return
            }
            sink.report(.unrecorded(session: number, passes: settings.recordFailure == .pass))
            if settings.recordFailure == .pass { return payOwed(at: now, into: sink) }
            recordFailed(transaction, at: now, into: sink)
        }
    }

    /// A reply has come that the end of the content, or its refusal, had to wait for.
    mutating func settleOwed(at now: Int64, into sink: some SessionSink) {
        guard owedIsDue, let transaction else { return }
        if transaction.record == .failed, settings.recordFailure == .tempfail {
            settleRecord(of: transaction, at: now, into: sink)
        } else if awaited.isEmpty {
            payOwed(at: now, into: sink)
        }
    }

    private mutating func recordFailed(_ transaction: MailTransaction, at now: Int64, into sink: some SessionSink) {
        owed = nil
        if transaction.hasChunks { resetUpstream() } else { unlink(into: sink) }
        let reply = transaction.headers?.overflowed == true ? Replies.headerTooLarge
            : isAuthenticated && !transaction.hasChunks ? Replies.recordFailedSession : Replies.recordFailed
        transactionFailed(reply, at: now, into: sink)
    }

    /// A mail that left without an id gets one from the MTA behind, made of the queue id that its 250 tells.
    func recordQueueID(of transaction: MailTransaction, _ code: Int, _ reply: Octets, into sink: some SessionSink) {
        guard code < 300, transaction.isRecorded, !transaction.isForeign, transaction.headers?.messageIDs.isEmpty == true,
              let queueID = ReplyText.queueID(in: reply)
        else { return }
        let entry = SentEntry(ids: [], queueID: queueID, reversePath: transaction.reversePath.octets, forwardPaths: [])
        sink.record(entry, isAwaited: false)
    }
}

/// What the text of an MTA's reply tells.
enum ReplyText {
    /// The queue id in the reply to the end of content: Postfix `250 2.0.0 Ok: queued as QID`, Exim `250 OK id=QID`, sendmail `250 2.0.0 QID Message accepted for delivery`.
    static func queueID(in reply: Octets) -> Octets? {
        let words = reply.split { $0 == ASCII.space || $0 == ASCII.cr || $0 == ASCII.lf }.map(Octets.init)
        for (index, word) in words.enumerated() {
            if word.starts(with: Octets("id=".utf8)) { return plain(word.dropFirst(3)) }
            if index + 2 < words.count, ASCII.equal(word, "queued"), ASCII.equal(words[index + 1], "as") { return plain(words[index + 2][...]) }
            if index > 0, ASCII.equal(word, "message"), index + 1 < words.count, ASCII.equal(words[index + 1], "accepted") { return plain(words[index - 1][...]) }
        }
        return nil
    }

    private static func plain(_ octets: ArraySlice<UInt8>) -> Octets? {
        let isPlain = octets.allSatisfy { ASCII.isDigit($0) || ASCII.isLetter($0) || $0 == ASCII.hyphen }
        return isPlain && (6...64).contains(octets.count) ? Octets(octets) : nil
    }
}
