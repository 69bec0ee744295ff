// What each command of the client does: passed on as it came, answered by guardd, or kept waiting until it is its turn.
// Every function here returns false when the command has to wait for upstream's replies; it is offered again then.

extension SMTPSession {
    /// Dispatches one command line without its CRLF.
    mutating func command(_ verb: Verb, _ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        if isBroken {
            if case .quit = verb {} else { end(Replies.upstreamLost, into: sink); return true }
        }
        if awaited.isFull { return false }
        expectClient(at: now)
        if clientTLS.isRequired, tls == nil, refusesInClear(verb, at: now, into: sink) { return true }
        if upstreamIsStale { renewUpstream(before: verb, into: sink) }
        if line.count > SMTPSession.lineLimit {
            if case .auth = verb {} else { refuse(Replies.lineTooLong, at: now, into: sink); return true }
        }
        switch verb {
        case .data where !Command.arguments(of: line).isEmpty, .rset where !Command.arguments(of: line).isEmpty,
             .quit where !Command.arguments(of: line).isEmpty:
            refuse(Replies.noArgument, at: now, into: sink)
        case .ehlo, .helo: return hello(line, isExtended: verb == .ehlo, at: now, into: sink)
        case .mail: return mail(line, at: now, into: sink)
        case .rcpt: return recipient(line, at: now, into: sink)
        case .data: return data(at: now, into: sink)
        case .bdat: return chunk(line, at: now, into: sink)
        case .rset: return reset(at: now, into: sink)
        case .quit: return quit(at: now, into: sink)
        case .noop: return plain(line, or: Replies.ok, at: now, into: sink)
        case .vrfy, .expn, .help, .etrn: return plain(line, or: nil, at: now, into: sink)
        case .auth: return authenticate(line, at: now, into: sink)
        case .malformed: refuse(Replies.controls, at: now, into: sink)
        case .starttls: return startTLS(line, at: now, into: sink)
        case .xforward: return forward(line, at: now, into: sink)
        case .xclient: refuse(Replies.notImplemented, at: now, into: sink)
        case .proxy, .unknown: refuse(Replies.syntax, at: now, into: sink)
        }
        return true
    }

    /// Nothing is on its way to the upstream, or it takes commands in groups (RFC 2920 §3.1).
    private var maySend: Bool { awaited.isEmpty || keywords?.pipelining == true }

    /// Sends the line as it came.
    mutating func pass(_ line: Span<UInt8>, awaiting entry: Awaited, at now: Int64, into sink: some SessionSink) {
        sink.toUpstream(line)
        sink.toUpstream(SMTPSession.crlf)
        expect(entry, at: now)
    }
    static let crlf: Octets = [ASCII.cr, ASCII.lf]

    /// The upstream session stands, or is being made for this line, which then is run again. The one place where dialling is decided.
    /// What a client authenticated to can't be made again.
    private mutating func hasUpstream(for line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        if case .standing = link { return true }
        if isAuthenticated {
            end(Replies.upstreamLost, into: sink)
            return false
        }
        dial(for: .command(line.copied()), at: now, into: sink)
        return false
    }

    private mutating func hello(_ line: Span<UInt8>, isExtended: Bool, at now: Int64, into sink: some SessionSink) -> Bool {
        guard awaited.isEmpty else { return false }
        let argument = Command.arguments(of: line)
        guard !argument.isEmpty else {
            refuse(Replies.helloArgument, at: now, into: sink)
            return true
        }
        helo = line.extracting(argument).copied()
        forgetForwarded()
        self.isExtended = isExtended
        if case .standing = link {} else { (saidHello, keywords) = (false, nil) }        // a new one has offered nothing yet
        guard hasUpstream(for: line, at: now, into: sink) else { return true }
        // Whatever the answer: chunks that are held here can't go on behind it.
        if transaction?.hasChunks == true { endTransaction(nil, into: sink) }
        input = .nothing
        pass(line, awaiting: .hello(isExtended: isExtended), at: now, into: sink)
        return true
    }

    private mutating func mail(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        if let transaction {
            // Whether it stands depends on the reply that is still due: the verdict belongs to what upstream accepted.
            if transaction.mailReply == .awaited { return false }
            guard transaction.dataRefusal != nil, !transaction.hasChunks else {
                refuse(transaction.hasChunks ? Replies.chunksBegun : Replies.nestedMail, at: now, into: sink)
                return true
            }
            // Some MTAs forget a transaction whose DATA they refuse, others don't. Theirs is the word on this MAIL; here the
            // old one is forgotten either way.
        }
        guard let arguments = MailArguments(line) else {
            refuse(Replies.mailSyntax, at: now, into: sink)
            return true
        }
        if MailParameters.value(of: "requiretls", in: line, arguments.parameters) != nil, keywords?.hasRequireTLS != true {
            refuse(Replies.requireTLS, at: now, into: sink)
            return true
        }
        // Replies that are still due belong to what was before: none may be taken for this transaction's (THREATS R5).
        guard awaited.isEmpty else { return false }
        guard hasUpstream(for: line, at: now, into: sink) else { return true }
        guard payReset(at: now, into: sink) else { return false }
        endTransaction(nil, into: sink)
        switch tellForwarded(at: now, into: sink) {
        case .told: break
        case .waits: return false
        case .failed: return true
        }
        transaction = begin(ReversePath(arguments, of: line), line)
        pass(line, awaiting: .mail, at: now, into: sink)
        return true
    }

    private func begin(_ reversePath: ReversePath, _ line: Span<UInt8>) -> MailTransaction {
        let (isExempt, isOutgoingClient) = (isExemptMail, isOutgoingMail)
        let isOutgoing = !isExempt && (direction == .outbound || direction == .auto && (isAuthenticated || isOutgoingClient))
        let isNotification = !isExempt && !isOutgoing && settings.policy.isNotification(reversePath)
        let transaction = MailTransaction(
            reversePath: reversePath, mailLine: isNotification ? line.copied() : [],
            isNotification: isNotification, isOutgoing: isOutgoing
        )
        transaction.forwardedClient = forwarded.client
        return transaction
    }

    private mutating func recipient(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        guard let transaction else {
            if !awaited.isEmpty { return false }
            refuse(Replies.needMail, at: now, into: sink)
            return true
        }
        guard !transaction.hasChunks else {
            refuse(Replies.chunksBegun, at: now, into: sink)
            return true
        }
        guard let arguments = RcptArguments(line) else {
            refuse(Replies.recipientSyntax, at: now, into: sink)
            return true
        }
        guard maySend else { return false }
        guard transaction.hasRoom(for: line.count, limit: limits.recipients) else {
            putOff(transaction, at: now, into: sink)
            return true
        }
        var kept = -1
        if transaction.keepsAllRecipients || transaction.recipients.count < MailTransaction.keptRecipients {
            let path = ForwardPath(arguments, of: line)
            if transaction.isNotification {
                switch agreement(of: path, with: transaction) {
                case .agrees: break
                case .waits: return false
                case .differs:
                    answer(Replies.otherPolicy, into: sink)
                    return true
                }
            }
            kept = transaction.recipients.count
            transaction.keptOctets += line.count + 64
            transaction.recipients.append(.init(path: path, line: transaction.isNotification ? line.copied() : []))
        }
        transaction.recipientsAsked += 1
        pass(line, awaiting: .recipient(kept), at: now, into: sink)
        return true
    }

    private enum Agreement { case agrees, waits, differs }

    /// One transaction has one verdict: recipients whose bounces are treated otherwise than those of the first accepted
    /// one are put off. Whether that one is accepted must be known first.
    private func agreement(of path: ForwardPath, with transaction: MailTransaction) -> Agreement {
        let treatment = settings.policy.treatment(of: path)
        guard let first = transaction.treatment else {
            transaction.treatment = treatment
            return .agrees
        }
        if first == treatment { return .agrees }
        if !awaited.isEmpty { return .waits }
        if transaction.recipientsAccepted > 0 { return .differs }
        transaction.treatment = treatment
        return .agrees
    }

    private mutating func reset(at now: Int64, into sink: some SessionSink) -> Bool {
        guard awaited.isEmpty else { return false }
        endTransaction(nil, into: sink)
        forgetForwarded()
        guard case .standing = link else {
            answer(Replies.ok, into: sink)
            return true
        }
        owesReset = false
        input = .nothing
        sink.toUpstream(SMTPSession.rset)
        expect(.reset, at: now)
        return true
    }
    static let rset = Octets("RSET\r\n".utf8)

    private mutating func quit(at now: Int64, into sink: some SessionSink) -> Bool {
        guard awaited.isEmpty else { return false }
        guard case .standing = link, !isBroken else {
            sink.toClient(Replies.bye)
            close(saidQuit: true, into: sink)
            return true
        }
        endTransaction(nil, into: sink)
        input = .nothing
        sink.toUpstream(SMTPSession.quit)
        expect(.quit, at: now)
        return true
    }
    static let quit = Octets("QUIT\r\n".utf8)

    private mutating func plain(_ line: Span<UInt8>, or reply: Octets?, at now: Int64, into sink: some SessionSink) -> Bool {
        let isLinked = if case .standing = link { true } else { false }
        // Between held chunks the upstream must be free for their release.
        if let reply, !isLinked || isHolding {
            answer(reply, into: sink)
            return true
        }
        if isHolding {
            refuse(Replies.chunksBegun, at: now, into: sink)
            return true
        }
        // RFC 2920 §3.1: these end a group.
        guard awaited.isEmpty else { return false }
        guard hasUpstream(for: line, at: now, into: sink) else { return true }
        guard payReset(at: now, into: sink) else { return false }
        input = .nothing
        pass(line, awaiting: .plain, at: now, into: sink)
        return true
    }

    private var isHolding: Bool { transaction?.hold != nil }

    private mutating func authenticate(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        guard awaited.isEmpty else { return false }
        if transaction?.hasChunks == true {
            refuse(Replies.chunksBegun, at: now, into: sink)
            return true
        }
        // Where TLS is not to be had, the mail server says whether it takes passwords in clear.
        guard offerPlace != .beforeTLS || settings.authWithoutTLS else {
            refuse(Replies.authNeedsTLS, at: now, into: sink)
            return true
        }
        guard keywords?.hasAuth == true else {
            refuse(Replies.notImplemented, at: now, into: sink)
            return true
        }
        guard hasUpstream(for: line, at: now, into: sink) else { return true }
        guard payReset(at: now, into: sink) else { return false }
        input = .nothing
        pass(line, awaiting: .authentication, at: now, into: sink)
        return true
    }

    /// The client's answer to a 334 (RFC 4954 §4).
    mutating func authenticationLine(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        for index in line.indices where ASCII.isControl(line[index]) {
            end(Replies.controls, into: sink)
            return true
        }
        input = .nothing
        pass(line, awaiting: .authentication, at: now, into: sink)
        return true
    }
}
