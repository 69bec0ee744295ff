// Where a peer is. An IPv4 client that reached a dual-stack socket comes as ::ffff:a.b.c.d and must be told upstream,
// logged and matched as a.b.c.d (R11); that is done once, here, when the value is made.

import Glibc

/// An IPv4 or IPv6 address with its port, or the other end of a Unix socket.
public struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    public enum Family: Sendable { case ipv4, ipv6, unixSocket }

    public let family: Family
    /// Host byte order; 0 when there is none.
    public let port: UInt16
    /// The address in network byte order, left-aligned in 128 bits: the high half holds all of IPv4.
    let high: UInt64
    let low: UInt64

    /// A peer on a Unix socket: it has no address and is in no network.
    public static let unixSocket = PeerAddress(family: .unixSocket, port: 0, high: 0, low: 0)

    init(family: Family, port: UInt16, high: UInt64, low: UInt64) {
        let isMapped = family == .ipv6 && high == 0 && low >> 32 == 0xFFFF
        self.family = isMapped ? .ipv4 : family
        self.port = port
        self.high = isMapped ? low << 32 : high
        self.low = isMapped ? 0 : low
    }

    /// - Parameter raw: 4 or 16 octets in network byte order; nil for another length.
    public init?(raw: some Collection<UInt8>, port: UInt16) {
        guard raw.count == 4 || raw.count == 16 else { return nil }
        let high = raw.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        let low = raw.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
        self.init(family: raw.count == 4 ? .ipv4 : .ipv6, port: port, high: raw.count == 4 ? high << 32 : high, low: low)
    }

    /// - Parameter text: `192.0.2.1` or `2001:db8::1`, without brackets, port or zone; no names.
    /// - Returns: nil for anything else.
    ///
    /// Source: inet_pton(3).
    public init?(_ text: String, port: UInt16 = 0) {
        guard !text.utf8.contains(0) else { return nil }
        var raw = Octets(repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &raw) == 1 {
            self.init(raw: raw[..<4], port: port)
        } else if unsafe inet_pton(AF_INET6, text, &raw) == 1 {
            self.init(raw: raw, port: port)
        } else {
            return nil
        }
    }

    /// The address in network byte order: 4 or 16 octets, none for a Unix socket.
    public var octets: Octets {
        let all = Self.octets(high) + Self.octets(low)
        return switch family {
        case .ipv4: Octets(all[..<4])
        case .ipv6: all
        case .unixSocket: []
        }
    }

    /// The address alone, without brackets, port or zone; `unix` for a Unix socket.
    public var text: String { family == .unixSocket ? "unix" : Self.text(octets) }

    /// Appends `text`: of an IPv4 client digit by digit, because this is done for every mail.
    func appendText(to line: inout Octets) {
        guard family == .ipv4 else { return line.append(text: text) }
        for place in 0..<4 {
            if place > 0 { line.append(ASCII.dot) }
            line.append(decimal: high >> UInt64(56 - 8 * place) & 0xFF)
        }
    }

    /// `192.0.2.1:25`, `[2001:db8::1]:25`, `unix`.
    public var description: String {
        switch family {
        case .ipv4: "\(text):\(port)"
        case .ipv6: "[\(text)]:\(port)"
        case .unixSocket: text
        }
    }

    /// The same address with another port.
    public func with(port: UInt16) -> PeerAddress { PeerAddress(family: family, port: port, high: high, low: low) }

    /// The first address of the network that the address is in; without a port.
    ///
    /// - Parameter length: bits that count, 0...32 or 0...128.
    public func masked(_ length: Int) -> PeerAddress {
        let mask = Network.mask(length)
        return PeerAddress(family: family, port: 0, high: high & mask.high, low: low & mask.low)
    }

    /// The 16 octets that stand for the address among IPv6 ones: RFC 4291 2.5.5.2 for IPv4.
    var asIPv6: Octets {
        family == .ipv4 ? Octets(repeating: 0, count: 10) + [0xFF, 0xFF] + octets : Self.octets(high) + Self.octets(low)
    }

    /// The text of 4 or 16 octets.
    static func text(_ raw: Octets) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = raw.count == 4 ? AF_INET : AF_INET6
        guard unsafe inet_ntop(family, raw, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func octets(_ half: UInt64) -> Octets {
        (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) }
    }
}
