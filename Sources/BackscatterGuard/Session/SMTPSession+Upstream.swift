// Upstream's replies: matched one to one with what was sent, passed on as they came (RFC 5321 §4.2). A reply that
// nothing asked for, or garbage, is a lost connection (THREATS R10).

extension SMTPSession {
    /// Octets of the upstream.
    public mutating func upstreamSent(_ octets: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        var start = 0
        while start < octets.count {
            switch link {
            case .none, .dialling: return
            default: break
            }
            switch replies.scan(octets, from: start) {
            case .needsMore: return
            case .malformed:
                sink.report(.upstreamGarbled(session: number))
                return lost(at: now, into: sink)
            case .reply(let code, let end):
                upstreamReplied(code, octets.extracting(start..<end), at: now, into: sink)
                replies.reset()
                start = end
            }
        }
    }

    /// Upstream closed, or reading from or writing to it failed.
    public mutating func upstreamEnded(at now: Int64, into sink: some SessionSink) { lost(at: now, into: sink) }

    private mutating func upstreamReplied(_ code: Int, _ tail: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        guard case .standing = link else {
            return linkReply(code, replies.carried + tail.copied(), at: now, into: sink)
        }
        guard let entry = awaited.first else { return unasked(code, tail, at: now, into: sink) }
        // The entry stays: whoever waits for the answer is told of the loss.
        guard isAnswer(code, to: entry) else { return lost(at: now, into: sink) }
        awaited.removeFirst()
        upstreamDeadline = awaited.isEmpty ? .max : now + deadline(for: awaited.first)
        replied(code, tail, to: entry, at: now, into: sink)
        while case .own(let reply)? = awaited.first {
            awaited.removeFirst()
            sink.toClient(reply)
        }
        if awaited.isEmpty { upstreamDeadline = .max }
        if awaited.isEmpty && endsWhenAnswered { return close(into: sink) }
        if isIdle {
            expectClient(at: now)
            if isStopping, transaction == nil { return end(Replies.stopping, into: sink) }
            closeIfIdle(into: sink)
        }
    }

    /// A code that the command can have at all (RFC 5321 §4.3.2).
    private func isAnswer(_ code: Int, to entry: Awaited) -> Bool {
        switch entry {
        // 354 without a transaction, because its MAIL was refused: content would go nowhere.
        case .data: code == 354 && transaction != nil || code >= 400
        case .heldData: code == 354 || code >= 400
        case .authentication: true
        default: code < 300 || code >= 400
        }
    }

    private func passOn(_ tail: Span<UInt8>, into sink: some SessionSink) {
        if !replies.carried.isEmpty { sink.toClient(replies.carried) }
        sink.toClient(tail)
    }

    private mutating func replied(_ code: Int, _ tail: Span<UInt8>, to entry: Awaited, at now: Int64, into sink: some SessionSink) {
        switch entry {
        case .hello(let extended): helloReplied(code, tail, extended, at: now, into: sink)
        case .helloAgain: helloSaidAgain(code, replies.carried + tail.copied(), at: now, into: sink)
        case .repeated: repeatedReply(code, at: now, into: sink)
        case .heldData: heldDataReplied(code, replies.carried + tail.copied(), at: now, into: sink)
        case .heldChunk: heldChunkReplied(code, replies.carried + tail.copied(), at: now, into: sink)
        case .silent where code >= 300 && awaited.isEmpty: unlinkQuietly(into: sink)
        case .silent: if code >= 300 { lost(at: now, into: sink) }
        case .own: break
        default:
            if case .endOfContent = entry { return contentReplied(code, tail, at: now, into: sink) }
            if case .data = entry { return dataReplied(code, tail, at: now, into: sink) }
            passOn(tail, into: sink)
            if code == 421 { return close(into: sink) }
            commandReplied(code, tail, to: entry, at: now, into: sink)
        }
    }

    private func noteRefusal(_ tail: Span<UInt8>, by entry: Awaited) {
        switch entry {
        case .mail, .recipient, .data: transaction?.refusal = replies.carried + tail.copied()
        default: break
        }
    }

    /// The client has its answer; what it means for the session.
    private mutating func commandReplied(_ code: Int, _ tail: Span<UInt8>, to entry: Awaited, at now: Int64, into sink: some SessionSink) {
        if code >= 400 { noteRefusal(tail, by: entry) }
        switch entry {
        case .mail:
            if code < 300 { transaction?.mailReply = .accepted } else { abandonTransaction(into: sink) }
        case .recipient(let index):
            guard let transaction else { return }
            if code < 300 { transaction.recipientsAccepted += 1 }
            if index >= 0 { transaction.recipients[index].reply = code < 300 ? .accepted : .refused }
        case .authentication:
            guard code < 400 else { input = .command; return }
            if code >= 300 { input = .authentication } else { isAuthenticated = true; input = .command }
            expectClient(at: now)
        case .chunk: break
        case .reset:
            input = .command
            if code >= 300 { isBroken = true }
        case .quit: close(saidQuit: true, into: sink)
        case .plain: input = .command
        default: break
        }
    }

    private mutating func helloReplied(_ code: Int, _ tail: Span<UInt8>, _ extended: Bool, at now: Int64, into sink: some SessionSink) {
        input = .command
        guard code == 250 else {
            passOn(tail, into: sink)
            if code == 421 { close(into: sink) }
            return
        }
        abandonTransaction(into: sink)
        saidHello = true
        guard extended else {
            keywords = nil
            sink.toClient(Octets("250 \(settings.hostname)\r\n".utf8))
            return
        }
        let offer = settings.offer(for: replies.carried + tail.copied())
        keywords = offer.keywords
        sink.toClient(offer.answer)
    }

    private mutating func dataReplied(_ code: Int, _ tail: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        passOn(tail, into: sink)
        if code == 421 { return close(into: sink) }
        guard code == 354 else {
            noteRefusal(tail, by: .data)
            input = .command
            return
        }
        beginContent(.through, at: now)
    }

    private mutating func contentReplied(_ code: Int, _ tail: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        passOn(tail, into: sink)
        input = .command
        if let transaction {
            let reply = replies.carried + tail.copied()
            recordQueueID(of: transaction, code, reply, into: sink)
            report(transaction, reply: reply, into: sink)
        }
        transaction = nil
        if code == 421 { close(into: sink) }
    }

    /// A reply that nothing asked for. In the middle of content a refusal is a refusal, everything else is a fault.
    private mutating func unasked(_ code: Int, _ tail: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        if code >= 400, isContentUnderWay {
            let reply = replies.carried + tail.copied()
            unlink(into: sink)
            contentFailed(reply, at: now, into: sink)
            return
        }
        lost(at: now, into: sink)
    }

    private var isContentUnderWay: Bool {
        switch (input, flow) {
        case (.content, .through), (.content, .undecided), (.chunk, .through), (.chunk, .undecided): true
        default: false
        }
    }

    /// The upstream connection is of no use any more. What the client hears depends on what it waits for.
    mutating func lost(at now: Int64, into sink: some SessionSink) {
        switch link {
        case .none: return
        case .dialling: return
        case .greeting: return tryNext(into: sink)
        case .identifying, .xclient: return end(Replies.upstreamLost, into: sink)
        case .standing: break
        }
        let wasAwaited = awaited
        let hold = transaction?.hold
        let wasReleasing = hold?.isReleasing == true
        let isOwed = owed != nil
        unlink(into: sink)
        if let hold, !hold.isReleased { return }                 // nothing of it has gone up: said again on release
        if wasReleasing { return releaseFailed(at: now, into: sink) }
        if isContentUnderWay { return contentFailed(Replies.contentLost, at: now, into: sink) }
        if isAnswerDue(wasAwaited) || isOwed { return end(Replies.upstreamLost, into: sink) }
        if case .nothing = input, transaction != nil { return end(Replies.upstreamLost, into: sink) }
        isBroken = transaction != nil || isAuthenticated
        if isBroken, let transaction { report(transaction, reply: nil, into: sink) }
        transaction = isBroken ? nil : transaction
        closeIfIdle(into: sink)
    }

    private func isAnswerDue(_ awaited: AwaitedReplies) -> Bool {
        var rest = awaited
        while let entry = rest.first {
            if case .silent = entry {} else { return true }
            rest.removeFirst()
        }
        return false
    }

    private mutating func unlinkQuietly(into sink: some SessionSink) {
        unlink(into: sink)
        if isAuthenticated { isBroken = true }
    }
}
