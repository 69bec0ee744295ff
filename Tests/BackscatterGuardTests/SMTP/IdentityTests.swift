import Testing
@testable import BackscatterGuard

private func peer(_ text: String, _ port: UInt16) throws -> PeerAddress { try #require(PeerAddress(text, port: port)) }
private let signature: Octets = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

@Suite("PROXY protocol 2.1 and 2.2") struct ProxyHeaderTests {
    @Test func v1() throws {
        #expect(ProxyHeader.v1(client: try peer("192.0.2.1", 56324), server: try peer("198.51.100.2", 25)) == Octets("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n"))
        #expect(ProxyHeader.v1(client: try peer("2001:db8::1", 1), server: try peer("::1", 25)) == Octets("PROXY TCP6 2001:db8::1 ::1 1 25\r\n"))
        #expect(ProxyHeader.v1(client: try peer("::ffff:192.0.2.1", 1), server: try peer("::ffff:127.0.0.1", 25)) == Octets("PROXY TCP4 192.0.2.1 127.0.0.1 1 25\r\n"))
    }

    @Test func v1OfMixedFamilies() throws {
        #expect(ProxyHeader.v1(client: try peer("192.0.2.1", 1), server: try peer("::1", 25)) == Octets("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 25\r\n"))
        #expect(ProxyHeader.v1(client: try peer("192.0.2.1", 1), server: .unixSocket) == Octets("PROXY TCP4 192.0.2.1 0.0.0.0 1 0\r\n"))
        #expect(ProxyHeader.v1(client: try peer("::1", 1), server: .unixSocket) == Octets("PROXY TCP6 ::1 :: 1 0\r\n"))
        #expect(ProxyHeader.v1(client: .unixSocket, server: try peer("::1", 25)) == Octets("PROXY UNKNOWN\r\n"))
    }

    @Test func v1FitsItsLimit() throws {
        let longest = try peer("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
        #expect(ProxyHeader.v1(client: longest, server: longest).count <= 107)
    }

    @Test func v2() throws {
        let four = ProxyHeader.v2(client: try peer("192.0.2.1", 0x1234), server: try peer("198.51.100.2", 25))
        #expect(four == signature + [0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0, 25])
        let six = ProxyHeader.v2(client: try peer("2001:db8::1", 1), server: try peer("192.0.2.9", 25))
        let expected: Octets = [0x20, 0x01, 0x0D, 0xB8] + Octets(repeating: 0, count: 11) + [1]
        #expect(six == signature + [0x21, 0x21, 0, 36] + expected + Octets(repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 9, 0, 1, 0, 25])
        #expect(ProxyHeader.v2(client: .unixSocket, server: .unixSocket) == signature + [0x20, 0, 0, 0])
    }
}

@Suite("XCLIENT_README") struct XClientTests {
    private let postfix = ["NAME", "ADDR", "PROTO", "HELO", "REVERSE_NAME", "PORT", "LOGIN", "DESTADDR", "DESTPORT"].map { Octets($0) }

    @Test func allInOneLine() throws {
        let lines = XClient.commands(offered: postfix, client: try peer("192.0.2.1", 7), server: try peer("::1", 25), helo: Octets("a.example"), isESMTP: true)
        let expected = "XCLIENT NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] PORT=7 DESTADDR=IPV6:::1 DESTPORT=25 PROTO=ESMTP HELO=a.example ADDR=192.0.2.1\r\n"
        #expect(lines == [Octets(expected)])
    }

    @Test func onlyWhatIsOffered() throws {
        let lines = XClient.commands(offered: [Octets("addr"), Octets("Proto")], client: try peer("2001:db8::1", 7), server: nil, helo: Octets("a"), isESMTP: false)
        #expect(lines == [Octets("XCLIENT PROTO=SMTP ADDR=IPV6:2001:db8::1\r\n")])
        #expect(XClient.commands(offered: [Octets("NAME")], client: try peer("192.0.2.1", 7), server: nil, helo: nil, isESMTP: true).isEmpty)
    }

    @Test(arguments: [("a ADDR=198.51.100.1", "a+20ADDR+3D198.51.100.1"), ("a+b", "a+2Bb"), ("[UNAVAILABLE]", "+5BUNAVAILABLE]"), ("[unavailable]", "+5Bunavailable]"), ("[192.0.2.1]", "[192.0.2.1]")])
    func heloInjectsNothing(_ helo: String, _ expected: String) throws {
        let lines = XClient.commands(offered: [Octets("ADDR"), Octets("HELO")], client: try peer("192.0.2.1", 7), server: nil, helo: Octets(helo), isESMTP: true)
        #expect(lines == [Octets("XCLIENT HELO=\(expected) ADDR=192.0.2.1\r\n")])
    }

    @Test(arguments: [1, 84, 85, 86, 255, 256, 600, 5000])
    func longNamesAreCutBetweenCodes(_ length: Int) throws {
        let far = try peer("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
        for octet in [UInt8(0x61), 0x20] {
            let helo = Octets(repeating: octet, count: length)
            let lines = XClient.commands(offered: postfix, client: far, server: far, helo: helo, isESMTP: true)
            #expect(lines.count == 1 && lines.allSatisfy { $0.count <= 512 })
            let value = try #require(lines.first?.split(separator: ASCII.space).first { $0.starts(with: Octets("HELO=")) }?.dropFirst(5))
            #expect(value.count <= 255 && Xtext.decode(value) == Octets(helo.prefix(octet == 0x20 ? 85 : 255)))
        }
    }

    @Test func longLinesAreSplitInOrder() {
        let attributes = [200, 200, 102, 1, 502, 9].map { Octets(repeating: 0x61, count: $0) }
        let lines = XClient.lines(of: attributes)
        #expect(lines.map(\.count) == [411, 7 + 103 + 2 + 2, 512, 19])
        #expect(lines.allSatisfy { $0.starts(with: Octets("XCLIENT a")) && $0.suffix(2) == [ASCII.cr, ASCII.lf] })
    }

    @Test func unixClientHasNoAddress() {
        let lines = XClient.commands(offered: [Octets("ADDR"), Octets("PORT")], client: .unixSocket, server: nil, helo: nil, isESMTP: true)
        #expect(lines == [Octets("XCLIENT PORT=[UNAVAILABLE] ADDR=[UNAVAILABLE]\r\n")])
    }
}
