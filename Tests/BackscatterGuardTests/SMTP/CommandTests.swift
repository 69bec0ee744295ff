import Testing
@testable import BackscatterGuard

@Suite("RFC 5321 4.1.1: verbs") struct CommandTests {
    @Test(arguments: [
        ("EHLO a.example", .ehlo), ("ehlo", .ehlo), ("HeLo x", .helo), ("MAIL FROM:<>", .mail), ("mail\tFROM:<>", .mail),
        ("MAIL", .mail), ("MAILFROM:<>", .unknown), ("RCPT TO:<a@b>", .rcpt), ("DATA", .data), ("DATA ", .data),
        ("BDAT 5 LAST", .bdat), ("RSET", .rset), ("NOOP x", .noop), ("QUIT", .quit), ("VRFY a", .vrfy), ("EXPN a", .expn),
        ("HELP", .help), ("ETRN a", .etrn), ("AUTH PLAIN", .auth), ("STARTTLS", .starttls), ("XCLIENT ADDR=1", .xclient),
        ("XFORWARD ADDR=1", .xforward), ("PROXY TCP4", .proxy), ("", .unknown), ("STARTTLSX", .unknown), ("MAI", .unknown),
        ("x", .unknown), ("GET / HTTP/1.1", .unknown), ("NOOP \u{e9}", .noop), ("RC\u{e9}T", .unknown), ("aaaaaaaaaDATA", .unknown),
    ] as [(String, Verb)])
    func named(_ line: String, _ verb: Verb) {
        #expect(Command.verb(of: Octets(line)) == verb)
    }

    @Test(arguments: [
        " MAIL FROM:<>", "\tDATA", " ", "MAIL FROM:\u{b}<>", "MAIL FROM:\u{c}<>", "MAIL FROM:<>\r", "MAIL FROM:\r<>", "DATA\nRSET",
        "MAIL FROM:<>\0", "MAIL\0FROM:<>", "NOOP \u{7f}", "NOOP \u{1b}[0m", "\0",
    ])
    func malformed(_ line: String) {
        #expect(Command.verb(of: Octets(line)) == .malformed)
    }

    @Test(arguments: [("EHLO a b ", 5..<8), ("EHLO", 4..<4), ("EHLO  ", 6..<6), ("", 0..<0), ("AUTH\t x", 6..<7)])
    func arguments(_ line: String, _ expected: Range<Int>) {
        #expect(Command.arguments(of: Octets(line)) == expected)
    }
}
