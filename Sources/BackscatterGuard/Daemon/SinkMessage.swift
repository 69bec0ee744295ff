// What the embedded MTA received, and how it is set up.

/// One message that the sink took responsibility for.
public struct SinkMessage: Sendable, Equatable {
    /// As its 250 told it.
    public var queueID: String
    /// Who the client is: by the PROXY header where one is expected, else by the connection.
    public var client: PeerAddress
    /// Argument of EHLO or HELO.
    public var hello: Octets
    /// Without `<>`.
    public var reversePath: Octets
    /// ESMTP parameters of MAIL as they came; empty when there were none.
    public var mailParameters: Octets
    /// Without `<>`, in the order of RCPT.
    public var forwardPaths: [Octets]
    /// Dots unstuffed, without the end of data.
    public var content: Octets
    /// It came with BDAT.
    public var isChunked: Bool
}

/// How a sink behaves, and its bounds.
public struct SinkSettings: Sendable {
    public var hostname = "sink.example.org"
    /// Every connection begins with a PROXY header of version 2; one that doesn't is closed with 421.
    public var expectsProxyHeader = false
    /// Octets of the largest content; told by the keyword SIZE.
    public var sizeLimit = 32 << 20
    public var recipientLimit = 1_000
    /// Local parts, in lower case, that RCPT refuses with 550 5.1.1.
    public var unknownUsers: Set<Octets> = []
    /// Messages kept; the oldest goes first.
    public var messagesKept = 256
    /// Octets of content kept for all messages together.
    public var octetsKept = 64 << 20
    /// More clients are closed unheard.
    public var connectionLimit = 1_024
    /// Milliseconds without an octet from a client after which it is closed.
    public var idleLimit: Int64 = 300_000

    public init() {}
}
