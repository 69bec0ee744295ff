// Upstream's replies: matched one to one with what was sent, passed on as they came (RFC 5321 §4.2). A reply that
// nothing asked for, or garbage, is a lost connection (THREATS R10).

extension SMTPSession {
    /// Octets of the upstream.
    public mutating func upstreamSent(_ octets: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        defer { endIfDone(into: sink) }
        var start = 0
        while start < octets.count {
            switch link {
            case .none, .dialling, .securing: return     // in clear behind the 220 to STARTTLS: thrown away
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
    public mutating func upstreamEnded(at now: Int64, into sink: some SessionSink) {
        lost(at: now, into: sink)
        endIfDone(into: sink)
    }

    private mutating func upstreamReplied(_ code: Int, _ tail: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        guard case .standing = link else {
            return linkReply(code, replies.carried + tail.copied(), at: now, into: sink)
        }
        guard let entry = awaited.first else { return unasked(code, tail, at: now, into: sink) }
        awaited.removeFirst()
        replied(code, tail, to: entry, at: now, into: sink)
        while case .own(let reply)? = awaited.first {
            awaited.removeFirst()
            sink.toClient(reply)
        }
        if owedIsDue { settleOwed(at: now, into: sink) }
        // While a link is being made anew its own deadline counts.
        if case .standing = link { upstreamDeadline = awaited.first.map { now + deadline(for: $0) } ?? .max }
        if awaited.isEmpty && endsWhenAnswered { return close(into: sink) }
        if isIdle {
            if hasTooManyErrors { return end(Replies.tooManyErrors, into: sink) }
            expectClient(at: now)
        }
    }

    /// Whether `code` can be an answer to `entry`. An unexpected 2xx or 3xx is never passed on (Postfix does the same).
    private func isAnswer(_ code: Int, to entry: Awaited) -> Bool {
        if code >= 400 { return true }
        return switch entry {
        case .hello, .helloAgain: code == 250
        case .data, .heldData: code == 354
        case .authentication: code == 235 || code == 334
        case .quit, .plain: code < 300
        case .mail, .recipient, .endOfContent, .chunk, .heldChunk, .reset, .forwarded, .silent, .repeated, .own: (250..<260).contains(code)
        }
    }

    private func passOn(_ tail: Span<UInt8>, into sink: some SessionSink) {
        if !replies.carried.isEmpty { sink.toClient(replies.carried) }
        sink.toClient(tail)
    }

    private mutating func replied(_ code: Int, _ tail: Span<UInt8>, to entry: Awaited, at now: Int64, into sink: some SessionSink) {
        if isUnproven, refutesIdentity(code, entry, at: now, into: sink) { return }
        // No command can follow a chunk that is not yet whole: the reply to it came too early.
        if awaited.isEmpty, isChunkUnderWay { return unasked(code, tail, at: now, into: sink) }
        guard isAnswer(code, to: entry) else { return misanswered(entry, at: now, into: sink) }
        switch entry {
        case .hello(let extended): helloReplied(code, tail, extended, at: now, into: sink)
        case .helloAgain: helloSaidAgain(code, replies.carried + tail.copied(), at: now, into: sink)
        case .repeated: repeatedReply(code, at: now, into: sink)
        case .heldData: heldDataReplied(code, replies.carried + tail.copied(), at: now, into: sink)
        case .heldChunk: heldChunkReplied(code, replies.carried + tail.copied(), at: now, into: sink)
        case .forwarded: if code >= 300 { identityFailed(at: now, into: sink) }
        case .silent: if code >= 300 { lost(at: now, into: sink) }
        case .own: break
        case .endOfContent: contentReplied(code, tail, at: now, into: sink)
        case .data: dataReplied(code, tail, at: now, into: sink)
        case .mail, .recipient, .chunk, .reset, .authentication, .quit, .plain:
            passOn(tail, into: sink)
            if code == 421 { return close(into: sink) }
            commandReplied(code, tail, to: entry, at: now, into: sink)
        }
    }

    /// The reply can't be one to `entry`, which is due still when the connection is given up.
    private mutating func misanswered(_ entry: Awaited, at now: Int64, into sink: some SessionSink) {
        if entry.isForClient { return end(Replies.upstreamLost, into: sink) }
        lost(at: now, into: sink)
    }

    /// The client has its answer; what it means for the session.
    private mutating func commandReplied(_ code: Int, _ tail: Span<UInt8>, to entry: Awaited, at now: Int64, into sink: some SessionSink) {
        switch entry {
        case .mail:
            // MAIL is alone with its recipients: only they can be due behind it, and they die with it.
            if code < 300 { transaction?.mailReply = .accepted } else { endTransaction(replies.carried + tail.copied(), into: sink) }
        case .recipient(let index):
            guard let transaction else { return }
            if code < 300 {
                transaction.recipientsAccepted += 1
            } else {
                transaction.recipientsRefused += 1
                transaction.recipientRefusal = replies.carried + tail.copied()
            }
            if index >= 0 { transaction.recipients[index].reply = code < 300 ? .accepted : .refused }
        case .authentication:
            input = code == 334 ? .authentication : .command
            if code < 300 { isAuthenticated = true }
            expectClient(at: now)
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
        endTransaction(nil, into: sink)
        owesReset = false                    // a hello resets by itself (RFC 5321 §4.1.4)
        saidHello = true
        guard extended else {
            keywords = nil
            sink.toClient(Octets("250 \(settings.hostname)\r\n".utf8))
            return
        }
        let offer = settings.offer(for: replies.carried + tail.copied(), at: offerPlace, withXForward: mayForward)
        keywords = offer.keywords
        if settings.identity == .xforward, !takesForwardedAddress { return identityFailed(at: now, into: sink) }
        sink.toClient(offer.answer)
    }

    private mutating func dataReplied(_ code: Int, _ tail: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        if code == 354, transaction == nil { return end(Replies.upstreamLost, into: sink) }
        passOn(tail, into: sink)
        if code == 421 { return close(into: sink) }
        guard code == 354 else {
            transaction?.dataRefusal = replies.carried + tail.copied()
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
            endTransaction(reply, into: sink)
        }
        if code == 421 { close(into: sink) }
    }

    /// A reply that nothing asked for. While content is on its way a refusal is a refusal, everything else is a fault.
    private mutating func unasked(_ code: Int, _ tail: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        guard code >= 400, isContentUnderWay || owed != nil else { return lost(at: now, into: sink) }
        let reply = replies.carried + tail.copied()
        let isWhole = owed != nil
        unlink(into: sink)
        if isWhole { transactionFailed(reply, at: now, into: sink) } else { contentFailed(reply, at: now, into: sink) }
    }

    private var isStreaming: Bool {
        switch flow {
        case .through, .undecided: true
        case .held, .nowhere: false
        }
    }

    private var isChunkUnderWay: Bool {
        if case .chunk = input { isStreaming } else { false }
    }

    private var isContentUnderWay: Bool {
        if case .content = input { isStreaming } else { isChunkUnderWay }
    }

    /// The client's content is thrown away, and its end has an answer already.
    private var isContentRefused: Bool {
        guard case .nowhere = flow else { return false }
        if case .content = input { return true }
        return transaction?.hasChunks == true
    }

    // MARK: losing it

    /// The upstream connection is of no use any more. What the client hears depends on what it waits for.
    ///
    /// - Parameter reply: 421 for a client that can't be kept in step.
    mutating func lost(_ reply: Octets = Replies.upstreamLost, at now: Int64, into sink: some SessionSink) {
        switch link {
        case .none, .dialling: return
        case .greeting, .offeringTLS, .startingTLS: return tryNext(into: sink)
        case .securing: return upstreamHandshakeFailed("connection lost", at: now, into: sink)
        case .identifying, .xclient: return linkUseless(reply, at: now, into: sink)
        case .standing: break
        }
        if need != nil { return linkUseless(reply, at: now, into: sink) }
        // The chunk that is under way gets its answer at its end.
        let due = isChunkUnderWay ? awaited.all.dropLast() : awaited.all
        let isOutOfStep = due.contains(where: \.isForClient) || owed != nil
        if isOutOfStep { return end(reply, into: sink) }
        unlink(into: sink)
        if endsWhenAnswered { return close(into: sink) }
        if let hold = transaction?.hold, !isContentRefused {
            if hold.isReleasing { return releaseFailed(at: now, into: sink) }
            if !hold.isReleased { return }                       // nothing of it has gone up: said again on release
        }
        if isContentUnderWay { return contentFailed(Replies.contentLost, at: now, into: sink) }
        if isContentRefused { return }
        switch input {
        case .nothing, .authentication: return end(reply, into: sink)
        default: break
        }
        isBroken = isBroken || transaction != nil || isAuthenticated
        endTransaction(nil, into: sink)
    }
}
