// Target `identity`: how the client is told upstream. What a client chose must stay one value.

@testable import BackscatterGuard

@Sendable func fuzzIdentity(_ input: Octets) {
    checkXtext(input)
    checkHeader(input)
    checkHeader(Octets("PROXY ".utf8) + input)
    checkHeader([0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A] + input)
    checkXForward(input)
    checkAddressText(String(decoding: input, as: UTF8.self))
    var dice = Dice(input.prefix(8))
    let client = address(input.prefix(16), &dice), server = address(input.dropFirst(16).prefix(16), &dice)
    checkProxy(client, server)
    let rest = Octets(input.dropFirst(32))
    let offered = ["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT", "REVERSE_NAME"].filter { _ in dice.below(4) > 0 }
    checkXClient(offered.map { Octets($0.utf8) } + rest.split(separator: ASCII.space).prefix(20).map { Octets($0) }, client, server, input)
    checkXClient(offered.map { Octets($0.utf8) }, client, server, rest)
}

private func checkXtext(_ input: Octets) {
    let text = Xtext.encode(input)
    promise(text.allSatisfy { $0 > ASCII.space && $0 < ASCII.del && $0 != ASCII.equals }, "octets that xtext has not")
    promise(Xtext.decode(text) == input, "xtext does not come back")
    // The same octets have one spelling only if nothing is encoded that need not be; decoding takes those too.
    if let decoded = Xtext.decode(input) { promise(Xtext.decode(Xtext.encode(decoded)) == decoded && decoded.count <= input.count, "xtext") }
}

private func checkAddressText(_ text: String) {
    if let peer = PeerAddress(text, port: 25) {
        promise(PeerAddress(peer.text, port: 25) == peer, "address \(peer)")
        promise(PeerAddress(raw: peer.octets, port: 25) == peer, "octets of \(peer)")
        promise(peer.family != .ipv6 || !peer.octets.starts(with: Octets(repeating: 0, count: 10) + [0xFF, 0xFF]), "mapped \(peer)")
        promise(Network(peer.text)?.contains(peer) == true, "network of \(peer)")
    }
    if let network = Network(text) {
        promise(Network(network.description) == network && network.contains(network.base), "network \(network)")
        promise(!network.contains(.unixSocket), "a Unix socket in a network")
    }
}

private func address(_ octets: Octets.SubSequence, _ dice: inout Dice) -> PeerAddress {
    let raw = Octets(octets.prefix([4, 16, 16, 0][dice.below(4)]))
    return PeerAddress(raw: raw, port: UInt16(dice.below(65_536))) ?? .unixSocket
}

private func checkProxy(_ client: PeerAddress, _ server: PeerAddress) {
    let line = ProxyHeader.v1(client: client, server: server)
    promise(line.count <= 107 && line.suffix(2) == [ASCII.cr, ASCII.lf] && !line.dropLast(2).contains(where: ASCII.isControl), "line \(line)")
    let words = line.dropLast(2).split(separator: ASCII.space, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    let block = ProxyHeader.v2(client: client, server: server)
    guard client.family != .unixSocket else {
        promise(words == ["PROXY", "UNKNOWN"] && block.count == 16 && block[12] == 0x20, "Unix client")
        return
    }
    promise(words.count == 6 && words[1] == (block.count == 28 ? "TCP4" : "TCP6"), "line \(words)")
    promise(PeerAddress(words[2], port: UInt16(words[4]) ?? 0) == client, "client in \(words)")
    if server.family != .unixSocket { promise(PeerAddress(words[3], port: UInt16(words[5]) ?? 0) == server, "server in \(words)") }
    let size = block.count == 28 ? 4 : 16
    promise(block.count == 16 + 2 * size + 4 && Int(block[14]) << 8 | Int(block[15]) == block.count - 16, "block of \(block.count)")
    let port = UInt16(block[block.count - 4]) << 8 | UInt16(block[block.count - 3])
    promise(PeerAddress(raw: block[16..<16 + size], port: port) == client, "client in \(block)")
}

private func checkXClient(_ offered: [Octets], _ client: PeerAddress, _ server: PeerAddress, _ helo: Octets) {
    let lines = XClient.commands(offered: offered, client: client, server: helo.count % 2 == 0 ? server : nil, helo: helo, isESMTP: true)
    let isOffered = offered.contains { ASCII.lowercased($0) == Octets("addr".utf8) }
    promise(lines.isEmpty != isOffered, "\(lines.count) lines")
    var names: [String] = []
    for line in lines {
        promise(line.count <= 512 && line.suffix(2) == [ASCII.cr, ASCII.lf], "line of \(line.count)")
        let words = line.dropLast(2).split(separator: ASCII.space, omittingEmptySubsequences: false)
        promise(words.first.map { Octets($0) } == Octets("XCLIENT".utf8) && words.count > 1, "verb")
        for word in words.dropFirst() {
            let parts = word.split(separator: ASCII.equals, omittingEmptySubsequences: false)
            promise(parts.count == 2 && parts[1].allSatisfy { $0 > ASCII.space && $0 < ASCII.del }, "attribute \(word)")
            let name = String(decoding: parts[0], as: UTF8.self)
            names.append(name)
            promise(name != "HELO" || helo.starts(with: Xtext.decode(parts[1]) ?? [0]), "HELO \(parts[1])")
        }
    }
    promise(Set(names).count == names.count && (names.isEmpty || names.last == "ADDR"), "attributes \(names)")
}

/// What a load balancer sends: any division, bounded, and what it names can be said again.
private func checkHeader(_ input: Octets) {
    let step = inAnyDivision(input) { pieces -> ProxyHeaderReader.Step in
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
    switch step {
    case .needsMore: promise(input.count < (input.first == 0x50 ? 107 : 16 + 4096), "waits on after \(input.count)")
    case .malformed: break
    case .ended(let end, let connection):
        promise(end <= input.count && end > 0, "ended at \(end)")
        guard let connection else { return }
        for header in [ProxyHeader.v1(client: connection.client, server: connection.server), ProxyHeader.v2(client: connection.client, server: connection.server)] {
            var reader = ProxyHeaderReader()
            promise(reader.read(header.span) == .ended(at: header.count, connection), "\(connection) does not come back")
        }
    }
}

/// What a mail server before guardd says of a client: taken whole or not at all, and nothing grows on the way on.
private func checkXForward(_ input: Octets) {
    let all = XForward.Attribute.allCases.map { Octets($0.rawValue.utf8) }
    var forwarded = XForward()
    for line in input.split(separator: ASCII.lf, omittingEmptySubsequences: false).prefix(8) {
        let before = forwarded
        if forwarded.take(line) != nil { promise(forwarded == before, "a part was taken of \(line)") }
    }
    var again = XForward()
    for line in forwarded.commands(offered: all) {
        promise(line.count <= 512 && line.suffix(2) == [ASCII.cr, ASCII.lf] && line.starts(with: Octets("XFORWARD ".utf8)), "line \(line)")
        promise(line.dropLast(2).allSatisfy { $0 >= ASCII.space && $0 < ASCII.del }, "octets of \(line)")
        promise(again.take(line.dropFirst(9).dropLast(2)) == nil, "guardd would not take its own \(line)")
    }
    promise(again == forwarded && again.client == forwarded.client, "another client on the way on")
}
