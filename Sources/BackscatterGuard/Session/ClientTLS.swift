// How TLS is used on each side of a session, in Postfix's terms.

/// How clients of a listener come to TLS.
public struct ClientTLS: Sendable, Equatable {
    public enum Start: String, Sendable, CaseIterable {
        case none
        /// RFC 3207.
        case starttls
        /// From the first octet: RFC 8314 §3.
        case implicit
    }

    public var start = Start.none
    /// Postfix's level "encrypt": no mail in clear. Else "may".
    public var isRequired = false

    public init(start: Start = .none, isRequired: Bool = false) {
        self.start = start
        self.isRequired = isRequired
    }
}

/// Whether the upstream is spoken to in TLS.
public enum UpstreamTLS: String, Sendable, CaseIterable {
    case none
    /// If it offers STARTTLS and the handshake succeeds; its certificate is not looked at.
    case may
    /// Always, with a good certificate for its name, or not at all.
    case verify
}
