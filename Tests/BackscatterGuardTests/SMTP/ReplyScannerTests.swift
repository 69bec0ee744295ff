import Testing
@testable import BackscatterGuard

/// Plays chunks as a session does: each reply's code and octets, "malformed" as code 0; then the octets still kept.
private func play(_ chunks: [Octets]) -> (replies: [Int], octets: [Octets], kept: Octets) {
    var scanner = ReplyScanner()
    var codes = [Int](), octets = [Octets]()
    for chunk in chunks {
        var start = 0
        scan: while start < chunk.count {
            switch scanner.scan(chunk.span, from: start) {
            case .reply(let code, let end):
                codes.append(code)
                octets.append(scanner.carried + chunk[start..<end])
                scanner.reset()
                start = end
            case .needsMore: break scan
            case .malformed: return (codes + [0], octets, [])
            }
        }
    }
    return (codes, octets, scanner.carried)
}

@Suite("RFC 5321 4.2: upstream's replies") struct ReplyScannerTests {
    @Test(arguments: [
        (["250 ok\r\n"], [250]), (["250 ok\r\n", "354\r\n", "550 no\r\n"], [250, 354, 550]), (["250-a\r\n250-\r\n250 b\r\n", "221 \r\n"], [250, 221]),
        (["250-a\r\n250\r\n"], [250]), (["220 \u{e9}\tx\r\n"], [220]), (["599 x\r\n", "200 y\r\n"], [599, 200]),
    ])
    func cut(_ replies: [String], _ codes: [Int]) {
        everyDivision(Octets(replies.joined())) { chunks in
            let played = play(chunks)
            #expect(played.replies == codes && played.octets == replies.map { Octets($0) } && played.kept.isEmpty)
        }
    }

    @Test(arguments: [
        "250 ok\n", "250 a\rb\r\n", "250 a\r\r\n", "250 a\0\r\n", "25\r\n", "2500 a\r\n", "250a\r\n", "150 a\r\n", "600 a\r\n", "000 a\r\n", " 250 a\r\n",
        "\r\n", "+OK\r\n", "250-a\r\n251 b\r\n", "250-a\r\nb\r\n", "250-a\r\n\r\n", "250\t a\r\n", "2 0 a\r\n", "\0", "HTTP/1.1 200 OK\r\n",
    ])
    func malformed(_ text: String) {
        everyDivision(Octets("220 x\r\n" + text)) { chunks in
            #expect(play(chunks).replies == [220, 0])
        }
    }

    @Test(arguments: ["2", "250", "250 ", "250 a\r", "250-a\r\n", "250-a\r\n250", "250-a\r\n250-b\r\n250 x"])
    func unfinishedIsKept(_ text: String) {
        everyDivision(Octets(text)) { chunks in
            let played = play(chunks)
            #expect(played.replies.isEmpty && played.kept == Octets(text))
        }
    }

    @Test func wholeReplyIsNotKept() {
        var scanner = ReplyScanner()
        let text = Octets("xx250 a\r\n250 b\r\n")
        #expect(scanner.scan(text, from: 2) == .reply(code: 250, end: 9))
        #expect(scanner.carried.isEmpty)
    }

    @Test func malformedStaysUntilReset() {
        var scanner = ReplyScanner()
        #expect(scanner.scan(Octets("x")) == .malformed)
        #expect(scanner.scan(Octets("250 a\r\n")) == .malformed)
        scanner.reset()
        #expect(scanner.scan(Octets("250 a\r\n")) == .reply(code: 250, end: 7))
    }

    @Test(arguments: [(4096, true), (4097, false)])
    func lineLimit(_ length: Int, _ fits: Bool) {
        let text = Octets("250 ") + Octets(repeating: 0x61, count: length - 6) + Octets("\r\n")
        #expect(play([text]).replies == [fits ? 250 : 0])
        let endless = Octets("250 ") + Octets(repeating: 0x61, count: 5000)
        #expect(play([endless]).replies == [0])
    }

    @Test(arguments: [(1000, true), (1001, false)])
    func lineCountLimit(_ count: Int, _ fits: Bool) {
        let text = String(repeating: "250-a\r\n", count: count - 1) + "250 b\r\n"
        #expect(play([Octets(text)]).replies == [fits ? 250 : 0])
    }
}
