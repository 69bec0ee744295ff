// What sessions tell: a closed set of facts. One function gives each its log line; nothing remote gets there unwashed.

/// Severities as syslog numbers them.
enum Severity: Int, Sendable {
    case error = 3, warning = 4, info = 6, debug = 7
}

/// A fact about one session.
public enum SessionEvent: Sendable {
    case transaction(TransactionSummary)
    /// Upstream did not take the client's address (THREATS R11): the client got 421 4.3.5.
    case identityRefused(session: UInt64)
    /// `upstream_identity` is "xforward" and the client is not in `xforward_clients`: it got 421.
    case unlistedClient(session: UInt64, client: PeerAddress)
    case upstreamGarbled(session: UInt64)
    /// No upstream could be reached; why, one by one.
    case upstreamUnavailable(session: UInt64, reason: [String])
    case upstreamTimedOut(session: UInt64)
    case clientTimedOut(session: UInt64)
    /// The client's TLS handshake failed: nothing more is said to it.
    case clientHandshakeFailed(session: UInt64, client: PeerAddress, reason: String)
    /// The upstream can't be spoken to in TLS. `goesOnInClear`: because `upstream_tls` is "may".
    case upstreamHandshakeFailed(session: UInt64, reason: String, goesOnInClear: Bool)
    /// The record of an outgoing mail could not be made durable.
    case unrecorded(session: UInt64, passes: Bool)
    /// A milter connection was closed because the mail server did not speak the protocol, or not in time.
    case milterClosed(session: UInt64, reason: MilterFault)
}

/// Why a milter connection was closed.
public enum MilterFault: String, Sendable, CaseIterable {
    case malformed = "malformed packet"
    case version = "protocol version is older than 2"
    case order = "command out of order"
    case timeout = "timed out"
    case undecided = "no answer of the sent log in time, mail server got a temporary failure"
}

/// One transaction, however it ended.
public struct TransactionSummary: Sendable {
    public var session: UInt64
    public var client: PeerAddress
    /// nil in clear.
    public var tls: TLSSummary?
    public var reversePath: Octets
    /// As many as were kept; `recipientCount` tells how many were accepted.
    public var forwardPaths: [Octets]
    public var recipientCount: Int
    public var isOutgoing: Bool
    /// DATA or BDAT was said.
    public var hasContent: Bool
    /// Octets of content without its end; nil when not all of it was asked for.
    public var size: Int?
    public var judgement: Judgement?
    public var evidence: Evidence?
    /// The Message-ID under which a mail goes out, where it is told.
    public var messageID: MessageID?
    /// The id under which the mail server has queued it, where it told before it asked.
    public var queueID: Octets?
    /// What the client was told, upstream's octets or guardd's own; nil when it ended before its content did: by RSET, EHLO, QUIT, or a client that went away.
    /// Of a milter: the reply that the mail server is to give, or the milter's word "accept".
    public var reply: Octets?
}

extension SessionEvent {
    /// The log line, without a line end. Postfix-shaped, in fixed order (STYLE.md).
    public var text: String {
        if case .transaction(let summary) = self { summary.text } else { "\(Self.name(session)) \(words)" }
    }

    /// The line behind the session's name: what it is about, a colon, and what is told. Empty for a transaction.
    var words: String {
        switch self {
        case .transaction: ""
        case .identityRefused: "upstream: does not take the client's address, check upstream_identity and the mail server's settings; client got 421"
        case .unlistedClient(_, let client): "client: \(client.text) is not in xforward_clients, and upstream_identity = \"xforward\" serves no one else; client got 421"
        case .upstreamGarbled: "upstream: reply is not SMTP, connection closed"
        case .upstreamUnavailable(_, let reason): "upstream: none available (\(reason.isEmpty ? "closed before its greeting" : reason.joined(separator: "; ")))"
        case .upstreamTimedOut: "upstream: timed out"
        case .clientTimedOut: "client: timed out"
        case .clientHandshakeFailed(_, let client, let reason): "client: TLS handshake failed: client=\(client.text) reason=\"\(ASCII.washed(reason.utf8, limit: 200))\""
        case .upstreamHandshakeFailed(_, let reason, let goesOnInClear): "upstream: no TLS: \(ASCII.washed(reason.utf8, limit: 200))\(goesOnInClear ? ", going on in clear (upstream_tls = \"may\")" : ", not used (upstream_tls = \"verify\")")"
        case .unrecorded(_, let passes): "record: sent mail could not be recorded, \(passes ? "passed on all the same (record_failure = \"pass\")" : "client got a temporary failure")"
        case .milterClosed(_, let reason): "milter: connection closed: \(reason.rawValue)"
        }
    }

    /// Whom it is about.
    var session: UInt64 {
        switch self {
        case .transaction(let summary): summary.session
        case .identityRefused(let session), .unlistedClient(let session, _), .upstreamGarbled(let session), .upstreamUnavailable(let session, _),
             .upstreamTimedOut(let session), .clientTimedOut(let session), .clientHandshakeFailed(let session, _, _),
             .upstreamHandshakeFailed(let session, _, _), .unrecorded(let session, _), .milterClosed(let session, _): session
        }
    }

    /// Appends the log line.
    func append(to line: inout Octets) {
        if case .transaction(let summary) = self { summary.append(to: &line) } else { line.append(contentsOf: text.utf8) }
    }

    /// Priority for the journal.
    var severity: Severity {
        switch self {
        case .transaction: .info
        case .clientTimedOut, .clientHandshakeFailed: .info
        case .unlistedClient, .milterClosed, .upstreamGarbled, .upstreamTimedOut, .upstreamUnavailable, .upstreamHandshakeFailed: .warning
        case .identityRefused, .unrecorded: .error
        }
    }

    /// `S` and at least eight hexadecimal digits.
    static func name(_ session: UInt64) -> String {
        var name: Octets = []
        appendName(session, to: &name)
        return String(decoding: name, as: UTF8.self)
    }

    fileprivate static func appendName(_ session: UInt64, to line: inout Octets) {
        line.append(UInt8(ascii: "S"))
        for digit in (0..<max(8, 16 - session.leadingZeroBitCount / 4)).reversed() {
            line.append(ASCII.hexDigit(UInt8(truncatingIfNeeded: session >> (4 * UInt64(digit))) & 15))
        }
    }
}

extension TransactionSummary {
    var text: String {
        var line: Octets = []
        append(to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    /// Octets all the way: this is written for every mail.
    func append(to line: inout Octets) {
        line.reserveCapacity(line.count + 384)
        SessionEvent.appendName(session, to: &line)
        line.append(ASCII.space)
        line.append(text: action)
        line.append(ASCII.colon)
        if let judgement {
            line.append(word: " verdict=")
            line.append(text: judgement.verdict.rawValue)
            line.append(word: " reason=")
            line.append(text: judgement.reason.rawValue)
            if judgement.wouldRefuse { line.append(word: " would=refuse") }
        }
        line.append(word: " client=")
        appendClient(to: &line)
        if let tls {
            line.append(word: " tls=")
            line.append(text: tls.version)
            line.append(word: " cipher=")
            line.append(text: tls.cipher)
        }
        line.append(" from=<", washed: reversePath.span, ">")
        for path in forwardPaths { line.append(" to=<", washed: path.span, ">") }
        if recipientCount > forwardPaths.count {
            line.append(word: " nrcpt=")
            line.append(decimal: UInt64(recipientCount))
        }
        if let evidence {
            if let shownID { line.append(" msgid=<", washed: shownID.octets.span, ">") }
            line.append(word: " kind=")
            line.append(text: evidence.kind.rawValue)
        } else if let messageID {
            line.append(" msgid=<", washed: messageID.octets.span, ">")
        }
        if let size {
            line.append(word: " size=")
            line.append(decimal: UInt64(size))
        }
        if let queueID { line.append(" queue_id=", washed: queueID.span, "") }
        if let reply { line.append(" reply=\"", washed: reply.span.extracting(..<(reply.span.firstIndex(of: ASCII.cr) ?? reply.count)), "\"") }
    }

    /// The id that decided, or the first that a notification names; of another mail its own.
    var shownID: MessageID? {
        evidence.map { judgement?.decidingID ?? $0.originalMessageIDs.first } ?? messageID
    }

    /// XFORWARD may say that the address is not known.
    var shownClient: String { client.family == .unixSocket ? "unknown" : client.text }

    private func appendClient(to line: inout Octets) {
        if client.family == .unixSocket { line.append(word: "unknown") } else { client.appendText(to: &line) }
    }

    /// What became of it, in a word.
    var action: String {
        if let judgement { return judgement.verdict.rawValue }
        if !hasContent { return "envelope" }
        if reply == nil { return "cut" }
        return isOutgoing ? "send" : "relay"
    }
}

extension Array where Element == UInt8 {
    fileprivate mutating func append(_ before: StaticString, washed octets: Span<UInt8>, _ after: StaticString) {
        append(word: before)
        ASCII.appendWashed(octets, to: &self)
        append(word: after)
    }
}
