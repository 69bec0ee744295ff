// Tells upstream the true client by Postfix's XCLIENT, where PROXY is not spoken. Every value that a client chose is
// xtext, or it could name attributes of its own (THREATS 2.3, R11). Names are never told: guardd asks no DNS.

/// Commands of the XCLIENT extension.
///
/// Source: Postfix XCLIENT_README.
public enum XClient {
    /// Longest command, CRLF included.
    public static let lineLimit = 512
    /// Longest value in xtext: Postfix answers 501 to a longer one. All attributes together then fit one command today.
    static let valueLimit = 255

    /// The commands that tell upstream all it offers to hear.
    ///
    /// ADDR comes last, in the last command: once it is told, the session has the client's rights and a further
    /// XCLIENT is refused. Each command is answered by a fresh 220.
    ///
    /// - Parameter offered: attribute names of upstream's XCLIENT keyword, any case.
    /// - Parameter server: the address that the client reached; nil when it is not known.
    /// - Parameter helo: as the client said it; cut to 255 octets of xtext; nil when it said none.
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

    private static let unavailable = "[UNAVAILABLE]"

    private static func address(_ peer: PeerAddress) -> String {
        switch peer.family {
        case .ipv4: peer.text
        case .ipv6: "IPV6:\(peer.text)"
        case .unixSocket: unavailable
        }
    }

    private static func port(_ peer: PeerAddress) -> String { peer.family == .unixSocket ? unavailable : "\(peer.port)" }

    /// The client's name as xtext. A name that is Postfix's word for "none" is told by its first octet's code.
    private static func attribute(helo: Octets) -> Octets {
        let isWord = ASCII.equal(helo, "[unavailable]") || ASCII.equal(helo, "[tempunavail]")
        var value = isWord ? Octets("+5B".utf8) : []
        for octet in helo.dropFirst(isWord ? 1 : 0) {
            let encoded = Xtext.encode([octet])
            if value.count + encoded.count > valueLimit { break }
            value += encoded
        }
        return Octets("HELO=".utf8) + value
    }

    /// As few commands as hold the attributes in their order.
    static func lines(of attributes: [Octets], verb: String = "XCLIENT") -> [Octets] {
        let verb = Octets(verb.utf8)
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
