// Reads what ProxyHeader.v2 writes, and all else that version 2 allows. Written apart from the writer, so that the one
// tests the other.

/// A PROXY header of version 2 out of octets that arrive in any division.
///
/// Source: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, 2.2.
struct SinkProxyHeader: Sendable {
    enum Step: Equatable, Sendable {
        case needsMore
        /// The header ended before this index of the span. nil: command LOCAL or an address of no internet family, so the
        /// connection's own address holds.
        case ended(at: Int, client: PeerAddress?)
        case malformed
    }

    private static let signature: Octets = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// Signature, version and command, family, length.
    private static let headLength = 16
    /// Addresses and extensions; Postfix takes no more than 536 octets in all.
    private static let longestBody = 520

    private var octets = Octets()

    mutating func read(_ span: Span<UInt8>, from start: Int) -> Step {
        var index = start
        while index < span.count {
            octets.append(span[index])
            index += 1
            let at = octets.count - 1
            if at < Self.signature.count, octets[at] != Self.signature[at] { return .malformed }
            guard octets.count >= Self.headLength else { continue }
            let length = Int(octets[14]) << 8 | Int(octets[15])
            guard length <= Self.longestBody else { return .malformed }
            if octets.count == Self.headLength + length { return conclude(at: index) }
        }
        return .needsMore
    }

    private func conclude(at end: Int) -> Step {
        let body = octets[Self.headLength...]
        switch (octets[12], octets[13]) {
        case (0x20, _): return .ended(at: end, client: nil)
        case (0x21, 0x11): return address(body, size: 4, end)
        case (0x21, 0x21): return address(body, size: 16, end)
        case (0x21, _): return .ended(at: end, client: nil)
        default: return .malformed
        }
    }

    /// Source address, destination address, source port, destination port.
    private func address(_ body: ArraySlice<UInt8>, size: Int, _ end: Int) -> Step {
        let bytes = Octets(body)
        guard bytes.count >= 2 * size + 4 else { return .malformed }
        let port = UInt16(bytes[2 * size]) << 8 | UInt16(bytes[2 * size + 1])
        return PeerAddress(raw: bytes[..<size], port: port).map { .ended(at: end, client: $0) } ?? .malformed
    }
}
