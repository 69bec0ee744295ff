// Where a selftest's mail goes in, and as whom: a client whose mail guardd records, or one whose bounces it judges.

/// An SMTP server, and how to come to it.
struct SelftestDoor: Sendable {
    enum Purpose { case outgoing, incoming }

    /// nil: looked up.
    let address: PeerAddress?
    let name: String
    var host = ""
    var port: UInt16 = 0
    /// The address that the connection comes from; nil: the system's choice.
    var source: PeerAddress?
    /// The client that a PROXY header names, where guardd wants one.
    var announced: PeerAddress?

    /// - Parameter text: host:port of the command line.
    init(_ text: String) throws(SelftestFault) {
        switch ConfigurationAddress.upstream(text) {
        case .address(let address): (self.address, name) = (address, text)
        case .host(let host, let port): (address, name, self.host, self.port) = (nil, text, host, port)
        default: throw SelftestFault(text: "\(text): write host:port, as 127.0.0.1:25", exitStatus: 64)
        }
    }

    /// A listener of guardd's own.
    ///
    /// - Returns: nil when no client on this machine serves the purpose there.
    init?(_ listener: Configuration.Listener, _ purpose: Purpose, of configuration: Configuration) {
        guard listener.kind == .smtp, listener.path == nil, listener.tls != .implicit, listener.tlsLevel != .encrypt else { return nil }
        let candidates = SelftestDoor.candidates(listener.reachable)
        let fitting = candidates.filter { SelftestDoor.serves($0, purpose, listener, configuration) }
        let proxies = listener.proxyClients ?? configuration.proxyClients
        (address, name) = (listener.reachable, "guardd's listener \(listener.text)")
        if let plain = fitting.first(where: { client in !proxies.contains { $0.contains(client) } }) {
            source = plain
        } else if let proxy = candidates.first(where: { client in proxies.contains { $0.contains(client) } }), let client = fitting.first {
            (source, announced) = (proxy, client.with(port: 40_000))
        } else {
            return nil
        }
    }

    /// All of 127.0.0.0/8 is this machine; of other addresses only the listener's own is sure to be.
    private static func candidates(_ address: PeerAddress) -> [PeerAddress] {
        guard address.family == .ipv4, address.isLoopback else { return [address.with(port: 0)] }
        return (1...254).compactMap { PeerAddress("127.0.0.\($0)") }
    }

    private static func serves(_ client: PeerAddress, _ purpose: Purpose, _ listener: Configuration.Listener, _ configuration: Configuration) -> Bool {
        func isIn(_ networks: [Network]) -> Bool { networks.contains { $0.contains(client) } }
        // Behind a mail server that tells by XFORWARD nobody else is served.
        guard !isIn(configuration.exemptClients), configuration.upstreamIdentity != .xforward || isIn(configuration.xforwardClients) else { return false }
        let isOutgoing = listener.direction == .outbound || listener.direction == .auto && isIn(configuration.outgoingNetworks)
        return isOutgoing == (purpose == .outgoing)
    }

    /// Plays one mail up to the reply to its content, or to the first refusal.
    ///
    /// - Parameter content: lines end in CRLF; the dots are stuffed here.
    func play(from reversePath: String, to forwardPath: String, _ content: Octets, until deadline: ProbeDeadline) throws(ProbeFailure) -> (reply: ProbeReply, command: String) {
        let address: SocketAddress
        if let known = self.address {
            address = SocketAddress(known)
        } else {
            guard let found = try SocketAddress.all(of: host, port: port, until: deadline).first else { throw ProbeFailure(text: "\(host): has no address") }
            address = found
        }
        let connection = try ProbeConnection(to: address, from: source, name: name, until: deadline)
        if let announced { try connection.send(ProxyHeader.v2(client: announced, server: PeerAddress(address))) }
        var reply = try connection.reply()
        var command = "the greeting"
        for line in ["EHLO \(SelftestMail.host)", "MAIL FROM:<\(reversePath)>", "RCPT TO:<\(forwardPath)>", "DATA"] where reply.code < 400 {
            command = line
            reply = try connection.say(line)
        }
        if reply.code == 354 {
            command = "the content"
            try connection.send(DotStuffing.stuffed(content) + Octets(".\r\n".utf8))
            reply = try connection.reply()
        }
        connection.leave()
        return (reply, command)
    }
}
