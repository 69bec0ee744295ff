// What the configuration says about milter listeners, and where any listener is bound.

import Glibc

extension Configuration {
    /// What is spoken at a listener.
    public enum ListenerKind: String, Sendable, CaseIterable {
        case smtp, milter
    }

    /// Something stands in front of the mail server: then it has to be known where that is.
    var hasSMTPListener: Bool { listeners.contains { $0.kind == .smtp } }

    func checkMilter(_ add: (String?, String) -> Void) {
        for (index, listener) in listeners.enumerated() {
            let path = "listener[\(index)]"
            if listener.kind == .smtp, listener.path != nil {
                add("\(path).address", "a Unix socket is for a milter; write protocol = \"milter\", or an IP address and a port")
            }
            if listener.path != nil, let group = listener.socketGroup, ConfigurationSystem.group(group) == nil {
                add("\(path).socket_group", "\(TOMLText.text(group)) is no group of this system; write the mail server's, as \"postfix\"")
            }
            if listener.kind == .milter, listener.tls != nil || listener.tlsLevel != .may {
                add("\(path).\(listener.tls != nil ? "tls" : "tls_level")", "a milter connection has no TLS; remove it")
            }
        }
    }

    var milterWarnings: [String] {
        var warnings: [String] = []
        for (index, listener) in listeners.enumerated() where listener.path == nil && (listener.socketMode != nil || listener.socketGroup != nil) {
            let key = listener.socketMode != nil ? "socket_mode" : "socket_group"
            warnings.append("listener[\(index)].\(key): is for a Unix socket and says nothing here; write address = \"unix:/run/guardd/milter.sock\"")
        }
        // Mail that comes back from a content filter on this machine can't be told from mail that began here.
        let hasLoopback = outgoingNetworks.contains { network in Network.loopback.contains { $0.contains(network.base) } }
        guard hasLoopback, listeners.contains(where: { $0.kind == .milter }) else { return warnings }
        return warnings + ["""
            outgoing_networks: this machine's own address is in it, so mail that a content filter gives back to the mail server \
            counts as outgoing, strangers' mail too; write -o smtpd_milters= for the service that it gives it to
            """]
    }

    var milterWorkerSettings: (SessionSettings) -> MilterWorkerSettings {
        { session in
            MilterWorkerSettings(
                session: MilterSettings(
                    session: session, outgoingDaemons: milterOutgoingDaemons.map { Octets($0.utf8) }, timeout: milterTimeout.clockMilliseconds),
                clients: milterClients)
        }
    }
}

extension Configuration.Listener {
    /// As the configuration writes it.
    public var text: String { path.map { "unix:\($0)" } ?? address.description }

    /// A socket that was passed to this process is the one that this listener names.
    func isBound(to socket: SocketAddress) -> Bool {
        if let path { return socket.unixPath == path }
        return address.family != .unixSocket && PeerAddress(socket) == address
    }

    /// A bound and listening descriptor.
    func open() throws(ReactorError) -> CInt {
        guard let path else { return try Listener.open(SocketAddress(address)) }
        return try Listener.open(UnixSocketFile(path: path, mode: socketMode ?? 0o660, group: socketGroup.flatMap(ConfigurationSystem.group)))
    }
}

extension ConfigurationAddress {
    /// `192.0.2.1:25`, `[2001:db8::1]:25`, both with or without `inet:`, or `unix:/path`.
    static func listener(_ text: String) -> (address: PeerAddress, path: String?)? {
        if text.hasPrefix("unix:") {
            guard case .unix(let path) = upstream(text) else { return nil }
            return (.unixSocket, path)
        }
        let address = text.hasPrefix("inet:") ? String(text.dropFirst(5)) : text
        return socket(address).map { ($0, nil) }
    }
}
