// The sink's protocol, without sockets: the same dialogue must give the same replies and messages however it is cut.

import Testing
@testable import BackscatterGuard

@Suite("The embedded MTA: RFC 5321, 2920, 3030, 1870 and the PROXY protocol") struct SinkSessionTests {
    private static let client = PeerAddress("192.0.2.7", port: 4711) ?? .unixSocket
    private static let hello = "EHLO mx.example.net\r\n"
    private static let envelope = "MAIL FROM:<a@example.net> BODY=8BITMIME\r\nRCPT TO:<b@example.org>\r\n"

    /// The codes of all reply lines, and the messages.
    private func play(
        _ octets: Octets, _ settings: SinkSettings = SinkSettings(), _ check: ([Int], [SinkMessage], SinkSession) -> Void
    ) {
        everyDivision(octets) { pieces in
            var session = SinkSession(number: 7, client: Self.client, settings: settings)
            for piece in pieces { session.receive(piece.span) }
            let lines = String(decoding: session.replies, as: UTF8.self).components(separatedBy: "\r\n").dropLast()
            check(lines.compactMap { Int($0.prefix(3)) }, session.messages, session)
        }
    }

    @Test func takesAMessage() {
        let text = "\(Self.hello)\(Self.envelope)DATA\r\nSubject: x\r\n\r\n..a\r\n.b\r\n.\r\nQUIT\r\nNOOP\r\n"
        play(Octets(text)) { codes, messages, session in
            #expect(codes == [220] + Array(repeating: 250, count: 8) + [250, 250, 354, 250, 221])
            #expect(session.isClosed)
            #expect(messages == [SinkMessage(
                queueID: "SINK0007-1", client: Self.client, hello: Octets("mx.example.net"), reversePath: Octets("a@example.net"),
                mailParameters: Octets("BODY=8BITMIME"), forwardPaths: [Octets("b@example.org")],
                content: Octets("Subject: x\r\n\r\n.a\r\nb\r\n"), isChunked: false
            )])
        }
    }

    @Test(arguments: [
        ("\r\n.\r\n", "\r\n"), (".\r\n", ""), ("a\r\n.\n.\r\nb\r\n.\r\n", "a\r\n\n.\r\nb\r\n"), ("a\n.\r\n\r\n.\r\n", "a\n.\r\n\r\n"),
        ("a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n"), ("a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n"), ("a\r\n..\r\n.\r\n", "a\r\n.\r\n"), ("a\r.\r\n\r\n.\r\n", "a\r.\r\n\r\n"),
    ])
    func endsAtTheTrueEndOnly(_ wire: String, _ content: String) {
        play(Octets("\(Self.hello)\(Self.envelope)DATA\r\n\(wire)NOOP\r\n")) { codes, messages, _ in
            #expect(messages.map(\.content) == [Octets(content)])
            #expect(codes.suffix(2) == [250, 250])
        }
    }

    @Test func takesChunks() {
        let text = "\(Self.hello)\(Self.envelope)BDAT 6\r\n.\r\n.\r\nBDAT 0\r\nDATA\r\nBDAT 3 LAST\r\nabcNOOP\r\n"
        play(Octets(text)) { codes, messages, _ in
            #expect(codes.suffix(6) == [250, 250, 250, 503, 250, 250])
            #expect(messages.map(\.content) == [Octets(".\r\n.\r\nabc")])
            #expect(messages.map(\.isChunked) == [true])
        }
    }

    @Test func swallowsRefusedChunks() {
        play(Octets("\(Self.hello)BDAT 6 LAST\r\nQUIT\r\nMAIL FROM:<>\r\nBDAT 2\r\nabNOOP\r\n")) { codes, messages, _ in
            #expect(codes.suffix(4) == [503, 250, 503, 250])
            #expect(messages.isEmpty)
        }
    }

    @Test(arguments: [
        ("MAIL FROM:<>\r\n", [503]), ("EHLO\r\n", [501]), ("HELO a\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<>\r\n", [250, 250, 503]),
        ("HELO a\r\nMAIL FROM:<> SIZE=1001\r\n", [250, 552]), ("HELO a\r\nMAIL FROM:<> SIZE=99999999999999999999\r\n", [250, 552]),
        ("HELO a\r\nRCPT TO:<a@b>\r\nDATA\r\n", [250, 503, 503]), ("HELO a\r\nMAIL FROM:<>\r\nDATA\r\n", [250, 250, 554]),
        ("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<Nobody@b>\r\nRCPT TO:<c@b>\r\nRCPT TO:<d@b>\r\n", [250, 250, 550, 250, 452]),
        ("HELO a\r\nMAIL FROM:<>\r\nRSET\r\nRCPT TO:<c@b>\r\n", [250, 250, 250, 503]), ("HELO a\r\nMAIL FROM:<\r\n", [250, 501]),
        ("NOOP\nNOOP\r\n", [500, 250]), ("NOOP\n", [500]), ("XCLIENT ADDR=1\r\nVRFY x\r\nFOO\r\n", [502, 252, 500]), ("BDAT x\r\nNOOP\r\n", [521]),
    ])
    func refuses(_ text: String, _ expected: [Int]) {
        var settings = SinkSettings()
        settings.sizeLimit = 1_000
        settings.recipientLimit = 1
        settings.unknownUsers = [Octets("nobody")]
        play(Octets(text), settings) { codes, _, _ in #expect(codes == [220] + expected) }
    }

    @Test func boundsContent() {
        var settings = SinkSettings()
        settings.sizeLimit = 5
        play(Octets("HELO a\r\n\(Self.envelope)DATA\r\nabcdef\r\n.\r\n\(Self.envelope)DATA\r\nabc\r\n.\r\n"), settings) { codes, messages, session in
            #expect(codes == [220, 250, 250, 250, 354, 552, 250, 250, 354, 250])
            #expect(messages.map(\.content) == [Octets("abc\r\n")])
            #expect(session.transaction == nil)
        }
    }

    @Test func boundsLines() {
        let longest = "NOOP " + String(repeating: "x", count: SinkSession.longestLine - 5)
        for (text, expected) in [(longest, 250), (longest + "x", 500), (longest + longest, 500)] {
            var session = SinkSession(number: 1, client: Self.client, settings: SinkSettings())
            let octets = Octets(text + "\r\nQUIT\r\n")
            for start in stride(from: 0, to: octets.count, by: 1_000) { session.receive(octets[start..<min(start + 1_000, octets.count)].span) }
            let codes = String(decoding: session.replies, as: UTF8.self).components(separatedBy: "\r\n").compactMap { Int($0.prefix(3)) }
            #expect(codes == [220, expected, 221])
        }
    }

    @Test(arguments: ["192.0.2.99", "2001:db8::7"])
    func learnsTheClient(_ address: String) throws {
        var settings = SinkSettings()
        settings.expectsProxyHeader = true
        let told = try #require(PeerAddress(address, port: 5_000))
        let server = try #require(PeerAddress("127.0.0.1", port: 25))
        play(ProxyHeader.v2(client: told, server: server) + Octets("NOOP\r\n"), settings) { codes, _, session in
            #expect(codes == [220, 250] && session.client == told)
        }
        play(ProxyHeader.v2(client: .unixSocket, server: server) + Octets("NOOP\r\n"), settings) { codes, _, session in
            #expect(codes == [220, 250] && session.client == Self.client)
        }
    }

    @Test(arguments: ["EHLO a\r\nNOOP\r\n", "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\nEHLO a\r\n", "\r\n\r\n\0\r\nQUIT\n\u{31}\u{11}\0\u{0C}aaaabbbbccdd"])
    func wantsTheProxyHeader(_ text: String) {
        var settings = SinkSettings()
        settings.expectsProxyHeader = true
        play(Octets(text), settings) { codes, _, session in #expect(codes == [421] && session.isClosed) }
    }
}
