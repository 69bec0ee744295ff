// guardd as Postfix's smtpd_proxy_filter: XFORWARD of a listed client names the true client of the next mail. It is told
// to the upstream right before that mail's MAIL, because the upstream forgets it as guardd does: with the end of each
// transaction, RSET, a hello or STARTTLS (Postfix's smtpd resets it at the same places).
//
// PROXY and XCLIENT go on telling who is connected to guardd, the mail server before it, which the upstream trusts for
// what it has checked; XFORWARD tells whose mail it is. It grants nothing, at guardd's upstream as at any Postfix.

extension SMTPSession {
    /// XFORWARD (THREATS R11): for listed clients only, and never as it came.
    mutating func forward(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        guard mayForward else {
            refuse(Replies.notImplemented, at: now, into: sink)
            return true
        }
        // What is due may end the transaction, and with it what was said before.
        guard awaited.isEmpty else { return false }
        let refusal: Octets? = if transaction != nil {
            Replies.transactionOpen
        } else if !saidHello || keywords == nil {
            Replies.needHello
        } else {
            fault(in: line)
        }
        if let refusal {
            refuse(refusal, at: now, into: sink)
        } else {
            hasToldForwarded = false
            answer(Replies.ok, into: sink)
        }
        return true
    }

    private mutating func fault(in line: Span<UInt8>) -> Octets? {
        switch forwarded.take(line.extracting(Command.arguments(of: line)).copied()) {
        case nil: nil
        case .syntax?: Replies.attributeSyntax
        case .unknownAttribute(let name)?: Replies.badAttribute(name)
        case .badValue(let attribute)?: Replies.badAttributeValue(attribute.rawValue)
        }
    }

    mutating func forgetForwarded() {
        forwarded = XForward()
        hasToldForwarded = false
    }

    /// Whose mail it is decides what it is, not who brings it.
    var isExemptMail: Bool { forwarded.client.map { client in settings.networks.exempt.contains { $0.contains(client) } } ?? isExempt }
    var isOutgoingMail: Bool { forwarded.client.map { client in settings.networks.outgoing.contains { $0.contains(client) } } ?? isOutgoingClient }

    enum Telling { case told, waits, failed }

    /// Before MAIL.
    ///
    /// - Returns: `.waits` when the replies have to come first, `.failed` when the session has ended.
    mutating func tellForwarded(at now: Int64, into sink: some SessionSink) -> Telling {
        if settings.identity == .xforward, !takesForwardedAddress {
            identityFailed(at: now, into: sink)
            return .failed
        }
        guard !hasToldForwarded else { return .told }
        hasToldForwarded = true
        let lines = forwardingLines
        for line in lines {
            sink.toUpstream(line)
            expect(.forwarded, at: now)
        }
        // Where it is the identity, no MAIL goes up that the upstream could take for guardd's own.
        let maySendMail = keywords?.pipelining == true && settings.identity != .xforward
        return lines.isEmpty || maySendMail ? .told : .waits
    }

    /// What this upstream is told of the mail's client. Where XFORWARD is the identity and the client said nothing, it is
    /// the client itself.
    var forwardingLines: [Octets] {
        guard let offered = keywords?.xforwardAttributes else { return [] }
        if !forwarded.isEmpty || settings.identity != .xforward { return forwarded.commands(offered: offered) }
        return XForward(of: client, helo: helo, isESMTP: isExtended).commands(offered: offered)
    }

    var takesForwardedAddress: Bool { keywords?.xforwardAttributes?.contains(where: XForward.Attribute.addr.isSpelled) == true }

    /// An upstream that is told by XFORWARD who the client is trusts guardd's address: nobody may come whom nobody checked.
    mutating func refuseUnlisted(into sink: some SessionSink) {
        sink.report(.unlistedClient(session: number, client: client))
        end(Replies.unlisted, into: sink)
    }
}
