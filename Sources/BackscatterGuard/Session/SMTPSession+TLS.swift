// STARTTLS of the client (RFC 3207) and of guardd at the upstream. After a handshake nothing that was said before it
// counts (THREATS R7), and after the 220 nothing is ever said in clear again (R8).

extension SMTPSession {
    // MARK: the client

    /// Where the client stands, for what it is offered.
    var offerPlace: SessionSettings.OfferPlace {
        if tls != nil { return .insideTLS }
        return clientTLS.start == .starttls ? .beforeTLS : .clear
    }

    /// Answers STARTTLS. It ends a group of commands, so its turn comes when no reply is due (RFC 3207 §4).
    mutating func startTLS(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        guard awaited.isEmpty else { return false }
        let refusal: Octets? = if tls != nil {
            Replies.tlsActive
        } else if clientTLS.start != .starttls {
            Replies.notImplemented
        } else if !Command.arguments(of: line).isEmpty {
            Replies.noArgument
        } else { nil }
        if let refusal {
            refuse(refusal, at: now, into: sink)
            return true
        }
        sink.toClient(Replies.readyForTLS)
        forget(into: sink)
        shakeHands(at: now, into: sink)
        return true
    }

    /// Until the handshake is done nothing is said to the client.
    mutating func shakeHands(at now: Int64, into sink: some SessionSink) {
        input = .handshake
        clientDeadline = now + settings.timeouts.handshake
        clientExpected = now
        sink.startTLS()
    }

    /// RFC 3207 §4.2. The upstream connection is kept for the hello that comes next, but not one that knows a user.
    private mutating func forget(into sink: some SessionSink) {
        endTransaction(nil, into: sink)
        if isAuthenticated { unlink(into: sink) }
        helo = []
        isExtended = false
        keywords = nil
        saidHello = false
        isAuthenticated = false
        forgetForwarded()
        if case .standing = link { upstreamIsStale = true }
    }

    /// The first command inside TLS. A hello makes the upstream forget by itself; before anything else it is made anew.
    mutating func renewUpstream(before verb: Verb, into sink: some SessionSink) {
        switch verb {
        case .ehlo, .helo: break
        default: unlink(into: sink)
        }
        upstreamIsStale = false
    }

    /// The handshake with the client is done.
    public mutating func clientSecured(_ summary: TLSSummary, at now: Int64, into sink: some SessionSink) {
        guard case .handshake = input else { return }
        tls = summary
        input = .command
        expectClient(at: now)
        if clientTLS.start == .implicit { opened(at: now, into: sink) }
        if isStopping { stop(into: sink) }
    }

    /// It failed. There is no way to say anything to the client.
    public mutating func clientHandshakeFailed(_ reason: String, into sink: some SessionSink) {
        sink.report(.clientHandshakeFailed(session: number, client: client, reason: reason))
        drop(into: sink)
    }

    /// - Parameter limit: milliseconds, under stress.
    mutating func handshakeTicked(at now: Int64, limit: Int64, into sink: some SessionSink) {
        guard now > clientDeadline || now - clientExpected > limit else { return }
        clientHandshakeFailed("not done in time", into: sink)
    }

    /// A listener that wants TLS takes nothing else in clear (Postfix: smtpd_tls_security_level = encrypt).
    ///
    /// - Returns: whether the command was refused.
    mutating func refusesInClear(_ verb: Verb, at now: Int64, into sink: some SessionSink) -> Bool {
        switch verb {
        // BDAT is refused anyway, because there can be no MAIL, and its octets must be swallowed.
        case .ehlo, .helo, .starttls, .noop, .quit, .malformed, .bdat: return false
        default:
            refuse(Replies.needTLS, at: now, into: sink)
            return true
        }
    }

    // MARK: the upstream

    var wantsUpstreamTLS: Bool { settings.upstreamTLS != .none && !upstreamStaysInClear && !linkIsProgram }

    mutating func askForTLS(into sink: some SessionSink) {
        link = .offeringTLS
        sink.toUpstream(Octets("EHLO \(settings.hostname)\r\n".utf8))
    }

    /// The reply to guardd's first EHLO, or to STARTTLS.
    mutating func upstreamTLSReplied(_ code: Int, _ reply: Octets, at now: Int64, into sink: some SessionSink) {
        switch link {
        case .offeringTLS:
            // It took the PROXY header for a command: from here on every reply would be one late (R11).
            if code == 500 || code == 502, settings.identity == .proxyV1 || settings.identity == .proxyV2 {
                return identityFailed(at: now, into: sink)
            }
            if (400..<500).contains(code) {
                greetingRefusal = reply
                return tryNext(into: sink)
            }
            guard code == 250 || code >= 400 else { return lost(at: now, into: sink) }        // no answer to EHLO
            guard code == 250, Keywords(reply: reply.span).hasStartTLS else {
                return staysInClear("STARTTLS is not offered", at: now, into: sink)
            }
            link = .startingTLS
            sink.toUpstream(Octets("STARTTLS\r\n".utf8))
        case .startingTLS:
            guard code == 220 || code >= 400 else { return lost(at: now, into: sink) }
            guard code == 220 else { return staysInClear("STARTTLS was answered with \(code)", at: now, into: sink) }
            link = .securing
            sink.startUpstreamTLS()
        default: break
        }
    }

    /// The connection is as good as before: with "may" the session goes on with it.
    private mutating func staysInClear(_ reason: String, at now: Int64, into sink: some SessionSink) {
        guard settings.upstreamTLS == .may else { return upstreamHandshakeFailed(reason, at: now, into: sink) }
        identify(at: now, into: sink)
    }

    /// The handshake with the upstream is done; what it said before counts no more.
    public mutating func upstreamSecured(at now: Int64, into sink: some SessionSink) {
        guard case .securing = link else { return }
        upstreamDeadline = now + settings.timeouts.upstreamCommand
        identify(at: now, into: sink)
    }

    /// It failed, and with it the connection: "may" tries once more in clear, "verify" the next upstream.
    public mutating func upstreamHandshakeFailed(_ reason: String, at now: Int64, into sink: some SessionSink) {
        let goesOn = settings.upstreamTLS == .may
        sink.report(.upstreamHandshakeFailed(session: number, reason: reason, goesOnInClear: goesOn))
        guard goesOn else { return tryNext(into: sink) }
        upstreamStaysInClear = true
        replies = ReplyScanner()
        link = .dialling
        upstreamDeadline = .max
        sink.hangUpUpstream()
        sink.dial(next: false)
    }
}
