import Testing
@testable import BackscatterGuard

@Suite("RFC 3461 4: xtext") struct XtextTests {
    @Test(arguments: [("", ""), ("abc!~", "abc!~"), ("a b", "a+20b"), ("a=b+c", "a+3Db+2Bc"), ("\r\n\0", "+0D+0A+00"), ("\u{e9}", "+C3+A9"), ("\u{7f}", "+7F")])
    func encodes(_ plain: String, _ text: String) {
        #expect(Xtext.encode(Octets(plain)) == Octets(text))
        #expect(Xtext.decode(Octets(text)) == Octets(plain))
    }

    @Test(arguments: ["+", "a+2", "+2g", "+0d", "a b", "a=b", "\u{e9}", "\0", "++20"])
    func isNone(_ text: String) {
        #expect(Xtext.decode(Octets(text)) == nil)
    }

    @Test func everyOctetComesBack() {
        let all = Octets(UInt8.min...UInt8.max)
        let text = Xtext.encode(all)
        #expect(text.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != ASCII.equals })
        #expect(Xtext.decode(text) == all)
    }
}
