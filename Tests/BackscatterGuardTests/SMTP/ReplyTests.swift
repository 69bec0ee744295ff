import Testing
@testable import BackscatterGuard

@Suite("RFC 5321 4.2, RFC 2034: replies") struct ReplyTests {
    @Test func oneLine() {
        #expect(Reply(550, "5.7.1", "no such mail").octets == Octets("550 5.7.1 no such mail\r\n"))
        #expect(Reply(354, nil, "go on").octets == Octets("354 go on\r\n"))
        #expect(Reply(250, nil).octets == Octets("250 \r\n"))
    }

    @Test func everyLineCarriesCodeAndStatus() {
        #expect(Reply(421, "4.3.0", "a", "", "c").octets == Octets("421-4.3.0 a\r\n421-4.3.0 \r\n421 4.3.0 c\r\n"))
    }

    @Test func textIsWashed() {
        #expect(Reply(500, nil, "a\r\n250 ok\0\u{1b}\u{e9}\\").octets == Octets("500 a??250 ok????\\\r\n"))
    }

    @Test func linesAreCut() {
        let octets = Reply(550, "5.7.1", String(repeating: "a", count: 2000), "b").octets
        #expect(octets.firstIndex(of: ASCII.lf) == 511)
        #expect(octets.suffix(13) == Octets("550 5.7.1 b\r\n").suffix(13))
    }

    @Test(arguments: [("5.7.1", 5, 7, 1), ("2.0.0", 2, 0, 0), ("4.999.10", 4, 999, 10)])
    func statusCodes(_ text: String, _ first: Int, _ second: Int, _ third: Int) throws {
        let code = try #require(EnhancedStatusCode(text))
        #expect(code.class == first && code.subject == second && code.detail == third && code.description == text)
    }

    @Test(arguments: ["", "5.7", "5.7.1.1", "3.0.0", "1.0.0", "5..1", "5.07.1", "5.1000.1", "5.7.x", " 5.7.1", "5.7.1 ", "-5.7.1"])
    func noStatusCodes(_ text: String) {
        #expect(EnhancedStatusCode(text) == nil)
    }
}
