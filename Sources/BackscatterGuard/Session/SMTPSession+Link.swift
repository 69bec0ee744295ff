// Making the upstream connection: PROXY, greeting, EHLO of our own, XCLIENT, then the client's hello. The order is
// DESIGN.md's; the identity rules are THREATS R11: upstream learns the true client or there is no session.

extension SMTPSession {
    /// Begins to make the link; `need` says what goes on when it stands.
    mutating func dial(for need: Need, at now: Int64, into sink: some SessionSink) {
        self.need = need
        // A held notification lives on while its upstream is gone; a new one knows nothing of it.
        if case .command = need { endTransaction(nil, into: sink) }
        input = .nothing
        greetingRefusal = nil
        link = .dialling
        upstreamDeadline = .max             // the driver limits connect(2), upstream by upstream
        sink.dial(next: false)
    }

    /// The upstream has said 220.
    public var hasUpstreamGreeted: Bool {
        switch link {
        case .none, .dialling, .greeting: false
        default: true
        }
    }

    /// It has been dialled, and has not said its 220.
    public var isAwaitingGreeting: Bool {
        if case .greeting = link { true } else { false }
    }

    /// connect(2) succeeded, or a program was started.
    ///
    /// - Parameter isProgram: it was told in its environment who the client is, and speaks in clear.
    public mutating func upstreamConnected(isProgram: Bool = false, at now: Int64, into sink: some SessionSink) {
        guard case .dialling = link else { return }
        linkIsProgram = isProgram
        link = .greeting
        upstreamDeadline = now + settings.timeouts.upstreamGreeting
        switch linkIdentity {
        case .proxyV1: sink.toUpstream(ProxyHeader.v1(client: client, server: server))
        case .proxyV2: sink.toUpstream(ProxyHeader.v2(client: client, server: server))
        case .xclient, .xforward, .none: break
        }
    }

    private var linkIdentity: UpstreamIdentity { linkIsProgram ? .none : settings.identity }

    /// No upstream is left to try.
    public mutating func upstreamUnavailable(at now: Int64, into sink: some SessionSink) {
        guard case .dialling = link else { return }
        link = .none
        linkFailed(greetingRefusal ?? Replies.upstreamUnavailable, at: now, into: sink)
        endIfDone(into: sink)
    }

    /// The reply goes to the command that needed the link; 421 ends the session.
    private mutating func linkFailed(_ reply: Octets, at now: Int64, into sink: some SessionSink) {
        let need = self.need
        unlink(into: sink)
        if case .release = need { return releaseFailed(at: now, into: sink) }
        if reply.starts(with: Replies.closing) { return end(reply, into: sink) }
        input = .command
        expectClient(at: now)
        refuse(reply, at: now, into: sink)
    }

    /// A link that got beyond its greeting is of no use: the session ends, unless it only was to release a notification.
    mutating func linkUseless(_ reply: Octets, at now: Int64, into sink: some SessionSink) {
        guard case .release = need else { return end(reply, into: sink) }
        unlink(into: sink)
        releaseFailed(at: now, into: sink)
    }

    /// A reply during the making of the link.
    mutating func linkReply(_ code: Int, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        upstreamDeadline = now + settings.timeouts.upstreamCommand
        switch link {
        case .greeting:
            guard code == 220 else { return greetingRefused(code, reply, into: sink, at: now) }
            if wantsUpstreamTLS { return askForTLS(into: sink) }
            identify(at: now, into: sink)
        case .offeringTLS, .startingTLS: upstreamTLSReplied(code, reply, at: now, into: sink)
        case .identifying:
            if (400..<500).contains(code) { return greetingRefused(code, reply, into: sink, at: now) }
            let offered = code == 250 ? Keywords(reply: reply.span).xclientAttributes : nil
            guard let offered else { return identityFailed(at: now, into: sink) }
            let commands = XClient.commands(
                offered: offered, client: client, server: server, helo: helo.isEmpty ? nil : helo, isESMTP: isExtended
            )
            guard let first = commands.first else { return identityFailed(at: now, into: sink) }
            sink.toUpstream(first)
            link = .xclient(left: Array(commands.dropFirst()))
        case .xclient(var left):
            guard code == 220 else { return identityFailed(at: now, into: sink) }
            guard !left.isEmpty else { return linkIdentified(at: now, into: sink) }
            sink.toUpstream(left.removeFirst())
            link = .xclient(left: left)
        case .none, .dialling, .securing, .standing: break
        }
    }

    /// Tells the upstream by XCLIENT who the client is; the PROXY header has done so already.
    mutating func identify(at now: Int64, into sink: some SessionSink) {
        guard case .xclient = linkIdentity else { return linkIdentified(at: now, into: sink) }
        link = .identifying
        sink.toUpstream(Octets("EHLO \(settings.hostname)\r\n".utf8))
    }

    private mutating func greetingRefused(_ code: Int, _ reply: Octets, into sink: some SessionSink, at now: Int64) {
        guard code >= 400 else { return lost(at: now, into: sink) }
        greetingRefusal = reply
        if code < 500 { return tryNext(into: sink) }
        linkFailed(reply, at: now, into: sink)
    }

    /// The connection broke, or said 4xx, before it was of any use: the next upstream on the list may do better.
    mutating func tryNext(into sink: some SessionSink) {
        replies = ReplyScanner()
        link = .dialling
        upstreamDeadline = .max
        sink.hangUpUpstream()
        sink.dial(next: true)
    }

    /// THREATS R11: never a session without the client's true address.
    mutating func identityFailed(at now: Int64, into sink: some SessionSink) {
        sink.report(.identityRefused(session: number))
        linkUseless(Replies.identity, at: now, into: sink)
    }

    /// An upstream that does not speak PROXY takes the header for a command and says so; from then on every reply would
    /// be one late, and the client unknown. Told from the first answer to a hello or MAIL.
    ///
    /// - Returns: whether `code` is such an answer; then the session has ended.
    mutating func refutesIdentity(_ code: Int, _ entry: Awaited, at now: Int64, into sink: some SessionSink) -> Bool {
        switch entry {
        case .hello, .helloAgain, .mail: break
        default: return false
        }
        isUnproven = false
        guard code == 500 || code == 502 else { return false }
        identityFailed(at: now, into: sink)
        return true
    }

    /// Upstream knows the client. What the client has said before is said again; its hello itself comes from `need`.
    private mutating func linkIdentified(at now: Int64, into sink: some SessionSink) {
        link = .standing
        isUnproven = linkIdentity == .proxyV1 || linkIdentity == .proxyV2
        guard saidHello else { return linkStands(at: now, into: sink) }
        sink.toUpstream(Octets((isExtended ? "EHLO " : "HELO ").utf8) + helo + SMTPSession.crlf)
        expect(.helloAgain, at: now)
    }

    /// The re-made link's keywords must still hold all that the client was promised.
    mutating func helloSaidAgain(_ code: Int, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        guard code == 250 else {
            return linkUseless(code < 500 ? Replies.upstreamUnavailable : Replies.upstreamChanged, at: now, into: sink)
        }
        if isExtended, let keywords {
            let new = Keywords(reply: reply.span, isInsideTLS: tls != nil)
            guard new.includes(keywords) else { return linkUseless(Replies.upstreamChanged, at: now, into: sink) }
        }
        linkStands(at: now, into: sink)
    }

    private mutating func linkStands(at now: Int64, into sink: some SessionSink) {
        let need = self.need
        self.need = nil
        switch need {
        case .command(let line):
            input = .command
            // XFORWARD may have to be answered before MAIL.
            if !command(Command.verb(of: line.span), line.span, at: now, into: sink) { (self.line, lineIsComplete) = (line, true) }
        case .release: repeatEnvelope(at: now, into: sink)
        case nil: break
        }
    }
}
