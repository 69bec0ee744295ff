import Testing
@testable import BackscatterGuard

@Suite("guardd top: the screen") struct TopScreenTests {
    private static var busy: TopValues {
        var values = TopValues()
        values.title = "guardd 1.0 mail.example.org"
        (values.time, values.started, values.state, values.isReady) = (1_795_324_980, 1_795_324_980 - 90_061, "serving", true)
        (values.sessions, values.heldOctets) = (1_234, 5 << 20)
        values.verdicts = ["deliver", "mark", "defer", "refuse"].enumerated().map { .init(name: $1, total: 1_000_000 * $0, perMinute: Double($0) * 12.34) }
        values.refusals = (0..<600).map { Double($0 % 37) }
        values.wouldRefuse = 77
        values.hosts = (0..<50).map { .init("2001:db8:ffff:ffff:ffff:ffff:ffff:\($0)", "\(9_999_999 - $0)") }
        values.victims = (0..<50).map { .init("a.very.long.mailbox.name.of.somebody\($0)@subdomain.example.org", "\(9_999_999 - $0)") }
        values.upstreams = [.init("127.0.0.1:10025", "up"), .init("192.0.2.99:25", "down", isBad: true)]
        values.sources = [.init("/var/log/mail.log", "3 s behind")]
        values.problems = (0..<9).map { "problem \($0) " + String(repeating: "that is told at length ", count: 10) }
        return values
    }

    /// Any terminal, any values: nothing wraps, nothing scrolls.
    @Test(arguments: [(80, 24), (40, 10), (200, 60), (79, 23), (20, 5), (1, 1), (0, 0), (3, 100)])
    func fits(_ width: Int, _ height: Int) {
        for values in [Self.busy, TopValues()] {
            for isUTF8 in [true, false] {
                let lines = TopScreen(width: width, height: height, isUTF8: isUTF8).lines(values)
                #expect(lines.count <= height && lines.allSatisfy { $0.count <= width }, "\(lines.count)")
                if height > 0, width > 6 { #expect(lines.last == "q quits") }
            }
        }
    }

    @Test func whatMattersIsThereAt80x24() {
        let screen = TopScreen(width: 80, height: 24, isUTF8: true).lines(Self.busy).joined(separator: "\n")
        for part in [
            "guardd 1.0 mail.example.org  serving  up 1d 01:01", "2026-11-22T05:23:00Z", "sessions 1234   held 5 MiB", "37   3000000",
            "REFUSED A MINUTE", "most: 36, last: 7", "would be refused, 24 h: 77", "TOP BOUNCING HOSTS, 24 h", "9999999", "a.very.long.mailbox.name", "! 192.0.2.99:25", "/var/log/mail.log", "3 s behind", "! problem 0 that",
        ] { #expect(screen.contains(part), "\(part)\n\(screen)") }
        #expect(screen.contains { "▁▂▃▄▅▆▇█".contains($0) })
        let plain = TopScreen(width: 80, height: 24, isUTF8: false).lines(Self.busy)
        #expect(plain.allSatisfy { $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
    }

    /// CWE-150: a name that a stranger chose moves no cursor and takes the columns that were counted.
    @Test func namesAreHarmless() {
        var values = Self.busy
        values.hosts = [.init("a\u{1B}[2J\n\r\u{9B}b\u{202E}\u{4E00}e\u{301}", "1")]
        values.problems = ["\u{1B}]0;x\u{7}"]
        let lines = TopScreen(width: 80, height: 24, isUTF8: true).lines(values)
        #expect(lines.joined().unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) || (0x2581...0x2588).contains($0.value) })
        #expect(lines.contains { $0.contains("a?[2J???b??e?") })
    }

    @Test func notReadyIsSaid() {
        #expect(TopScreen(width: 80, height: 24, isUTF8: true).lines(TopValues())[0].contains("NOT READY"))
    }

    @Test(arguments: [
        ([], 10, ""), ([0, 0], 10, "▁▁"), ([0, 1, 1_000], 10, "▁▂█"), ([1, 2, 3, 4, 5, 6, 7], 10, "▂▃▄▅▆▇█"), ([9, 0, 7], 2, "▁█"), ([1], 0, ""),
    ] as [([Double], Int, String)]) func sparklines(_ values: [Double], _ columns: Int, _ expected: String) {
        #expect(TopScreen(width: 80, height: 24, isUTF8: true).sparkline(values, columns: columns) == expected)
    }

    @Test(arguments: [(0, "0"), (0.04, "0.0"), (3.14, "3.1"), (9.96, "10"), (1234.5, "1235"), (-1, "0"), (.infinity, "0"), (.nan, "0"), (1e300, "many")] as [(Double, String)])
    func numbers(_ value: Double, _ expected: String) { #expect(TopScreen.number(value) == expected) }

    @Test(arguments: [(0, "00:00:00"), (86_399, "23:59:59"), (86_400, "1d 00:00"), (-5, "00:00:00")] as [(Int64, String)])
    func ages(_ seconds: Int64, _ expected: String) { #expect(TopScreen.age(seconds) == expected) }
}
