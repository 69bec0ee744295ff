import Testing
@testable import BackscatterGuard

@Suite("RFC 5322 §3.3 and §4.3: dates") struct MessageDateTests {
    @Test(arguments: [
        ("Sun, 22 Nov 2026 05:12:07 +0100", 1_795_320_727), ("22 Nov 2026 04:12:07 GMT", 1_795_320_727), ("sun,22 nov 2026 04:12 -0000", 1_795_320_720),
        ("Sat, 21 Nov 2026 23:12:07 -0500 (EST)", 1_795_320_727), ("Sat, 21 Nov 26 23:12:07 EST", 1_795_320_727), ("1 Jan 1970 00:00:00 Z", 0),
        ("29 Feb 2024 00:00:00 +0000", 1_709_164_800), ("29 Feb 2023 00:00:00 +0000", nil), ("31 Apr 2026 00:00:00 +0000", nil),
        ("Sun, 22 Nov 2026", nil), ("22 Now 2026 01:02:03", nil), ("22 Nov 2026 25:02:03", nil), ("22 Nov 2026 1:2:3:4", nil), ("22 Nov 99999 1:2:3", nil),
        ("99999999999999999999 Nov 2026 1:2:3", nil), ("", nil), (",,, ,", nil), ("x", nil), ("22 Nov 2026 : : :", nil),
    ] as [(String, Int64?)])
    func read(_ text: String, _ expected: Int64?) {
        #expect(MessageDate.seconds(Octets(text.utf8).span) == expected)
    }
}
