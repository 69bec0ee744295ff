// The sink's commands.

extension SinkSession {
    /// A command line, without CRLF.
    mutating func perform(_ line: Span<UInt8>) {
        switch Command.verb(of: line) {
        case .ehlo: helloed(line, isExtended: true)
        case .helo: helloed(line, isExtended: false)
        case .mail: mail(line)
        case .rcpt: rcpt(line)
        case .data: data()
        case .bdat: bdat(line)
        case .rset:
            transaction = nil
            reply(250, "2.0.0", "Ok")
        case .noop: reply(250, "2.0.0", "Ok")
        case .vrfy: reply(252, "2.0.0", "Send some mail, I'll try my best")
        case .quit:
            reply(221, "2.0.0", "Bye")
            state = .closed
        case .expn, .help, .etrn, .auth, .starttls, .xclient, .xforward: reply(502, "5.5.1", "Command not implemented")
        case .proxy, .unknown, .malformed: reply(500, "5.5.2", "Command not recognized")
        }
    }

    private mutating func helloed(_ line: Span<UInt8>, isExtended: Bool) {
        let arguments = Command.arguments(of: line)
        guard !arguments.isEmpty else { return reply(501, "5.5.4", "Syntax: EHLO hostname") }
        hello = line.extracting(arguments).copied()
        transaction = nil
        guard isExtended else { return reply(250, nil, settings.hostname) }
        replies += Reply(250, nil, lines: [
            settings.hostname, "PIPELINING", "SIZE \(settings.sizeLimit)", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING", "ENHANCEDSTATUSCODES",
        ]).octets
    }

    private mutating func mail(_ line: Span<UInt8>) {
        guard !hello.isEmpty else { return reply(503, "5.5.1", "Say EHLO first") }
        guard transaction == nil else { return reply(503, "5.5.1", "Nested MAIL command") }
        guard let arguments = MailArguments(line) else { return reply(501, "5.1.7", "Bad sender address syntax") }
        let parameters = line.extracting(arguments.parameters).copied()
        if let size = Self.announcedSize(parameters), size > settings.sizeLimit {
            return reply(552, "5.3.4", "Message larger than \(settings.sizeLimit) octets")
        }
        transaction = Transaction(
            reversePath: line.extracting(arguments.path).copied(), parameters: parameters, content: SinkContent(limit: settings.sizeLimit)
        )
        reply(250, "2.1.0", "Ok")
    }

    /// RFC 1870 4. A number that overflows is too large by any measure.
    private static func announcedSize(_ parameters: Octets) -> Int? {
        for parameter in parameters.split(whereSeparator: ASCII.isBlank) where ASCII.equal(parameter.prefix(5), "size=") {
            return Int(String(decoding: parameter.dropFirst(5), as: UTF8.self)) ?? .max
        }
        return nil
    }

    private mutating func rcpt(_ line: Span<UInt8>) {
        guard let begun = transaction, !begun.isChunked else { return reply(503, "5.5.1", "Need MAIL command") }
        guard let arguments = RcptArguments(line) else { return reply(501, "5.1.3", "Bad recipient address syntax") }
        guard begun.forwardPaths.count < settings.recipientLimit else { return reply(452, "4.5.3", "Too many recipients") }
        guard !settings.unknownUsers.contains(ASCII.lowercased(line.extracting(arguments.localPart).copied())) else {
            return reply(550, "5.1.1", "User unknown")
        }
        transaction?.forwardPaths.append(line.extracting(arguments.path).copied())
        reply(250, "2.1.5", "Ok")
    }

    private mutating func data() {
        guard let begun = transaction, !begun.isChunked else { return reply(503, "5.5.1", "Need MAIL command") }
        guard !begun.forwardPaths.isEmpty else { return reply(554, "5.5.1", "No valid recipients") }
        state = .content
        reply(354, nil, "End data with <CR><LF>.<CR><LF>")
    }

    /// A chunk that is refused is swallowed all the same, or its octets would be read as commands. RFC 3030 2.
    private mutating func bdat(_ line: Span<UInt8>) {
        guard let chunk = ChunkSize.parse(line) else {
            reply(521, "5.5.4", "Syntax: BDAT count [LAST]")
            state = .closed
            return
        }
        if transaction?.forwardPaths.isEmpty ?? true {
            transaction = nil
            reply(503, "5.5.1", "Need RCPT command")
        }
        transaction?.isChunked = true
        if chunk.size == 0 { endChunk(isLast: chunk.isLast) } else { state = .chunk(left: chunk.size, isLast: chunk.isLast) }
    }
}
