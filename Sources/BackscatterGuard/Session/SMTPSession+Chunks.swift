// BDAT (RFC 3030): chunks are opaque and counted. Ordinary ones pass as they are; those of a notification are held and
// go up as one chunk when it is released. The LAST of a mail whose record or verdict is still out goes up as a chunk
// that is not the last, and `BDAT 0 LAST` follows when it may; RSET if it may not.

extension SMTPSession {
    mutating func chunk(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        guard let (size, isLast) = ChunkSize.parse(line) else {
            // What follows can't be told from commands any more.
            if !awaited.isEmpty { return false }
            end(Replies.chunkSyntax, into: sink)
            return true
        }
        if let refusal = chunkRefusalNow {
            guard awaited.isEmpty else { return false }
            (chunkLeft, chunkIsLast) = (size, isLast)
            discard(refusal, at: now, into: sink)
            return true
        }
        guard let transaction, mayChunk(transaction) else { return false }
        (chunkLeft, chunkIsLast) = (size, isLast)
        beginChunk(transaction, line, at: now, into: sink)
        return true
    }

    /// Why no chunk may come now. Stands only when no reply is due any more.
    private var chunkRefusalNow: Octets? {
        guard keywords?.chunking == true else { return Replies.notImplemented }
        guard let transaction else { return Replies.needMail }
        if transaction.hasChunks, case .nowhere(let reply) = flow { return reply }
        if transaction.recipientsAsked == 0 { return Replies.needRecipient }
        return transaction.isNotification && awaited.isEmpty && transaction.recipientsAccepted == 0 ? Replies.noRecipients : nil
    }

    /// A chunk goes up behind commands whose replies are due, but not behind MAIL: were that refused, its octets would have no
    /// transaction. How a notification is treated must be known first.
    private func mayChunk(_ transaction: MailTransaction) -> Bool {
        awaited.isEmpty || !transaction.isNotification && keywords?.pipelining == true && transaction.mailReply != .awaited
    }

    private mutating func beginChunk(_ transaction: MailTransaction, _ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        if !transaction.hasChunks {
            transaction.hasChunks = true
            transaction.hasContent = true
            flow = .through
            if transaction.isNotification, transaction.treatment?.isJudged == true {
                beginHold(transaction)
                flow = .held
            }
            beginHeaders()
        }
        input = .chunk
        resumeContent(at: now)
        switch flow {
        case .through where !mustWithholdLast(transaction):
            lastIsWithheld = false
            pass(line, awaiting: chunkIsLast ? .endOfContent : .chunk, at: now, into: sink)
        case .through, .undecided: announceChunk(at: now, into: sink)
        case .held, .nowhere: break
        }
        if chunkLeft == 0 { chunkEnded(at: now, into: sink) }
    }

    /// The mail's record is not durable yet when its LAST chunk begins.
    private func mustWithholdLast(_ transaction: MailTransaction) -> Bool {
        chunkIsLast && transaction.isRecorded && transaction.record != .durable
    }

    /// The client's chunk, or what is left of it, goes up as one that is not the last, whatever the client said. Nothing of
    /// an empty LAST goes up now: `BDAT 0` alone is an error to Postfix (551).
    private mutating func announceChunk(at now: Int64, into sink: some SessionSink) {
        lastIsWithheld = chunkIsLast
        if chunkIsLast, chunkLeft == 0 { return }
        sink.toUpstream(Octets("BDAT \(chunkLeft)\r\n".utf8))
        expect(chunkIsLast ? .heldChunk : .chunk, at: now)
    }

    /// Refuses a chunk; its octets are thrown away and never run as commands (THREATS R13).
    private mutating func discard(_ reply: Octets, at now: Int64, into sink: some SessionSink) {
        chunkRefusal = reply
        errors += 1
        input = .discardedChunk
        resumeContent(at: now)
        if chunkLeft == 0 { _ = discardChunk(Octets().span, from: 0, at: now, into: sink) }
    }

    mutating func discardChunk(_ octets: Span<UInt8>, from start: Int, at now: Int64, into sink: some SessionSink) -> Int {
        let taken = min(chunkLeft, octets.count - start)
        chunkLeft -= taken
        contentReceived += taken
        expectContent()
        guard chunkLeft == 0 else { return start + taken }
        input = .command
        madeProgress = true
        if transaction?.hasChunks == true { endTransaction(chunkRefusal, into: sink) }
        sink.toClient(chunkRefusal)
        expectClient(at: now)
        if chunkRefusal.starts(with: Replies.closing) {
            close(into: sink)
        } else if hasTooManyErrors {
            end(Replies.tooManyErrors, into: sink)
        }
        return start + taken
    }

    mutating func readChunk(_ octets: Span<UInt8>, from start: Int, at now: Int64, into sink: some SessionSink) -> Int {
        let taken = min(chunkLeft, octets.count - start)
        guard taken > 0, let transaction else { return start }
        let part = octets.extracting(start..<start + taken)
        chunkLeft -= taken
        transaction.contentOctets += taken
        contentReceived += taken
        switch flow {
        case .through, .undecided: sink.toUpstream(part)
        case .held: transaction.hold?.octets.append(part)
        case .nowhere: break
        }
        read(part, transaction, isLast: chunkIsLast && chunkLeft == 0, into: sink)
        expectContent()
        if chunkLeft == 0 { chunkEnded(at: now, into: sink) }
        outgrewOwnLimit(at: now, into: sink)
        return start + taken
    }

    private mutating func chunkEnded(at now: Int64, into sink: some SessionSink) {
        guard let transaction else { return }
        input = chunkIsLast ? .nothing : .command
        madeProgress = true
        expectChunkReply(at: now)
        guard chunkIsLast else {
            if case .held = flow { sink.toClient(Replies.ok) }
            expectClient(at: now)
            return
        }
        transaction.hold?.isComplete = true
        switch flow {
        case .held: askFinally(transaction, into: sink)
        case .undecided:
            owed = .lastChunk
            askFinally(transaction, into: sink)
        case .through where lastIsWithheld:
            owed = .lastChunk
            finishRecord(of: transaction, at: now, into: sink)
        case .through, .nowhere: break
        }
    }

    // MARK: release

    /// The held octets go up as one chunk of guardd's, together with what is left of the client's current chunk: one
    /// command, so that an upstream without PIPELINING needs no waiting either.
    mutating func sendHeldChunks(_ transaction: MailTransaction, _ hold: Hold, at now: Int64, into sink: some SessionSink) {
        let mark = markField(of: hold)
        let isUnderWay = !hold.isComplete && chunkLeft > 0
        let isAll = hold.judgement != nil && (hold.isComplete || isUnderWay && chunkIsLast)
        // A chunk that is said to be longer than any number never ends, whatever it is called here.
        let (sum, isTooMuch) = (mark.count + hold.octets.count).addingReportingOverflow(isUnderWay ? chunkLeft : 0)
        sink.toUpstream(Octets("BDAT \(isTooMuch ? Int.max : sum)\(isAll ? " LAST" : "")\r\n".utf8))
        sink.toUpstream(mark)
        sink.toUpstream(hold.octets)
        freeHeldOctets(hold, into: sink)
        expect(isAll ? .endOfContent : isUnderWay && !chunkIsLast ? .chunk : .heldChunk, at: now)
        lastIsWithheld = !isAll && (hold.isComplete || isUnderWay && chunkIsLast)
        if hold.isComplete {
            input = .nothing
            owed = isAll ? nil : .lastChunk
        } else if isUnderWay {
            input = .chunk
            resumeContent(at: now)
        } else {
            input = .command
        }
    }

    /// Upstream's answer to a chunk that the client does not wait for. A refusal becomes the answer to what the client waits for next.
    mutating func heldChunkReplied(_ code: Int, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        guard code >= 300, transaction != nil else { return }
        // Replies to what was sent behind the refused chunk can't be told from the one to RSET: a fresh connection is sure.
        let isUnderWay = if case .chunk = input { true } else { false }
        let due = isUnderWay ? awaited.all.dropLast() : awaited.all     // that one gets its answer at its end
        unlink(into: sink)
        if case .nothing = input { return transactionFailed(reply, at: now, into: sink) }
        for entry in due {
            if case .own(let own) = entry { sink.toClient(own) } else if entry.isForClient { sink.toClient(reply) }
        }
        contentFailed(reply, at: now, into: sink)
    }
}
