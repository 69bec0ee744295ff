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
        chunkLeft = size
        chunkIsLast = isLast
        guard keywords?.chunking == true else { return discard(Replies.notImplemented, at: now, into: sink) }
        if transaction?.hasChunks == true, case .nowhere(let reply) = flow { return discard(reply, at: now, into: sink) }
        guard let transaction, transaction.recipientsAsked > 0 else {
            if !awaited.isEmpty { return false }
            return discard(self.transaction == nil ? Replies.needMail : Replies.needRecipient, at: now, into: sink)
        }
        guard awaited.isEmpty || keywords?.pipelining == true, owed == nil else { return false }
        if transaction.isNotification {
            guard awaited.isEmpty else { return false }
            guard transaction.recipientsAccepted > 0 else { return discard(Replies.noRecipients, at: now, into: sink) }
        }
        beginChunk(transaction, line, at: now, into: sink)
        return true
    }

    private mutating func beginChunk(_ transaction: MailTransaction, _ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) {
        if !transaction.hasChunks {
            transaction.hasChunks = true
            flow = .through
            if transaction.isNotification, transaction.treatment?.isJudged == true {
                beginHold(transaction)
                flow = .held
            }
            beginHeaders()
            contentBegan = now
            contentReceived = 0
        }
        input = .chunk
        expectContent()
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

    /// The client's chunk, or what is left of it, goes up as one that is not the last, whatever the client said.
    private mutating func announceChunk(at now: Int64, into sink: some SessionSink) {
        lastIsWithheld = chunkIsLast
        sink.toUpstream(Octets("BDAT \(chunkLeft)\r\n".utf8))
        expect(chunkIsLast ? .heldChunk : .chunk, at: now)
    }

    /// Refuses a chunk; its octets are thrown away and never run as commands (THREATS R13).
    private mutating func discard(_ reply: Octets, at now: Int64, into sink: some SessionSink) -> Bool {
        guard awaited.isEmpty else { return false }
        chunkRefusal = reply
        errors += 1
        input = .discardedChunk
        contentBegan = now
        contentReceived = 0
        expectContent()
        if chunkLeft == 0 { _ = discardChunk(Octets().span, from: 0, at: now, into: sink) }
        return true
    }

    mutating func discardChunk(_ octets: Span<UInt8>, from start: Int, at now: Int64, into sink: some SessionSink) -> Int {
        let taken = min(chunkLeft, octets.count - start)
        chunkLeft -= taken
        contentReceived += taken
        expectContent()
        guard chunkLeft == 0 else { return start + taken }
        input = .command
        madeProgress = true
        if let transaction, transaction.hasChunks {
            report(transaction, reply: chunkRefusal, into: sink)
            self.transaction = nil
        }
        sink.toClient(chunkRefusal)
        if chunkRefusal.starts(with: Replies.closing) || settings.hardErrorLimit > 0 && errors >= settings.hardErrorLimit {
            close(into: sink)
        } else {
            expectClient(at: now)
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
        read(part, transaction, isLast: chunkIsLast && chunkLeft == 0, at: now, into: sink)
        expectContent()
        if chunkLeft == 0, case .chunk = input { chunkEnded(at: now, into: sink) }
        return start + taken
    }

    private mutating func chunkEnded(at now: Int64, into sink: some SessionSink) {
        guard let transaction else { return }
        input = chunkIsLast ? .nothing : .command
        madeProgress = true
        expectChunkReply(at: now)
        guard chunkIsLast else {
            expectClient(at: now)
            guard case .held = flow else { return }
            sink.toClient(Replies.ok)
            if let hold = transaction.hold, hold.octets.count > settings.holdLimit { outgrew(at: now, into: sink) }
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

    /// The held octets go up as one chunk of guardd's; what is left of the client's current chunk follows.
    mutating func sendHeldChunks(_ transaction: MailTransaction, _ hold: Hold, at now: Int64, into sink: some SessionSink) {
        let mark = markField(of: hold)
        let isAll = hold.isComplete && hold.judgement != nil
        sink.toUpstream(Octets("BDAT \(mark.count + hold.octets.count)\(isAll ? " LAST" : "")\r\n".utf8))
        sink.toUpstream(mark)
        sink.toUpstream(hold.octets)
        freeHeldOctets(hold, into: sink)
        expect(isAll ? .endOfContent : .heldChunk, at: now)
        lastIsWithheld = hold.isComplete && !isAll
        if hold.isComplete {
            input = .nothing
            owed = isAll ? nil : .lastChunk
        } else if chunkLeft == 0 {
            input = .command
        } else {
            input = .chunk
            guard chunkIsLast, hold.judgement != nil else { return announceChunk(at: now, into: sink) }
            sink.toUpstream(Octets("BDAT \(chunkLeft) LAST\r\n".utf8))
            expect(.endOfContent, at: now)
        }
    }

    /// Upstream's answer to a chunk that the client does not wait for. A refusal becomes the answer to what the client waits for next.
    mutating func heldChunkReplied(_ code: Int, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        guard code >= 300, transaction != nil else { return }
        owed = nil
        awaited.removeAll()
        // Replies to what was sent behind the refused chunk can't be told from the one to RSET: a fresh connection is sure.
        unlink(into: sink)
        if case .nothing = input { return transactionFailed(reply, at: now, into: sink) }
        contentFailed(reply, at: now, into: sink)
    }
}
