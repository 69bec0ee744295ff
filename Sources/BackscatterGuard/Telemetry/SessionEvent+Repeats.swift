// Which log lines may be folded when they come too often: what guardd itself refused, and faults that a client or an upstream
// causes again and again. What was delivered, sent or answered by the upstream always has its line.

/// A kind of log line that is counted when it comes too often.
struct LogRepeat: Sendable {
    /// What lines have in common.
    struct Kind: Hashable, Sendable {
        /// Washed; goes to the line that tells the count.
        var text: String
        var severity: Severity
    }

    var kind: Kind
    /// A wider kind: where too many different ones are counted already. Of a closed set.
    var rest: Kind
    /// Whom it came from, where that is known.
    var client: String?
    /// Recipients of a mail.
    var recipients = 0

    init(_ text: String, rest: String, _ severity: Severity, client: String? = nil, recipients: Int = 0) {
        kind = Kind(text: text, severity: severity)
        self.rest = Kind(text: rest, severity: severity)
        (self.client, self.recipients) = (client, recipients)
    }
}

extension SessionEvent {
    /// nil: it always has its line.
    var repeatable: LogRepeat? {
        switch self {
        case .transaction(let summary): summary.repeatable
        case .unlistedClient(_, let client):
            LogRepeat("client: \(client.text) is not in xforward_clients", rest: "client: not in xforward_clients", severity, client: client.text)
        case .clientHandshakeFailed(_, let client, _):
            LogRepeat("client: TLS handshake failed: client=\(client.text)", rest: "client: TLS handshake failed", severity, client: client.text)
        case .identityRefused: shared("upstream: does not take the client's address")
        case .upstreamGarbled: shared("upstream: reply is not SMTP")
        case .upstreamUnavailable: shared("upstream: none available")
        case .upstreamTimedOut: shared("upstream: timed out")
        case .upstreamHandshakeFailed: shared("upstream: no TLS")
        case .clientTimedOut: shared("client: timed out")
        case .unrecorded: shared("record: sent mail could not be recorded")
        case .milterClosed(_, let reason): shared("milter: connection closed: \(reason.rawValue)")
        }
    }

    private func shared(_ text: String) -> LogRepeat { LogRepeat(text, rest: text, severity) }
}

extension TransactionSummary {
    /// Refused or deferred by a verdict, or nothing came of it.
    fileprivate var repeatable: LogRepeat? {
        // First what needs no text: this is asked for every mail.
        if let judgement {
            guard judgement.verdict == .refuse || judgement.verdict == .defer else { return nil }
            let words = "\(judgement.verdict.rawValue): reason=\(judgement.reason.rawValue)"
            let victim = forwardPaths.first.map { " to=<\(ASCII.washed($0))>" } ?? ""
            return LogRepeat(words + victim, rest: words, .info, client: shownClient, recipients: recipientCount)
        }
        guard !hasContent || reply == nil else { return nil }
        let words = hasContent ? "cut:" : "envelope:"
        return LogRepeat("\(words) client=\(shownClient)", rest: words, .info, client: shownClient, recipients: recipientCount)
    }
}
