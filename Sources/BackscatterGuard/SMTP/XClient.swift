// Tells upstream the true client by Postfix's XCLIENT, where PROXY is not spoken. Every value that a client chose is
// xtext, or it could name attributes of its own (THREATS 2.3, R11). Names are never told: guardd asks no DNS.

/// Commands of the XCLIENT extension.
///
/// Source: Postfix XCLIENT_README.
public enum XClient {
    /// Longest command, CRLF included.
    public static let lineLimit = 512

    /// The commands that tell upstream all it offers to hear.
    ///
    /// ADDR comes last, in the last command: once it is told, the session has the client's rights and a further
    /// XCLIENT is refused. Each command is answered by a fresh 220.
    ///
    /// - Parameter offered: attribute names of upstream's XCLIENT keyword, any case.
    /// - Parameter server: the address that the client reached; nil when it is not known.
    /// - Parameter helo: as the client said it; cut when its xtext does not fit a line; nil when it said none.
    /// - Returns: lines with CRLF, each at most 512 octets. Empty when ADDR is not offered: the true client can't be
    ///   told, and no session may go on.
    public static func commands(
        offered: [Octets], client: PeerAddress, server: PeerAddress?, helo: Octets?, isESMTP: Bool
    ) -> [Octets] {
        func isOffered(_ name: StaticString) -> Bool { offered.contains { ASCII.equal($0, name) } }
        guard isOffered("addr") else { return [] }
        var attributes = [Octets]()
        if isOffered("name") { attributes.append(Octets("NAME=\(unavailable)".utf8)) }
        if isOffered("reverse_name") { attributes.append(Octets("REVERSE_NAME=\(unavailable)".utf8)) }
        if isOffered("port") { attributes.append(Octets("PORT=\(port(client))".utf8)) }
        if let server {
            if isOffered("destaddr") { attributes.append(Octets("DESTADDR=\(address(server))".utf8)) }
            if isOffered("destport") { attributes.append(Octets("DESTPORT=\(port(server))".utf8)) }
        }
        if isOffered("proto") { attributes.append(Octets((isESMTP ? "PROTO=ESMTP" : "PROTO=SMTP").utf8)) }
        if let helo, !helo.isEmpty, isOffered("helo") { attributes.append(attribute(helo: helo)) }
        attributes.append(Octets("ADDR=\(address(client))".utf8))
        return lines(of: attributes)
    }

    private static let verb = Octets("XCLIENT".utf8)
    private static let unavailable = "[UNAVAILABLE]"

    private static func address(_ peer: PeerAddress) -> String {
        switch peer.family {
        case .ipv4: peer.text
        case .ipv6: "IPV6:\(peer.text)"
        case .unixSocket: unavailable
        }
    }

    private static func port(_ peer: PeerAddress) -> String { peer.family == .unixSocket ? unavailable : "\(peer.port)" }

    /// A name that looks like Postfix's word for "none" is told as such by its first octet in xtext.
    private static func attribute(helo: Octets) -> Octets {
        var text = Octets("HELO=".utf8)
        let limit = lineLimit - verb.count - 3
        for octet in helo {
            let encoded = octet == 0x5B && text.count == 5 ? Octets("+5B".utf8) : Xtext.encode([octet])
            if text.count + encoded.count > limit { break }
            text += encoded
        }
        return text
    }

    /// As few commands as hold the attributes in their order.
    private static func lines(of attributes: [Octets]) -> [Octets] {
        var lines = [Octets]()
        var line = verb
        for attribute in attributes {
            if line.count + 1 + attribute.count + 2 > lineLimit {
                lines.append(line + [ASCII.cr, ASCII.lf])
                line = verb
            }
            line += [ASCII.space] + attribute
        }
        lines.append(line + [ASCII.cr, ASCII.lf])
        return lines
    }
}
