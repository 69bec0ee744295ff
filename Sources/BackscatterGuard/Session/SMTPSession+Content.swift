// DATA (RFC 5321 §4.1.1.4): ordinary content passes out of the read buffer, a notification's is held. The scanner
// finds the one true end; look-alikes never leave (THREATS R1, R2).

extension SMTPSession {
    static let terminator: Octets = [ASCII.dot, ASCII.cr, ASCII.lf]

    static let dataCommand = Octets("DATA\r\n".utf8)

    mutating func data(at now: Int64, into sink: some SessionSink) -> Bool {
        guard let transaction else {
            if !awaited.isEmpty { return false }
            refuse(Replies.needMail, at: now, into: sink)
            return true
        }
        if transaction.hasChunks {
            refuse(Replies.chunksBegun, at: now, into: sink)
            return true
        }
        if transaction.recipientsAsked == 0 {
            if !awaited.isEmpty { return false }
            refuse(Replies.needRecipient, at: now, into: sink)
            return true
        }
        if transaction.isNotification {
            guard awaited.isEmpty else { return false }
            guard transaction.recipientsAccepted > 0 else {
                refuse(Replies.noRecipients, at: now, into: sink)
                return true
            }
            if transaction.treatment?.isJudged == true {
                transaction.hasContent = true
                beginHold(transaction)
                sink.toClient(Replies.startContent)
                beginContent(.held, at: now)
                return true
            }
        }
        // A recorded mail needs its recipients, and the answer to DATA decides whether content follows at all.
        guard awaited.isEmpty || keywords?.pipelining == true else { return false }
        input = .nothing
        transaction.hasContent = true
        sink.toUpstream(SMTPSession.dataCommand)
        expect(.data, at: now)
        return true
    }

    mutating func beginContent(_ flow: Flow, at now: Int64) {
        input = .content
        self.flow = flow
        content = ContentScanner(reportsBareLineEndings: settings.refusesBareLineEndings)
        beginHeaders()
        contentBegan = now
        contentReceived = 0
        expectContent()
    }

    /// Outgoing mail shows its Message-ID while it passes.
    mutating func beginHeaders() {
        guard let transaction, transaction.isRecorded, transaction.headers == nil else { return }
        transaction.headers = SentHeaderReader()
        headerUnstuffer = DotUnstuffer()
    }

    /// Takes content up to the end of the span or of the content.
    mutating func readContent(_ octets: Span<UInt8>, from start: Int, at now: Int64, into sink: some SessionSink) -> Int {
        let finding = content.scan(octets, from: start)
        // Only seen where it is refused. None goes up: qmail-smtpd hangs up at it, and the client would miss its answer.
        if content.sawBareLineEnding {
            let isLookAlike = if case .lookAlike = finding { true } else { false }
            abandonContent(isLookAlike ? Replies.lookAlike : Replies.bareLineEnding, into: sink)
        }
        switch finding {
        case .more:
            take(octets.extracting(start..<(octets.count - content.keptBack)), into: sink)
            expectContent()
            outgrewOwnLimit(at: now, into: sink)
            return octets.count
        case .lookAlike(let at):
            take(octets.extracting(start..<max(start, at)), into: sink)
            abandonContent(Replies.lookAlike, into: sink)
            // The octet that completes it may be the first of the span: what is behind it is to be read all the same.
            madeProgress = true
            return max(start, at)
        case .ended(let end):
            let dot = content.terminatorStart
            if passesWhole, dot >= start - 1 {
                transaction?.contentOctets += dot - start
                sink.toUpstream(octets.extracting(start..<end))
                input = .nothing
                expect(.endOfContent, at: now)
                return end
            }
            let hadDot = dot < start
            take(octets.extracting(start..<max(start, dot)), isLast: true, into: sink)
            if hadDot { transaction?.contentOctets -= 1 }
            contentEnded(dotIsOut: hadDot, at: now, into: sink)
            return end
        }
    }

    /// Nothing waits for the end of this content: it goes up together with what is before it.
    private var passesWhole: Bool {
        guard case .through = flow, let transaction else { return false }
        return !transaction.isRecorded
    }

    /// Content without its terminator.
    private mutating func take(_ octets: Span<UInt8>, isLast: Bool = false, into sink: some SessionSink) {
        guard !octets.isEmpty, let transaction else { return }
        transaction.contentOctets += octets.count
        contentReceived += octets.count
        switch flow {
        case .through, .undecided: sink.toUpstream(octets)
        case .held: transaction.hold?.octets.append(octets)
        case .nowhere: return
        }
        read(octets, transaction, isLast: isLast, into: sink)
    }

    /// Shows the octets to the reader that wants them: of headers for outgoing mail, of the whole for notifications.
    ///
    /// - Parameter isLast: nothing of the content follows: the final question comes at once, no early one is worth it.
    mutating func read(_ octets: Span<UInt8>, _ transaction: MailTransaction, isLast: Bool, into sink: some SessionSink) {
        if transaction.headers != nil, transaction.record == .none { readHeaders(octets, transaction, into: sink) }
        guard let hold = transaction.hold else { return }
        if case .held = flow { sink.holdChanged(by: octets.count) }
        guard hold.judgement == nil else { return }
        if transaction.hasChunks {
            hold.reader.read(octets)
        } else {
            hold.unstuffer.unstuff(octets) { hold.reader.read($0) }
        }
        if !isLast { askEarly(transaction, into: sink) }
    }

    /// The terminator came.
    ///
    /// - Parameter dotIsOut: its dot lay in an earlier span and was taken as content.
    private mutating func contentEnded(dotIsOut: Bool, at now: Int64, into sink: some SessionSink) {
        input = .nothing
        if case .nowhere(let reply) = flow { return transactionFailed(reply, at: now, into: sink) }
        guard let transaction else { return end(Replies.internalError, into: sink) }
        switch flow {
        case .nowhere: break
        case .held:
            guard let hold = transaction.hold else { return end(Replies.internalError, into: sink) }
            if dotIsOut {
                hold.octets.removeLast()
                sink.holdChanged(by: -1)
            }
            hold.isComplete = true
            askFinally(transaction, into: sink)
        case .undecided:
            owed = .terminator(withDot: !dotIsOut)
            transaction.hold?.isComplete = true
            askFinally(transaction, into: sink)
        case .through:
            owed = .terminator(withDot: !dotIsOut)
            finishRecord(of: transaction, at: now, into: sink)
        }
    }

    /// Lets the end of the content go up.
    mutating func payOwed(at now: Int64, into sink: some SessionSink) {
        guard let owed else { return }
        if case .lastChunk = owed, !awaited.isEmpty, keywords?.pipelining != true {
            owedIsDue = true
            return
        }
        self.owed = nil
        switch owed {
        case .terminator(let withDot):
            sink.toUpstream(withDot ? SMTPSession.terminator : SMTPSession.crlf)
        case .lastChunk:
            sink.toUpstream(Octets("BDAT 0 LAST\r\n".utf8))
        }
        expect(.endOfContent, at: now)
    }

    /// What follows of the content is thrown away; its end gets `reply`. Upstream never sees that end.
    private mutating func abandonContent(_ reply: Octets, into sink: some SessionSink) {
        endHold(into: sink)
        switch flow {
        case .through, .undecided: unlink(into: sink)
        case .held: resetUpstream()
        case .nowhere: return
        }
        flow = .nowhere(reply)
    }

    /// Upstream failed in the middle of content: the client is heard to its end, then told.
    mutating func contentFailed(_ reply: Octets, at now: Int64, into sink: some SessionSink) {
        endHold(into: sink)
        if case .chunk = input {
            chunkRefusal = reply
            input = .discardedChunk
            return
        }
        flow = .nowhere(reply)
        expectContent()
    }

    /// The transaction ends here with a reply of guardd's or a kept one of upstream's, and the session goes on if it can.
    mutating func transactionFailed(_ reply: Octets, at now: Int64, into sink: some SessionSink) {
        endTransaction(reply, into: sink)
        owed = nil
        if reply.starts(with: Replies.closing) || isAuthenticated && isUnlinked {
            sink.toClient(reply)
            close(into: sink)
            return
        }
        sink.toClient(reply)
        input = .command
        expectClient(at: now)
    }

    /// An authenticated session can't be made again on another connection.
    private var isUnlinked: Bool { if case .none = link { true } else { false } }
}
