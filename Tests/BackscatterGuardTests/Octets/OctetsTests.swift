import Testing
@testable import BackscatterGuard

@Suite("Octets: scanning and washing") struct OctetsTests {
    @Test(arguments: [("abc", 0x62, 0, 1), ("abcb", 0x62, 2, 3), ("abc", 0x7A, 0, nil), ("", 0x61, 0, nil), ("a", 0x61, 1, nil)] as [(String, UInt8, Int, Int?)])
    func firstIndex(_ text: String, _ octet: UInt8, _ from: Int, _ expected: Int?) {
        let octets = Octets(text)
        #expect(octets.span.firstIndex(of: octet, from: from) == expected)
    }

    @Test func caseFoldsLettersOnly() {
        #expect(ASCII.equal(Octets("EhLo"), "ehlo"))
        #expect(!ASCII.equal(Octets("ehl"), "ehlo"))
        #expect(!ASCII.equal(Octets("ehlo "), "ehlo"))
        #expect(ASCII.lowercase(0x40) == 0x40 && ASCII.lowercase(0x5B) == 0x5B)
    }

    @Test func washedTextIsOnePrintableLine() {
        #expect(ASCII.washed(Octets("a\r\nb\u{1b}\\")) == "a\\x0d\\x0ab\\x1b\\x5c")
        #expect(ASCII.washed([0xFF, 0x00]) == "\\xff\\x00")
        #expect(ASCII.washed(Octets("abcdef"), limit: 3) == "abc...")
    }
}

@Suite("Text as octets, for lines written for every mail") struct OctetsTextTests {
    @Test(arguments: [0, 9, 10, 99, 100, 255, 1_000_000, UInt64.max])
    func decimal(_ number: UInt64) {
        var line = Octets("x")
        line.append(decimal: number)
        #expect(line == Octets("x\(number)"))
    }

    @Test(arguments: ["", "short", "text that is too long to be kept in the string itself", "gr\u{fc}\u{df}e"])
    func text(_ text: String) {
        var line = Octets("x")
        line.append(text: text)
        line.append(word: "y")
        #expect(line == Octets("x\(text)y"))
    }

    @Test(arguments: ["192.0.2.1", "0.0.0.0", "255.255.255.255", "10.0.0.200", "2001:db8::1", "::1", "::ffff:192.0.2.7"])
    func addresses(_ text: String) throws {
        let address = try #require(PeerAddress(text))
        var line = Octets("x")
        address.appendText(to: &line)
        #expect(line == Octets("x\(address.text)"))
    }

    @Test func unixSocketHasNoAddress() {
        var line: Octets = []
        PeerAddress.unixSocket.appendText(to: &line)
        #expect(line == Octets("unix"))
    }

    /// Every octet, in every place of a short line.
    @Test func controls() {
        for octet in UInt8.min...UInt8.max {
            for place in 0..<20 {
                var line = Octets(repeating: 0x61, count: 20)
                line[place] = octet
                let found = ASCII.hasControl(line.span)
                #expect(found == (ASCII.isControl(octet) && octet != ASCII.tab), "\(octet) at \(place)")
            }
        }
        let none = ASCII.hasControl(Octets().span)
        #expect(!none)
    }
}
