// Tells upstream the true client before the first SMTP octet: the PROXY protocol of haproxy, version 1 (a line) or
// version 2 (octets). Without it Postfix would take every client for guardd's own address (R11, THREATS 2.3).

/// Headers of the PROXY protocol.
///
/// Source: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, 2.1 and 2.2; Postfix smtpd_upstream_proxy_protocol.
public enum ProxyHeader {
    /// `PROXY TCP4 client server port port` CRLF, at most 107 octets.
    ///
    /// Addresses of two families go as TCP6 with the IPv4 one mapped; a server without address as the unspecified one.
    ///
    /// - Returns: `PROXY UNKNOWN` only for a client on a Unix socket, which has no address to tell.
    public static func v1(client: PeerAddress, server: PeerAddress) -> Octets {
        guard client.family != .unixSocket else { return Octets("PROXY UNKNOWN\r\n".utf8) }
        let (name, source, destination) = addresses(client, server)
        let texts = "\(PeerAddress.text(source)) \(PeerAddress.text(destination))"
        return Octets("PROXY \(name) \(texts) \(client.port) \(server.port)\r\n".utf8)
    }

    /// Signature, version 2, command PROXY, family, length, addresses, ports: 28 or 52 octets.
    ///
    /// - Returns: the command LOCAL only for a client on a Unix socket.
    public static func v2(client: PeerAddress, server: PeerAddress) -> Octets {
        let signature: Octets = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
        guard client.family != .unixSocket else { return signature + [0x20, 0x00, 0x00, 0x00] }
        let (_, source, destination) = addresses(client, server)
        let isIPv4 = source.count == 4
        let length = UInt8(2 * source.count + 4)
        let head = signature + [0x21, isIPv4 ? 0x11 : 0x21, 0x00, length]
        return head + source + destination + octets(client.port) + octets(server.port)
    }

    /// Both addresses in one family.
    private static func addresses(_ client: PeerAddress, _ server: PeerAddress) -> (name: String, Octets, Octets) {
        switch (client.family, server.family) {
        case (.ipv4, .ipv4): ("TCP4", client.octets, server.octets)
        case (.ipv4, .unixSocket): ("TCP4", client.octets, [0, 0, 0, 0])
        default: ("TCP6", client.asIPv6, server.asIPv6)
        }
    }

    private static func octets(_ port: UInt16) -> Octets { [UInt8(port >> 8), UInt8(port & 0xFF)] }
}
