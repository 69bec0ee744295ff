import Testing
@testable import BackscatterGuard

@Suite("Peer addresses and networks") struct PeerAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1", .ipv4), ("2001:DB8:0:0::1", "2001:db8::1", .ipv6), ("::ffff:192.0.2.1", "192.0.2.1", .ipv4), ("::FFFF:c000:201", "192.0.2.1", .ipv4),
        ("::1", "::1", .ipv6), ("::", "::", .ipv6), ("0.0.0.0", "0.0.0.0", .ipv4), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", .ipv6),
    ] as [(String, String, PeerAddress.Family)])
    func text(_ text: String, _ expected: String, _ family: PeerAddress.Family) throws {
        let peer = try #require(PeerAddress(text, port: 25))
        #expect(peer.text == expected && peer.family == family && peer.port == 25)
        #expect(PeerAddress(raw: peer.octets, port: 25) == peer)
    }

    @Test(arguments: ["", "192.0.2", "192.0.2.256", "192.0.2.1:25", "[::1]", "fe80::1%eth0", "a.example", " 192.0.2.1", "192.0.2.1\0x", "1", ":::", "010.0.0.1x"])
    func noAddress(_ text: String) {
        #expect(PeerAddress(text) == nil)
    }

    @Test func raw() {
        #expect(PeerAddress(raw: [192, 0, 2, 1], port: 1)?.description == "192.0.2.1:1")
        let mapped = Octets(repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 1]
        #expect(PeerAddress(raw: mapped, port: 1) == PeerAddress("192.0.2.1", port: 1))
        #expect(PeerAddress(raw: Octets(repeating: 0, count: 15), port: 1) == nil)
        #expect(PeerAddress("::1", port: 2)?.description == "[::1]:2")
        #expect(PeerAddress("::1", port: 2)?.with(port: 3).port == 3)
    }

    @Test func unixSocket() {
        #expect(PeerAddress.unixSocket.description == "unix" && PeerAddress.unixSocket.octets.isEmpty)
        #expect(Network("0.0.0.0/0")?.contains(.unixSocket) == false && Network("::/0")?.contains(.unixSocket) == false)
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("0.0.0.0/0", "255.255.255.255", true), ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true), ("::/0", "192.0.2.1", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false), ("2001:db8::/64", "2001:db8::1:2:3:4", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:0", false), ("2001:db8::8000:0:0:0/65", "2001:db8::8000:0:0:1", true), ("::1/128", "::1", true),
        ("::ffff:192.0.2.0/120", "192.0.2.9", true), ("192.0.2.0/24", "::ffff:192.0.2.9", true), ("::ffff:0.0.0.0/96", "1.2.3.4", true), ("10.0.0.0/9", "10.128.0.0", false),
    ])
    func contains(_ network: String, _ peer: String, _ expected: Bool) throws {
        #expect(try #require(Network(network)).contains(try #require(PeerAddress(peer, port: 7))) == expected)
    }

    @Test(arguments: ["", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.1/8", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8/8", "::ffff:10.0.0.0/95", "::1/64", "a/8", "10.0.0.0/9999999999999999999999"])
    func noNetwork(_ text: String) {
        #expect(Network(text) == nil)
    }

    @Test func networkText() {
        #expect(Network("2001:DB8::/32")?.description == "2001:db8::/32" && Network("192.0.2.1")?.description == "192.0.2.1/32")
    }
}
