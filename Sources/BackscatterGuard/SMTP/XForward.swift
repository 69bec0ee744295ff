// What a mail server before guardd says about the client it has the mail from: Postfix's XFORWARD, one or more commands
// before each MAIL. Values are xtext, unpacked and checked here as Postfix's smtpd checks them, and packed anew for the
// upstream: what goes on can't be refused for its form, nor name another attribute.

/// Attributes of one mail's client.
///
/// Source: Postfix XFORWARD_README, smtpd(8).
public struct XForward: Sendable, Equatable {
    public enum Attribute: String, Sendable, CaseIterable {
        case name = "NAME", addr = "ADDR", port = "PORT", proto = "PROTO", helo = "HELO", ident = "IDENT", source = "SOURCE"
    }

    enum Value: Sendable, Equatable {
        /// `[UNAVAILABLE]`, `[TEMPUNAVAIL]`: known not to be known.
        case unavailable
        case text(Octets)
    }

    /// Why a command is not taken. Each is a 501.
    public enum Fault: Sendable, Equatable {
        /// No `attribute=value`.
        case syntax
        case unknownAttribute(Octets)
        case badValue(Attribute)
    }

    /// Longest value in xtext, as Postfix's.
    static let valueLimit = 255
    /// What guardd's EHLO answer says.
    public static let keyword = "XFORWARD " + Attribute.allCases.map(\.rawValue).joined(separator: " ")

    private var values: [Attribute: Value] = [:]
    private var address: PeerAddress?
    private var portNumber: UInt16 = 0

    public init() {}

    /// A client that has nobody behind it.
    public init(of client: PeerAddress, helo: Octets, isESMTP: Bool) {
        address = client
        portNumber = client.port
        let isKnown = client.family != .unixSocket
        values[.name] = .unavailable
        values[.addr] = isKnown ? .text(Self.text(of: client)) : .unavailable
        values[.port] = isKnown ? .text(Octets("\(client.port)".utf8)) : .unavailable
        values[.proto] = .text(Octets((isESMTP ? "ESMTP" : "SMTP").utf8))
        if !helo.isEmpty { values[.helo] = .text(helo) }
    }

    /// Nothing has been said.
    public var isEmpty: Bool { values.isEmpty }

    /// ADDR with PORT; `.unixSocket`, which is in no network, when ADDR is not available; nil when nothing was said of it.
    public var client: PeerAddress? { address.map { $0.family == .unixSocket ? $0 : $0.with(port: portNumber) } }

    /// Takes the arguments of one command; attributes that were said before and are said again are replaced.
    ///
    /// - Returns: nil when all of them were taken; else none was.
    public mutating func take(_ arguments: some Collection<UInt8>) -> Fault? {
        var new = self
        let words = arguments.split { ASCII.isBlank($0) }
        guard !words.isEmpty else { return .syntax }
        for word in words {
            guard let equals = word.firstIndex(of: ASCII.equals) else { return .syntax }
            let (name, value) = (word[..<equals], word[word.index(after: equals)...])
            guard !value.isEmpty else { return .syntax }
            guard let attribute = Attribute.allCases.first(where: { $0.isSpelled(name) }) else { return .unknownAttribute(Octets(name)) }
            guard value.count <= Self.valueLimit, let text = Xtext.decode(value), new.put(text, attribute) else { return .badValue(attribute) }
        }
        self = new
        return nil
    }

    private mutating func put(_ text: Octets, _ attribute: Attribute) -> Bool {
        if ASCII.equal(text, "[unavailable]") || ASCII.equal(text, "[tempunavail]") {
            values[attribute] = .unavailable
            switch attribute {
            case .addr: address = .unixSocket
            case .port: portNumber = 0
            default: break
            }
            return true
        }
        switch attribute {
        case .name: guard Self.isHostName(text) else { return false }
        case .addr:
            // Postfix takes no IPv4 address that begins with 0.
            guard let peer = Self.address(text), peer.family == .ipv6 || peer.octets.first != 0 else { return false }
            address = peer
            values[.addr] = .text(Self.text(of: peer))
            return true
        case .port:
            guard (1...5).contains(text.count), text.allSatisfy(ASCII.isDigit),
                  let number = UInt16(exactly: text.reduce(0) { $0 * 10 + Int($1 - ASCII.zero) })
            else { return false }
            portNumber = number
        case .proto: guard text.count <= 64 else { return false }
        case .source: guard ASCII.equal(text, "local") || ASCII.equal(text, "remote") else { return false }
        case .helo, .ident: break
        }
        values[attribute] = .text(text.map { ASCII.isControl($0) ? question : $0 })
        return true
    }

    // MARK: going on

    /// The commands for an upstream, as few as hold the attributes that it offers to hear.
    ///
    /// - Parameter offered: attribute names of upstream's XFORWARD keyword, any case.
    /// - Returns: lines with CRLF, each at most 512 octets; none when it is to hear nothing.
    public func commands(offered: [Octets]) -> [Octets] {
        let attributes = Attribute.allCases.compactMap { attribute -> Octets? in
            guard let value = values[attribute], offered.contains(where: attribute.isSpelled) else { return nil }
            let packed = switch value {
            case .unavailable: Octets("[UNAVAILABLE]".utf8)
            case .text(let text): Self.packed(text)
            }
            return Octets("\(attribute.rawValue)=".utf8) + packed
        }
        return attributes.isEmpty ? [] : XClient.lines(of: attributes, verb: "XFORWARD")
    }

    /// As much of it as one value holds, cut between codes.
    private static func packed(_ text: Octets) -> Octets {
        var packed = Octets()
        for octet in text {
            let code = Xtext.encode([octet])
            if packed.count + code.count > valueLimit { break }
            packed += code
        }
        return packed
    }

    private static func text(of peer: PeerAddress) -> Octets { Octets((peer.family == .ipv6 ? "IPV6:" : "").utf8) + Octets(peer.text.utf8) }

    // MARK: values

    /// `192.0.2.1` or `IPV6:2001:db8::1`.
    private static func address(_ text: Octets) -> PeerAddress? {
        guard text.span.spells("ipv6:") else {
            return text.contains(ASCII.colon) ? nil : PeerAddress(String(decoding: text, as: UTF8.self))
        }
        let rest = text.dropFirst(5)
        return rest.contains(ASCII.colon) ? PeerAddress(String(decoding: rest, as: UTF8.self)) : nil
    }

    /// Labels of letters, digits, hyphens and underscores, not all of digits: what Postfix takes for a host name.
    private static func isHostName(_ text: Octets) -> Bool {
        let labels = text.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        return text.contains { ASCII.isLetter($0) } && labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != ASCII.hyphen && label.last != ASCII.hyphen
                && label.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.hyphen || $0 == underscore }
        }
    }
}

private let question: UInt8 = 0x3F
private let underscore: UInt8 = 0x5F

extension XForward.Attribute {
    func isSpelled(_ name: some Sequence<UInt8>) -> Bool { ASCII.lowercased(name) == ASCII.lowercased(rawValue.utf8) }
}
