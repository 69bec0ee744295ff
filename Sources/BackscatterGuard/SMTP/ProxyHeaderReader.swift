// Reads the PROXY header of a load balancer, version 1 (a line) or 2 (octets), out of octets that arrive in any division.
// Whoever may send one names the client for everything that follows, so nothing is guessed: one octet out of place makes
// the header malformed, and the connection is of no use. Bounded: 107 octets of version 1, `ProxyHeaderReader.longest` of
// version 2, of which addresses are kept and extensions (TLV) passed over.

/// Both ends of a connection as a load balancer tells them.
public struct ProxiedConnection: Sendable, Equatable {
    public var client: PeerAddress
    public var server: PeerAddress

    public init(client: PeerAddress, server: PeerAddress) {
        self.client = client
        self.server = server
    }
}

/// A PROXY header while it arrives.
///
/// Source: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, 2.1 and 2.2.
public struct ProxyHeaderReader: Sendable {
    public enum Step: Sendable, Equatable {
        /// All octets were taken, and the header goes on.
        case needsMore
        /// The header ended before this index. nil: it names no one (LOCAL, a health check; UNKNOWN; a Unix socket), so the
        /// connection's own addresses hold.
        case ended(at: Int, ProxiedConnection?)
        /// No PROXY header.
        case malformed
    }

    /// Octets of version 1 with CRLF: section 2.1.
    static let longestLine = 107
    /// Octets behind the first 16 of version 2. The longest addresses are 216; what else there is are extensions.
    static let longest = 4096
    private static let headLength = 16
    /// Two IPv6 addresses and two ports; nothing behind them is kept.
    private static let keptLength = headLength + 36
    private static let signature: Octets = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let word = Octets("PROXY ".utf8)

    private var octets = Octets()
    /// Octets taken so far, kept or not.
    private var count = 0

    public init() {}

    /// Takes octets up to the end of the header. Not to be called again after `.ended` or `.malformed`.
    ///
    /// - Complexity: O(length of the header)
    public mutating func read(_ span: Span<UInt8>) -> Step {
        for index in span.indices {
            if count < Self.keptLength || octets.first == Self.word.first { octets.append(span[index]) }
            count += 1
            guard let first = octets.first else { return .malformed }
            switch first == Self.word.first ? line() : binary() {
            case .needsMore: continue
            case .ended(_, let connection): return .ended(at: index + 1, connection)
            case .malformed: return .malformed
            }
        }
        return .needsMore
    }

    // MARK: version 1

    private func line() -> Step {
        guard count > Self.word.count else { return octets[count - 1] == Self.word[count - 1] ? .needsMore : .malformed }
        guard octets[count - 1] == ASCII.lf else { return count < Self.longestLine ? .needsMore : .malformed }
        guard octets[count - 2] == ASCII.cr else { return .malformed }
        let words = octets.dropLast(2).split(separator: ASCII.space, omittingEmptySubsequences: false)
        let family = String(decoding: words[1], as: UTF8.self)
        if family == "UNKNOWN" { return .ended(at: 0, nil) }
        guard words.count == 6, family == "TCP4" || family == "TCP6",
              let clientPort = Self.port(words[4]), let serverPort = Self.port(words[5]),
              let client = Self.address(words[2], isIPv6: family == "TCP6", clientPort),
              let server = Self.address(words[3], isIPv6: family == "TCP6", serverPort)
        else { return .malformed }
        return .ended(at: 0, ProxiedConnection(client: client, server: server))
    }

    private static func address(_ word: ArraySlice<UInt8>, isIPv6: Bool, _ port: UInt16) -> PeerAddress? {
        guard word.contains(ASCII.colon) == isIPv6 else { return nil }
        return PeerAddress(String(decoding: word, as: UTF8.self), port: port)
    }

    /// 0...65535 without a leading zero.
    private static func port(_ word: ArraySlice<UInt8>) -> UInt16? {
        guard (1...5).contains(word.count), word.allSatisfy(ASCII.isDigit), word.count == 1 || word.first != ASCII.zero else { return nil }
        return UInt16(exactly: word.reduce(0) { $0 * 10 + Int($1 - ASCII.zero) })
    }

    // MARK: version 2

    private func binary() -> Step {
        let at = count - 1
        if at < Self.signature.count { return octets[at] == Self.signature[at] ? .needsMore : .malformed }
        guard count >= Self.headLength else { return .needsMore }
        let length = Int(octets[14]) << 8 | Int(octets[15])
        guard length <= Self.longest, let size = addressSize, length >= 2 * size + (size > 0 ? 4 : 0) else { return .malformed }
        guard count == Self.headLength + length else { return .needsMore }
        return size > 0 ? addresses(size) : .ended(at: 0, nil)
    }

    /// Octets of one address, 0 when none is read; nil for what section 2.2 forbids, or what is no stream.
    private var addressSize: Int? {
        switch (octets[12], octets[13]) {
        case (0x20, _): 0                              // LOCAL
        case (0x21, 0x11): 4
        case (0x21, 0x21): 16
        case (0x21, 0x00), (0x21, 0x31): 0             // unspecified, Unix stream
        default: nil
        }
    }

    /// Source address, destination address, source port, destination port.
    private func addresses(_ size: Int) -> Step {
        let body = octets[Self.headLength...]
        let ports = body.dropFirst(2 * size).prefix(4).map(UInt16.init)
        guard ports.count == 4, let client = PeerAddress(raw: body.prefix(size), port: ports[0] << 8 | ports[1]),
              let server = PeerAddress(raw: body.dropFirst(size).prefix(size), port: ports[2] << 8 | ports[3])
        else { return .malformed }
        return .ended(at: 0, ProxiedConnection(client: client, server: server))
    }
}
