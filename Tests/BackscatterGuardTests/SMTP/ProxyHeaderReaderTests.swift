import Testing
@testable import BackscatterGuard

private let signature: Octets = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

/// Reads `octets` in those pieces; what is left over must stay untouched.
private func read(_ pieces: [Octets]) -> ProxyHeaderReader.Step {
    var reader = ProxyHeaderReader()
    var before = 0
    for piece in pieces {
        switch reader.read(piece.span) {
        case .needsMore: before += piece.count
        case .ended(let end, let connection): return .ended(at: before + end, connection)
        case .malformed: return .malformed
        }
    }
    return .needsMore
}

private func connection(_ client: String, _ clientPort: UInt16, _ server: String, _ serverPort: UInt16) -> ProxiedConnection? {
    guard let client = PeerAddress(client, port: clientPort), let server = PeerAddress(server, port: serverPort) else { return nil }
    return ProxiedConnection(client: client, server: server)
}

@Suite("PROXY protocol, reading") struct ProxyHeaderReaderTests {
    @Test(arguments: [
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25", connection("192.0.2.1", 56324, "198.51.100.2", 25)),
        ("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0", connection("255.255.255.255", 65535, "0.0.0.0", 0)),
        ("PROXY TCP6 2001:db8::1 ::1 1 25", connection("2001:db8::1", 1, "::1", 25)),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:127.0.0.1 1 25", connection("192.0.2.1", 1, "127.0.0.1", 25)),
        ("PROXY UNKNOWN", nil), ("PROXY UNKNOWN ffff::1 whatever 1", nil),
        ("PROXY UNKNOWN " + String(repeating: "x", count: 107 - 16), nil),
    ])
    func line(_ text: String, _ expected: ProxiedConnection?) {
        let header = Octets(text + "\r\n")
        everyDivision(header + Octets("EHLO a\r\n")) { pieces in
            #expect(read(pieces) == .ended(at: header.count, expected), "\(text) \(pieces.map(\.count))")
        }
        #expect(read([Octets(header.dropLast())]) == .needsMore)
    }

    @Test(arguments: [
        "EHLO a.example\r\n", "PING\r\n", "proxy TCP4 192.0.2.1 192.0.2.2 1 25\r\n", "PROXY\r\n", "PROXY \r\n", "PROXY TCP4\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 25 \r\n",
        "PROXY TCP4  192.0.2.1 192.0.2.2 1 25\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 25 7\r\n", "PROXY TCP5 192.0.2.1 192.0.2.2 1 25\r\n",
        "PROXY TCP4 ::1 192.0.2.2 1 25\r\n", "PROXY TCP6 192.0.2.1 ::1 1 25\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 -1 25\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 01 25\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n",
        "PROXY TCP4 192.0.2 192.0.2.2 1 25\r\n", "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 25\r\n", "PROXY TCP4 a.example 192.0.2.2 1 25\r\n",
        "PROXY TCP6 fe80::1%lo ::1 1 25\r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n", "\r\nPROXY UNKNOWN\r\n", "\n", "\0",
        "PROXY UNKNOWN " + String(repeating: "x", count: 107 - 15) + "\r\n", "PROXY UNKNOWN\n",
    ])
    func noLine(_ text: String) {
        everyDivision(Octets(text)) { pieces in #expect(read(pieces) == .malformed, "\(text) \(pieces.map(\.count))") }
    }

    /// No more than 107 octets are waited for.
    @Test func endlessLine() {
        var reader = ProxyHeaderReader()
        let begun = Octets("PROXY UNKNOWN " + String(repeating: "x", count: 92))
        #expect(begun.count == 106 && reader.read(begun.span) == .needsMore)
        #expect(reader.read(Octets("x").span) == .malformed)
    }

    private static let four: Octets = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0, 25]
    private static let six: Octets = [0x20, 0x01, 0x0D, 0xB8] + Octets(repeating: 0, count: 11) + [1] + Octets(repeating: 0, count: 10)
        + [0xFF, 0xFF, 192, 0, 2, 9, 0, 1, 0, 25]
    private static let ofFour = connection("192.0.2.1", 0x1234, "198.51.100.2", 25)

    @Test(arguments: [
        ([0x21, 0x11, 0, 12] + four, ofFour),
        ([0x21, 0x11, 0, 19] + four + [0x04, 0, 4, 1, 2, 3, 4], ofFour),                              // an extension
        ([0x21, 0x11, 1, 0x4C] + four + Octets(repeating: 0x0D, count: 320), ofFour),
        ([0x21, 0x21, 0, 36] + six, connection("2001:db8::1", 1, "192.0.2.9", 25)),
        ([0x20, 0x00, 0, 0], nil), ([0x20, 0x11, 0, 12] + four, nil), ([0x20, 0xFF, 0, 1, 7], nil),      // LOCAL
        ([0x21, 0x00, 0, 0], nil), ([0x21, 0x00, 0, 3, 1, 2, 3], nil),                                   // unspecified
        ([0x21, 0x31, 0, 216] + Octets(repeating: 0x2F, count: 216), nil),                               // Unix
    ] as [(Octets, ProxiedConnection?)])
    func octets(_ rest: Octets, _ expected: ProxiedConnection?) {
        let header = signature + rest
        everyDivision(header + [0x16, 0x03, 0x01]) { pieces in
            #expect(read(pieces) == .ended(at: header.count, expected), "\(rest.prefix(4)) \(pieces.map(\.count))")
        }
        #expect(read([Octets(header.dropLast())]) == .needsMore)
    }

    @Test(arguments: [
        [0x11, 0x11, 0, 12] + four, [0x31, 0x11, 0, 12] + four, [0x22, 0x11, 0, 12] + four,              // version, command
        [0x21, 0x12, 0, 12] + four, [0x21, 0x10, 0, 12] + four, [0x21, 0x41, 0, 12] + four, [0x21, 0x32, 0, 0],   // family, protocol
        [0x21, 0x11, 0, 11] + four, [0x21, 0x21, 0, 35] + six, [0x21, 0x11, 0, 0],                       // too short
        [0x21, 0x11, 0x10, 0x01], [0x20, 0x00, 0xFF, 0xFF],                                              // too long
    ] as [Octets])
    func noOctets(_ rest: Octets) {
        everyDivision(signature + rest) { pieces in #expect(read(pieces) == .malformed, "\(rest.prefix(4)) \(pieces.map(\.count))") }
    }

    /// A wrong octet anywhere in the signature is seen at once.
    @Test func signatureIsExact() {
        for index in signature.indices {
            var wrong = signature
            wrong[index] ^= 1
            #expect(read([Octets(wrong[...index])]) == .malformed)
        }
    }

    @Test func longestIsTaken() {
        let header = signature + [0x21, 0x11, 0x10, 0x00] + Self.four + Octets(repeating: 0, count: 4096 - 12)
        #expect(read([header]) == .ended(at: header.count, Self.ofFour))
    }

    /// What guardd writes itself, for every pair of families.
    @Test func ownHeadersComeBack() throws {
        let peers = try ["192.0.2.1", "2001:db8::7", "::ffff:203.0.113.9"].map { try #require(PeerAddress($0, port: 4711)) }
        for client in peers {
            for server in peers {
                let expected = ProxiedConnection(client: client, server: server)
                for header in [ProxyHeader.v1(client: client, server: server), ProxyHeader.v2(client: client, server: server)] {
                    #expect(read([header]) == .ended(at: header.count, expected))
                }
            }
        }
        for header in [ProxyHeader.v1(client: .unixSocket, server: peers[0]), ProxyHeader.v2(client: .unixSocket, server: peers[0])] {
            #expect(read([header]) == .ended(at: header.count, nil))
        }
    }
}
