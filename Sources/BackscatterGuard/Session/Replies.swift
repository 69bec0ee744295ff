// Replies that guardd gives by itself. Upstream's are passed on as they are. RFC 5321 §4.2, RFC 3463.

enum Replies {
    /// The code that says: this session ends now.
    static let closing = Octets("421".utf8)
    static let syntax = Reply(500, "5.5.2", "Error: command not recognized").octets
    static let controls = Reply(500, "5.5.2", "Error: command lines end in CRLF and hold no control characters").octets
    static let lineTooLong = Reply(500, "5.5.2", "Error: line too long").octets
    static let notImplemented = Reply(502, "5.5.1", "Error: command not implemented").octets
    static let helloArgument = Reply(501, "5.5.4", "Syntax: EHLO hostname").octets
    static let noArgument = Reply(501, "5.5.4", "Error: this command has no argument").octets
    static let readyForTLS = Reply(220, "2.0.0", "Ready to start TLS").octets
    static let tlsActive = Reply(554, "5.5.1", "Error: TLS already active").octets
    static let needTLS = Reply(530, "5.7.0", "Must issue a STARTTLS command first").octets
    static let authNeedsTLS = Reply(538, "5.7.11", "Encryption required for requested authentication mechanism").octets
    static let requireTLS = Reply(555, "5.5.4", "Unsupported option: REQUIRETLS").octets
    static let mailSyntax = Reply(501, "5.1.7", "Bad sender address syntax").octets
    static let recipientSyntax = Reply(501, "5.1.3", "Bad recipient address syntax").octets
    static let nestedMail = Reply(503, "5.5.1", "Error: nested MAIL command").octets
    static let needMail = Reply(503, "5.5.1", "Error: need MAIL command").octets
    static let needRecipient = Reply(503, "5.5.1", "Error: need RCPT command").octets
    static let noRecipients = Reply(554, "5.5.1", "Error: no valid recipients").octets
    static let chunksBegun = Reply(503, "5.5.1", "Error: only BDAT or RSET may follow BDAT").octets
    static let chunkSyntax = Reply(521, "5.5.4", "Syntax: BDAT count [LAST]").octets
    static let ok = Reply(250, "2.0.0", "Ok").octets
    static let bye = Reply(221, "2.0.0", "Bye").octets
    static let startContent = Reply(354, nil, "End data with <CR><LF>.<CR><LF>").octets
    static let tooManyErrors = Reply(421, "4.7.0", "Error: too many errors").octets
    static let tooManyRecipients = Reply(452, "4.5.3", "Error: too many recipients").octets
    static let otherPolicy = Reply(452, "4.5.3", "Error: this recipient has another policy for bounces, send it in a transaction of its own").octets
    static let upstreamLost = Reply(421, "4.3.0", "Error: mail server connection lost, try again later").octets
    static let upstreamUnavailable = Reply(421, "4.3.0", "Error: mail server not available, try again later").octets
    static let upstreamChanged = Reply(421, "4.3.0", "Error: mail server changed, please connect again").octets
    static let upstreamTimeout = Reply(421, "4.4.2", "Error: mail server timed out, try again later").octets
    static let identity = Reply(421, "4.3.5", "Error: the mail server does not take the client's address, try again later").octets
    static let unlisted = Reply(421, "4.3.5", "Error: this service is for listed mail servers only").octets
    static let transactionOpen = Reply(503, "5.5.1", "Error: MAIL transaction in progress").octets
    static let needHello = Reply(503, "5.5.1", "Error: send EHLO first").octets
    static let attributeSyntax = Reply(501, "5.5.4", "Syntax: XFORWARD attribute=value...").octets
    static func badAttribute(_ name: Octets) -> Octets { Reply(501, "5.5.4", "Bad XFORWARD attribute name: \(ASCII.washed(name, limit: 40))").octets }
    static func badAttributeValue(_ name: String) -> Octets { Reply(501, "5.5.4", "Bad \(name) syntax").octets }
    /// A state that must not be: one session ends, the daemon and the mail of others go on.
    static let internalError = Reply(421, "4.3.0", "Error: internal error, try again later").octets
    static let clientTimeout = Reply(421, "4.4.2", "Error: timeout exceeded").octets
    static let stopping = Reply(421, "4.3.2", "Service shutting down, try again later").octets
    /// Postfix answers likewise (smtpd_upstream_proxy_protocol).
    static let noProxyHeader = Reply(421, "4.3.0", "Error: PROXY header expected").octets
    static let tooManyConnections = Reply(421, "4.7.0", "Error: too many connections, try again later").octets
    static let lookAlike = Reply(550, "5.6.0", "Error: bare line ending next to a lone dot in the message, use CRLF").octets
    static let bareLineEnding = Reply(451, "4.6.0", "Error: bare CR or LF in the message, use CRLF").octets
    static let contentLost = Reply(451, "4.3.0", "Error: mail server connection lost, try again later").octets
    static let recordFailed = Reply(451, "4.3.0", "Error: the record of sent mail can't be written, try again later").octets
    static let recordFailedSession = Reply(421, "4.3.0", "Error: the record of sent mail can't be written, try again later").octets
    static let headerTooLarge = Reply(451, "4.3.0", "Error: header section too large to find the Message-ID").octets
    static let changedMind = Reply(451, "4.3.0", "Error: mail server gave another answer than before, try again later").octets
    /// Why a notification is refused: one line that the administrator of the bouncing site understands, at most 512 octets
    /// (RFC 5321 §4.5.3.1.5).
    ///
    /// - Parameter tail: where more can be read, and CRLF.
    static func refusal(_ judgement: Judgement, tail: Octets) -> Octets {
        let (before, behind): (StaticString, StaticString) = switch judgement.reason {
        case .neverSent, .notCovered: ("no mail", " was sent from here")
        case .otherDomain: ("the mail", " was not sent by this recipient")
        case .replayed: ("the mail", " has come back too often")
        case .unreadable: ("this bounce", " can't be read")
        case .undecided: ("this bounce", " does not tell the Message-ID of the returned mail")
        case .tagged: ("bounces", " to this address are not taken")
        case .notABounce: ("this is no bounce,", " and nothing else is taken from this sender")
        case .sent, .pair, .logFailed, .logSilent: ("bounces", " are not taken here now")
        }
        var reply = refusalStart
        before.withUTF8Buffer { unsafe reply.append(contentsOf: $0) }
        if let id = judgement.decidingID {
            var washed: Octets = []
            ASCII.appendWashed(id.octets, limit: 300, to: &washed)
            reply += withID
            reply += washed.prefix(300)
            reply.append(ASCII.greater)
        }
        behind.withUTF8Buffer { unsafe reply.append(contentsOf: $0) }
        reply += tail
        return reply
    }
    private static let refusalStart = Octets("550 5.7.1 Backscatter refused: ".utf8)
    private static let withID = Octets(" with Message-ID <".utf8)
    static let deferred = Reply(451, "4.7.1", "Bounce can't be verified now, try again later").octets
}
