import Testing
@testable import BackscatterGuard

/// What a session learns of chunks, in indices of the whole content.
private func play(_ chunks: [Octets], _ scanner: inout ContentScanner) -> ReferenceContent {
    var offset = 0
    for chunk in chunks {
        switch scanner.scan(chunk.span, from: 0) {
        case .more: break
        case .ended(let at): return .ended(dot: offset + scanner.terminatorStart, at: offset + at)
        case .lookAlike(let at): return .lookAlike(at: offset + at)
        }
        offset += chunk.count
    }
    return .more(keptBack: scanner.keptBack)
}

private func expectFound(_ content: Octets, _ expected: ReferenceContent) {
    everyDivision(content) { chunks in
        var scanner = ContentScanner()
        let found = play(chunks, &scanner)
        if found != expected { Issue.record("\(ASCII.washed(content)) cut \(chunks.map(\.count)): \(found), not \(expected)") }
        if case .more(let kept) = found { #expect(scanner.carriesCR == (kept == 1)) }
    }
}

@Suite("RFC 5321 4.1.1.4: end of message content") struct ContentScannerTests {
    @Test(arguments: [
        (".\r\n", 0, 3), ("a\r\n.\r\nQUIT\r\n", 3, 6), ("a\r\n..\r\n.\r\n", 7, 10), ("\r\n.\r\n", 2, 5), ("a\r\r\n.\r\n", 4, 7),
        ("\0\r\n.\r\n", 3, 6), ("a\r\n.b\r\n.\r\nx", 7, 10), ("a\n..\n\r\n.\r\n", 7, 10), (".\0a\r\n.\r\n", 5, 8), ("...\r\n.\r\n.\r\n", 5, 8),
    ])
    func ends(_ text: String, _ dot: Int, _ at: Int) {
        expectFound(Octets(text), .ended(dot: dot, at: at))
        #expect(ReferenceContent.find(Octets(text)) == .ended(dot: dot, at: at))
    }

    /// Every row of THREATS 2.1 that some MTA takes for the end, and their kin with NUL.
    @Test(arguments: [
        ("a\n.\n", 3), ("a\n.\r\n", 3), ("a\r\n.\n", 4), ("a\r.\r", 3), ("a\r.\r\n", 3), ("a\r\n.\rx", 4), ("a\r\n\0.\r\n", 5), ("a\r.\n", 3), ("a\n.\r", 3),
        ("a\n\r.\r\n", 4), ("a\r\n.\r\r\n", 4), ("a\r\r\n.\r\r\n", 5), ("a\r\n.\0\r\n", 5), ("a\n.\n\r\n", 3), (".\n", 1), (".\rx", 1), ("\0.\r\n", 2),
        (".\0\0\n", 3), ("a\r\0\0.\0\0\r", 7), ("a\r\n.\r.", 4),
    ])
    func lookAlikes(_ text: String, _ at: Int) {
        expectFound(Octets(text), .lookAlike(at: at))
        #expect(ReferenceContent.find(Octets(text)) == .lookAlike(at: at))
    }

    @Test(arguments: ["", "a", "\r\n. \r\n", "\r\n.\t\r\n", "..\r\n", "\r\n..\n", ".a\r", "a.\r\nb", "\r\n\0a.\r\n", "\n..\n.", "\0\0", "\r\n\r\n", ".\0", "a\r\n.", "\0a.\n"])
    func contentOnly(_ text: String) {
        expectFound(Octets(text), .more(keptBack: 0))
        #expect(ReferenceContent.find(Octets(text)) == .more(keptBack: 0))
    }

    @Test(arguments: [".\r", "a\r\n.\r", "\r\n..\r\n.\r"])
    func undecidedCRIsKeptBack(_ text: String) {
        expectFound(Octets(text), .more(keptBack: 1))
    }

    @Test func emptySpansChangeNothing() {
        var scanner = ContentScanner()
        #expect(play([[], Octets("a\r\n"), [], Octets("."), [], Octets("\r"), []], &scanner) == .more(keptBack: 0) && scanner.carriesCR)
        #expect(scanner.scan(Octets("\n")) == .ended(at: 1) && scanner.terminatorStart == -2)
    }

    @Test func scansFromTheMiddleOfASpan() {
        var scanner = ContentScanner()
        let text = Octets("DATA\n.\r\nx")
        #expect(scanner.scan(text, from: 5) == .ended(at: 8) && scanner.terminatorStart == 5)
        var other = ContentScanner()
        #expect(other.scan(Octets("DATA\r\n.\r"), from: 6) == .more && other.keptBack == 1)
        #expect(other.scan(Octets("zz\rz"), from: 2) == .lookAlike(at: 1))
    }

    /// Behind a look-alike the scanner is asked again until the true end, which must be the one of the RFC.
    @Test(arguments: [
        "a\n.\nb\r\n.\r\nc", "a\r\n.\r\r\n.\r\n", "a\r\n.\r.\r\n.\r\n", ".\n.\n.\r\n\r\n.\r\n", "a\n.\n", "\r.\r\n.\r\n", ".\r\0.\n\r\n.\r\nx",
    ])
    func trueEndBehindALookAlike(_ text: String) {
        let content = Octets(text)
        everyDivision(content) { chunks in
            #expect(endBehindLookAlikes(chunks) == ReferenceContent.find(content, reportsLookAlikes: false))
        }
    }

    private func endBehindLookAlikes(_ chunks: [Octets]) -> ReferenceContent {
        var scanner = ContentScanner()
        var offset = 0
        var reported = 0
        for chunk in chunks {
            var start = 0
            scan: while true {
                switch scanner.scan(chunk.span, from: start) {
                case .more: break scan
                case .ended(let at): return .ended(dot: offset + scanner.terminatorStart, at: offset + at)
                case .lookAlike(let at):
                    reported += 1
                    start = max(at, start)
                }
            }
            offset += chunk.count
        }
        #expect(reported <= 1)
        return .more(keptBack: scanner.keptBack)
    }

    @Test func everyShortStringMatchesTheReference() {
        let alphabet: Octets = [ASCII.cr, ASCII.lf, ASCII.dot, ASCII.nul, 0x61]
        for length in 0...5 {
            var digits = [Int](repeating: 0, count: length)
            while true {
                let content = digits.map { alphabet[$0] }
                expectFound(content, ReferenceContent.find(content))
                guard let place = digits.firstIndex(where: { $0 < alphabet.count - 1 }) else { break }
                digits[place] += 1
                for lower in 0..<place { digits[lower] = 0 }
            }
        }
    }

    @Test func randomStringsMatchTheReference() {
        var random = SplitMix(state: 0x5EED)
        let alphabet: Octets = [ASCII.cr, ASCII.lf, ASCII.dot, ASCII.nul, 0x61, 0x61]
        for _ in 0..<4000 {
            let content = Octets((0..<Int.random(in: 1...40, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 })
            expectFound(content, ReferenceContent.find(content))
            everyDivision(content) { chunks in
                let end = endBehindLookAlikes(chunks)
                if end != ReferenceContent.find(content, reportsLookAlikes: false) { Issue.record("\(ASCII.washed(content)): \(end)") }
                expectBareLineEndings(content, chunks)
            }
        }
    }

    private func expectBareLineEndings(_ content: Octets, _ chunks: [Octets]) {
        var scanner = ContentScanner(reportsBareLineEndings: true)
        let seen: Octets
        switch play(chunks, &scanner) {
        case .more: seen = content
        case .ended(_, let at): seen = Octets(content[..<at])
        case .lookAlike(let at): seen = Octets(content[..<at])
        }
        if scanner.sawBareLineEnding != ReferenceContent.hasBareLineEnding(seen) { Issue.record("\(ASCII.washed(content)) \(chunks.map(\.count))") }
    }

    @Test(arguments: [("a\r\nb\r\n.\r\n", false), ("a\nb", true), ("a\rb", true), ("a\r", false), ("\n", true), ("\r\n", false), ("a\r\r\n", true), ("a\r\n\n", true)])
    func bareLineEndings(_ text: String, _ expected: Bool) {
        everyDivision(Octets(text)) { chunks in
            var scanner = ContentScanner(reportsBareLineEndings: true)
            _ = play(chunks, &scanner)
            #expect(scanner.sawBareLineEnding == expected)
            var quick = ContentScanner()
            _ = play(chunks, &quick)
            #expect(!quick.sawBareLineEnding)
        }
    }
}

/// A small generator with a fixed seed: a failure can be played again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
