// Recipients, header fields and body of a message, up to its end. Of an outgoing mail the header fields are read, of a
// notification everything; what arrives in pieces is put together again as the octets that SMTP would have carried.

extension MilterSession {
    mutating func recipient(_ data: Span<UInt8>, into sink: some MilterSink) {
        guard let argument = MilterData.texts(data, atMost: 1)?.first else { return breakOff(.malformed, into: sink) }
        guard !isOutOfOrder else { return breakOff(.order, into: sink) }
        let isRefused = macros.recipientMailer.map { ASCII.equal($0, "error") } ?? false
        macros.endRecipient()
        guard let message = messageOrPass(.noReplyRcpt, into: sink) else { return }
        // SMFIP_RCPT_REJ: sent though it was not asked for.
        if isRefused { return send(.continue, into: sink) }
        let path = MilterSender.withoutBrackets(data.extracting(argument))
        if message.isOutgoing {
            if !message.hasRoom(for: path) { recordPairs(of: message, into: sink) }
            message.keep(path)
            message.paths.append(path)
            return send(.continue, into: sink)
        }
        if let reply = refusal(of: path, message) { return send(.reply(reply), into: sink) }
        send(.continue, into: sink)
    }

    /// One message has one verdict: a recipient whose bounces are treated otherwise than those of the first is put off.
    private func refusal(of path: Octets, _ message: MilterMessage) -> Octets? {
        let path = ForwardPath(path) ?? ForwardPath(opaque: path)
        let treatment = settings.session.policy.treatment(of: path)
        if let first = message.treatment, first != treatment { return Replies.otherPolicy }
        guard message.hasRoom(for: path.octets) else { return Replies.tooManyRecipients }
        message.treatment = treatment
        message.keep(path.octets)
        message.recipients.append(path)
        return nil
    }

    mutating func header(_ data: Span<UInt8>, into sink: some MilterSink) {
        guard let texts = MilterData.texts(data, atMost: 2), texts.count == 2 else { return breakOff(.malformed, into: sink) }
        guard !isOutOfOrder else { return breakOff(.order, into: sink) }
        guard let message = messageOrPass(.noReplyHeader, into: sink) else { return }
        message.hasContent = true
        let (name, body) = (data.extracting(texts[0]), data.extracting(texts[1]))
        if message.isOutgoing {
            message.headers.read(field: name, body: body)
        } else if message.isJudged {
            read(name, body, into: message)
        }
        message.size += name.count + body.count + 3
        reply(unless: .noReplyHeader, into: sink)
    }

    /// The field as SMTP carries it. Where a line of it is folded the MTA has left LF, which the reader takes as well.
    private func read(_ name: Span<UInt8>, _ body: Span<UInt8>, into message: MilterMessage) {
        var line: Octets = []
        line.reserveCapacity(name.count + body.count + 4)
        line.append(name)
        line.append(ASCII.colon)
        if !options.steps.contains(.leadingSpace) { line.append(ASCII.space) }
        line.append(body)
        line += SMTPSession.crlf
        message.reader.read(line.span)
    }

    mutating func body(_ data: Span<UInt8>, into sink: some MilterSink) {
        guard !isOutOfOrder else { return breakOff(.order, into: sink) }
        guard let message = messageOrPass([], into: sink) else { return }
        readBody(data, message)
        if message.isJudged { return reply(unless: .noReplyBody, into: sink) }
        guard message.isOutgoing else {
            return answer(.accept, logged: MilterSession.accepted, next: .passed, into: sink)
        }
        // The ids are known, the rest is of no interest: their record is under way when the end comes.
        if !message.headers.messageIDs.isEmpty { beginRecord(of: message, into: sink) }
        guard options.steps.contains(.skip) else { return reply(unless: .noReplyBody, into: sink) }
        message.isSkipping = true
        send(.skip, into: sink)
    }

    private func readBody(_ data: Span<UInt8>, _ message: MilterMessage) {
        message.hasContent = true
        if message.isSkipping { return }                      // what Postfix had in hand when it was told so
        if message.isJudged {
            let blankLine = SMTPSession.crlf
            if !message.hasBody { message.reader.read(blankLine.span) }
            message.reader.read(data)
        }
        if !message.hasBody { message.size += 2 }
        message.hasBody = true
        message.size += data.count
    }

    /// SMFIC_BODYEOB; Postfix sends the last piece of the body with it.
    mutating func endOfMessage(_ data: Span<UInt8>, at now: Int64, into sink: some MilterSink) {
        guard !isOutOfOrder else { return breakOff(.order, into: sink) }
        guard case .message = state, let message else { return send(.accept, into: sink) }
        message.hasContent = true
        message.queueID = macros.queueID ?? message.queueID
        if !data.isEmpty { readBody(data, message) }
        if message.isOutgoing {
            beginRecord(of: message, into: sink)
            return waitForRecord(of: message, at: now, into: sink)
        }
        guard message.isJudged else { return answer(.accept, logged: MilterSession.accepted, into: sink) }
        message.reader.finish()
        let inquiry = Inquiry(about: message.reader.evidence, to: message.recipients, countsReturn: true)
        message.inquiry = inquiry
        wait(at: now)
        sink.ask(inquiry)
    }
}
