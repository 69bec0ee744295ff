// Whose mail it is. Only mail that began here is recorded: a stranger's would plant an id of his choice (MTA-FACTS 3.2).

extension MilterSession {
    /// The client is neither judged nor recorded.
    var isExempt: Bool { settings.session.networks.exempt.contains { $0.contains(client) } }

    /// The mail whose MAIL has just come is outgoing.
    var isOutgoing: Bool {
        switch direction {
        case .inbound: false
        case .outbound: true
        case .auto: hasAuthenticated || isOwnDaemon || isLocal || settings.session.networks.outgoing.contains { $0.contains(client) }
        }
    }

    /// `{auth_authen}` is set by the MTA when AUTH has succeeded.
    private var hasAuthenticated: Bool { macros.authenticated?.isEmpty == false }

    /// The MTA calls its submission service so.
    private var isOwnDaemon: Bool { macros.daemonName.map(settings.outgoingDaemons.contains) ?? false }

    /// Postfix's pickup shows local mail as coming from loopback, port 0; an address alone would do for a content filter's
    /// re-injection too, and port 0 alone for a client of whom a proxy told no port.
    private var isLocal: Bool {
        client.port == 0 && Network.loopback.contains { $0.contains(client) } && (macros.daemonPort ?? [ASCII.zero]) == [ASCII.zero]
    }
}

extension PeerAddress {
    /// The MTA's client; a Unix socket where it has no address that can be read.
    init(_ connect: MilterConnect) {
        let prefix = Octets("ipv6:".utf8)                     // Sendmail's way to write it
        let hasPrefix = connect.family == .inet6 && ASCII.lowercased(connect.address.prefix(prefix.count)) == prefix
        let text = String(decoding: hasPrefix ? connect.address.dropFirst(prefix.count) : connect.address[...], as: UTF8.self)
        let isInternet = connect.family == .inet || connect.family == .inet6
        self = (isInternet ? PeerAddress(text, port: connect.port) : nil) ?? .unixSocket
    }
}
