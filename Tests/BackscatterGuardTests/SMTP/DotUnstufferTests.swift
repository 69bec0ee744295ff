import Testing
@testable import BackscatterGuard

@Suite("RFC 5321 4.5.2: transparency") struct DotUnstufferTests {
    @Test(arguments: [
        ("", ""), ("a\r\nb\r\n", "a\r\nb\r\n"), ("..a\r\n", ".a\r\n"), (".a\r\n..\r\n...\r\n", "a\r\n.\r\n..\r\n"), ("a.b\r\n", "a.b\r\n"),
        ("a\n.b\r.c\r\n.d", "a\n.b\r.c\r\nd"), ("a\r\r\n.b", "a\r\r\nb"), (".", ""), ("\r\n.", "\r\n"), ("\n.a", "\n.a"), ("\r\n\r\n..", "\r\n\r\n."),
    ])
    func unstuffs(_ text: String, _ expected: String) {
        everyDivision(Octets(text)) { chunks in
            var unstuffer = DotUnstuffer()
            var seen = Octets()
            for chunk in chunks {
                unstuffer.unstuff(chunk.span) {
                    if $0.isEmpty { Issue.record("an empty part") }
                    seen.append($0)
                }
            }
            #expect(seen == Octets(expected), "\(chunks.map(\.count))")
        }
    }
}
