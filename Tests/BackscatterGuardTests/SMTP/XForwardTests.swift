import Testing
@testable import BackscatterGuard

private let all = XForward.Attribute.allCases.map { Octets($0.rawValue) }

private func taken(_ arguments: String...) -> XForward {
    var forwarded = XForward()
    for line in arguments { #expect(forwarded.take(Octets(line)) == nil, "\(line)") }
    return forwarded
}

private func again(_ forwarded: XForward, offered: [Octets] = all) -> [String] {
    forwarded.commands(offered: offered).map { String(decoding: $0, as: UTF8.self) }
}

@Suite("XFORWARD_README") struct XForwardTests {
    /// As Postfix's smtpd sends them to its smtpd_proxy_filter.
    @Test func goesOnAsItCame() throws {
        let forwarded = taken(
            "NAME=spike.porcupine.org ADDR=168.100.189.2 PORT=4711 PROTO=ESMTP HELO=spike.porcupine.org", "IDENT=4AB12345 SOURCE=REMOTE")
        #expect(forwarded.client == PeerAddress("168.100.189.2", port: 4711))
        #expect(again(forwarded) == [
            "XFORWARD NAME=spike.porcupine.org ADDR=168.100.189.2 PORT=4711 PROTO=ESMTP HELO=spike.porcupine.org IDENT=4AB12345 SOURCE=REMOTE\r\n"
        ])
        #expect(again(forwarded, offered: [Octets("addr"), Octets("Helo")]) == ["XFORWARD ADDR=168.100.189.2 HELO=spike.porcupine.org\r\n"])
        #expect(again(forwarded, offered: []) == [] && again(forwarded, offered: [Octets("LOGIN")]) == [])
    }

    @Test(arguments: [
        ("ADDR=IPV6:2001:db8::1 PORT=1", "[2001:db8::1]:1", "ADDR=IPV6:2001:db8::1 PORT=1"),
        ("addr=ipv6:2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:0", "ADDR=IPV6:2001:db8::1"),
        ("ADDR=IPV6:::ffff:192.0.2.1", "192.0.2.1:0", "ADDR=192.0.2.1"),
        ("PORT=7 ADDR=192.0.2.1", "192.0.2.1:7", "ADDR=192.0.2.1 PORT=7"),
        ("ADDR=[UNAVAILABLE] PORT=7", "unix", "ADDR=[UNAVAILABLE] PORT=7"),
        ("ADDR=[tempunavail]", "unix", "ADDR=[UNAVAILABLE]"),
        ("ADDR=192.0.2.1 PORT=[UNAVAILABLE]", "192.0.2.1:0", "ADDR=192.0.2.1 PORT=[UNAVAILABLE]"),
        ("ADDR=192.0.2.1 ADDR=192.0.2.2", "192.0.2.2:0", "ADDR=192.0.2.2"),
        ("ADDR=192.0.2.1   HELO=a", "192.0.2.1:0", "ADDR=192.0.2.1 HELO=a"),
    ])
    func addresses(_ arguments: String, _ client: String, _ line: String) {
        let forwarded = taken(arguments)
        #expect(forwarded.client?.description == client)
        #expect(again(forwarded) == ["XFORWARD \(line)\r\n"])
    }

    @Test(arguments: [
        ("HELO=a+20ADDR+3D198.51.100.1", "HELO=a+20ADDR+3D198.51.100.1"), ("HELO=+41", "HELO=A"), ("HELO=a+0D+0Ab", "HELO=a??b"),
        ("HELO=m+C3+BC.example", "HELO=m+C3+BC.example"), ("HELO=[UNAVAILABLE]", "HELO=[UNAVAILABLE]"), ("IDENT=+00", "IDENT=?"),
        ("NAME=unknown", "NAME=unknown"), ("NAME=mail_1.example", "NAME=mail_1.example"), ("SOURCE=local", "SOURCE=local"),
        ("PROTO=ESMTPS", "PROTO=ESMTPS"),
    ])
    func values(_ argument: String, _ line: String) {
        #expect(again(taken(argument)) == ["XFORWARD \(line)\r\n"])
        #expect(taken(argument).client == nil)
    }

    @Test(arguments: [
        ("", XForward.Fault.syntax), ("ADDR", .syntax), ("ADDR=", .syntax), ("=x", .unknownAttribute([])), ("LOGIN=x", .unknownAttribute(Octets("LOGIN"))),
        ("ADDR=192.0.2.256", .badValue(.addr)), ("ADDR=2001:db8::1", .badValue(.addr)), ("ADDR=IPV6:192.0.2.1", .badValue(.addr)), ("ADDR=0.1.2.3", .badValue(.addr)),
        ("ADDR=a.example", .badValue(.addr)), ("ADDR=192.0.2.1+00", .badValue(.addr)), ("PORT=65536", .badValue(.port)), ("PORT=-1", .badValue(.port)),
        ("PORT=+20", .badValue(.port)), ("NAME=a+20b", .badValue(.name)), ("NAME=-a.example", .badValue(.name)), ("NAME=a..b", .badValue(.name)),
        ("NAME=1.2.3.4", .badValue(.name)), ("SOURCE=BOTH", .badValue(.source)), ("HELO=a=b", .badValue(.helo)), ("HELO=+4", .badValue(.helo)), ("HELO=+zz", .badValue(.helo)),
        ("PROTO=" + String(repeating: "P", count: 65), .badValue(.proto)), ("HELO=" + String(repeating: "h", count: 256), .badValue(.helo)),
    ])
    func notTaken(_ arguments: String, _ fault: XForward.Fault) {
        var forwarded = taken("ADDR=192.0.2.1")
        #expect(forwarded.take(Octets("HELO=before " + arguments)) == (arguments.isEmpty ? nil : fault))
        if !arguments.isEmpty { #expect(forwarded == taken("ADDR=192.0.2.1"), "something of it was taken") }
        var empty = XForward()
        #expect(empty.take(Octets(arguments)) == fault && empty.isEmpty)
    }

    /// Whatever the values: no line above 512 octets, and each attribute once.
    @Test func longestValues() {
        let name = ["", "", "", ""].map { _ in String(repeating: "n", count: 63) }.joined(separator: ".")
        let forwarded = taken(
            "NAME=\(name)", "ADDR=IPV6:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff PORT=65535", "PROTO=" + String(repeating: "+20", count: 64),
            "HELO=" + String(repeating: "+FF", count: 85), "IDENT=" + String(repeating: "i", count: 255), "SOURCE=REMOTE")
        let lines = forwarded.commands(offered: all)
        #expect(lines.count > 1 && lines.allSatisfy { $0.count <= 512 && $0.starts(with: Octets("XFORWARD ")) })
        var copy = XForward()
        for line in lines { #expect(copy.take(line.dropFirst(9).dropLast(2)) == nil) }
        #expect(copy == forwarded)
    }

    @Test func ownClient() throws {
        let client = try #require(PeerAddress("2001:db8::1", port: 4711))
        let forwarded = XForward(of: client, helo: Octets("a b"), isESMTP: true)
        #expect(again(forwarded) == ["XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=4711 PROTO=ESMTP HELO=a+20b\r\n"])
        #expect(forwarded.client == client)
        let long = XForward(of: .unixSocket, helo: Octets(repeating: 0x20, count: 500), isESMTP: false)
        #expect(again(long) == ["XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] PROTO=SMTP HELO=" + String(repeating: "+20", count: 85) + "\r\n"])
    }
}
