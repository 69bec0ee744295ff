// CIDR blocks of the configuration: exempt clients, outgoing networks.

/// All addresses that share a prefix: RFC 4632 3.1, RFC 4291 2.3.
public struct Network: Sendable, Hashable, CustomStringConvertible {
    /// The first address.
    public let base: PeerAddress
    /// Bits that count: 0...32 or 0...128.
    public let prefixLength: Int

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address.
    ///
    /// IPv4-mapped blocks become the IPv4 block that they stand for.
    ///
    /// - Returns: nil also for bits set behind the prefix: the writer meant something else than he wrote.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = PeerAddress(String(decoding: first, as: UTF8.self)) else { return nil }
        let isMapped = address.family == .ipv4 && first.contains(ASCII.colon)
        let bits = address.family == .ipv4 ? 32 : 128
        var length = bits
        if parts.count == 2 {
            let digits = parts[1]
            guard (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { return nil }
            if digits.count > 1, digits.first == ASCII.zero { return nil }
            length = digits.reduce(0) { $0 * 10 + Int($1 - ASCII.zero) } - (isMapped ? 96 : 0)
        }
        guard (0...bits).contains(length) else { return nil }
        let mask = Self.mask(length)
        guard address.high & ~mask.high == 0, address.low & ~mask.low == 0 else { return nil }
        base = address
        prefixLength = length
    }

    /// Whether the address of `peer` lies inside; its port does not matter, and a Unix socket is in no network.
    public func contains(_ peer: PeerAddress) -> Bool {
        let mask = Self.mask(prefixLength)
        return peer.family == base.family && peer.high & mask.high == base.high && peer.low & mask.low == base.low
    }

    public var description: String { "\(base.text)/\(prefixLength)" }

    /// `length` ones at the left of 128 bits; Swift's `<<` by 64 gives 0.
    static func mask(_ length: Int) -> (high: UInt64, low: UInt64) {
        (UInt64.max << (64 - min(length, 64)), UInt64.max << (64 - max(length - 64, 0)))
    }
}
