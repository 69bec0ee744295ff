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
