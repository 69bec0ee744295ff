import Testing
@testable import BackscatterGuard

@Suite("Milter session: what is looked at, and what is let go") struct MilterSessionTests {
    @Test func ordinaryMailIsLetGoAtMAIL() {
        let t = MilterTranscript()
        t.says(MTA.offer())
        t.hears("O")
        t.says(MTA.connect())
        t.hears()                                             // SMFIP_NR_CONN
        t.says(MTA.mail("<bob@sender.example>"))
        t.hears("a")
        t.logs("relay: client=192.0.2.7 from=<bob@sender.example> reply=\"accept\"")
        t.says(MTA.abort, MTA.mail("<bob@sender.example>"))
        t.hears("a")
        #expect(t.records.isEmpty && t.inquiries.isEmpty)
        t.says(MTA.quit)
        #expect(t.isClosed)
    }

    @Test(arguments: [
        ("192.0.2.200", 25, "mx", "", true), ("192.0.2.7", 25, "mx", "", false), ("192.0.2.7", 25, "mx", "ann", true), ("192.0.2.7", 25, "ORIGINATING", "", true),
        ("192.0.2.7", 25, "originating", "", false), ("127.0.0.1", 0, "mx", "", true), ("::1", 0, "mx", "", true), ("127.0.0.1", 40_000, "mx", "", false),
        ("192.0.2.7", 0, "mx", "", false),
    ] as [(String, UInt16, String, String, Bool)])
    func whoseMailIsOutgoing(_ client: String, port: UInt16, daemon: String, user: String, isOutgoing: Bool) {
        let t = MilterTranscript().connected(client, port: port, daemon: daemon)
        if !user.isEmpty { t.says(MTA.macros("M", [("{auth_authen}", user)])) }
        t.says(MTA.mail("<ann@example.org>"))
        t.hears(isOutgoing ? "c" : "a")
    }

    @Test func portZeroOnLoopbackIsLocalOnlyIfTheDaemonHasNone() {
        let t = MilterTranscript()
        t.says(MTA.offer(), MTA.macros("C", [("{daemon_port}", "25")]), MTA.connect("127.0.0.1", port: 0), MTA.mail("<a@example.org>"))
        t.hears("O", "a")
    }

    @Test(arguments: [(Direction.inbound, "<>", "c"), (.inbound, "<ann@example.org>", "a"), (.outbound, "<bob@sender.example>", "c"), (.outbound, "<>", "a")])
    func directions(_ direction: Direction, _ sender: String, _ answer: String) {
        let t = MilterTranscript { $0.direction = direction }.connected("192.0.2.200")
        t.says(MTA.mail(sender))
        t.hears(answer)
    }

    @Test func exemptClientsAreLetGo() {
        let t = MilterTranscript { $0.direction = .outbound }.connected("198.51.100.9")
        t.says(MTA.mail("<ann@example.org>"), MTA.mail("<>"))
        t.hears("a", "a")
    }

    @Test func outgoingBouncesAreNotRecorded() {
        for sender in ["<>", ""] {
            let t = MilterTranscript().connected("192.0.2.200")
            t.says(MTA.mail(sender))
            t.hears("a")
            t.logs("send: client=192.0.2.200 from=<> reply=\"accept\"")
        }
    }

    @Test(arguments: [
        ("<>", nil, "c"), ("", nil, "c"), ("<MAILER-DAEMON@there.example>", nil, "c"), ("<bob@there.example>", nil, "a"), ("bob@there.example", nil, "a"),
        // Spellings that MTAs read differently: the MTA tells what it makes of them, else they count as null.
        ("<(c)>", nil, "c"), ("x<>", nil, "c"), ("<(c)>", "", "c"), ("<bob>", "bob@there.example", "a"), ("<MAILER-DAEMON>", "MAILER-DAEMON@there.example", "c"), ("<\"\">", "", "c"),
    ] as [(String, String?, String)])
    func whatIsANotification(_ sender: String, _ understood: String?, _ answer: String) {
        let t = MilterTranscript().connected()
        if let understood { t.says(MTA.macros("M", [("{mail_addr}", understood)])) }
        t.says(MTA.mail(sender))
        t.hears(answer)
    }

    @Test func theLastMailsMacrosAreForgotten() {
        let t = MilterTranscript().connected()
        t.says(MTA.macros("M", [("{auth_authen}", "ann")]), MTA.mail("<ann@example.org>"), MTA.end())
        t.hears("c", "a")
        t.says(MTA.mail("<ann@example.org>"))
        t.hears("a")
        t.says(MTA.macros("M", [("{auth_authen}", "ann")]), MTA.mail("<ann@example.org>"), MTA.abort, MTA.mail("<ann@example.org>"))
        t.hears("c", "a")
    }

    @Test func stepsThatAreLeftOutAreAnsweredWhereTheyComeAllTheSame() {
        let old = MTA.offer(version: 2, actions: 0x3F, steps: 0x7F)
        let t = MilterTranscript()
        t.says(old, MTA.connect("192.0.2.200"), MTA.packet("H", MTA.texts(["x"])), MTA.mail("<ann@example.org>"), MTA.rcpt("<eve@there.example>"))
        t.hears("O", "c", "c", "c", "c")
        t.says(MTA.header("Message-ID", "<one@example.org>"), MTA.packet("T"), MTA.packet("U", MTA.texts(["FOO"])), MTA.packet("N"), MTA.body("x\r\n"), MTA.body("y\r\n"), MTA.end())
        t.hears("c", "c", "c", "c", "c", "c", "a")
        #expect(t.records.map { $0.ids.map(\.octets) } == [[Octets("one@example.org")]])
    }

    @Test func whatIsLetGoIsAnsweredIfItComesAllTheSame() {
        let t = MilterTranscript().connected(offer: MTA.offer(version: 2, actions: 0, steps: 0))
        t.says(MTA.mail("<bob@there.example>"), MTA.rcpt("<ann@example.org>"), MTA.header("A", "b"), MTA.body("x"), MTA.end())
        t.hears("a", "c", "c", "c", "a")
    }

    @Test func severalClientsOnOneConnection() {
        let t = MilterTranscript().connected("192.0.2.200")
        t.says(MTA.packet("K"), MTA.connect("192.0.2.7"), MTA.mail("<ann@example.org>"))
        t.hears("a")
        t.says(MTA.packet("K"), MTA.mail("<ann@example.org>"))
        #expect(t.isClosed)
        t.hears()
    }

    // MARK: an MTA that does not keep to the protocol

    @Test(arguments: [
        [MTA.connect()], [MTA.offer(), MTA.offer()], [MTA.offer(), MTA.mail("<>")], [MTA.offer(), MTA.connect(), MTA.connect()], [MTA.offer(), MTA.connect(), MTA.rcpt("<a@b.example>")],
        [MTA.offer(), MTA.connect(), MTA.header("a", "b")], [MTA.offer(), MTA.connect(), MTA.body("a")], [MTA.offer(), MTA.connect(), MTA.end()],
        [MTA.offer(), MTA.connect(), MTA.mail("<>"), MTA.abort, MTA.end()],
    ])
    func outOfOrder(_ packets: [Octets]) {
        let t = MilterTranscript()
        for packet in packets { t.says(packet) }
        #expect(t.isClosed)
    }

    @Test(arguments: [
        MTA.packet("O", [0, 0, 0, 6]), MTA.offer() + MTA.packet("C", Octets("x")), MTA.offer() + MTA.packet("z"), MTA.offer() + MTA.packet("D", Octets("Mi\0")),
        MTA.offer() + MTA.connect() + MTA.packet("M"), MTA.offer() + MTA.connect() + MTA.packet("M", Octets("<>")), MTA.offer() + MTA.connect() + MTA.mail("<>") + MTA.packet("R"),
        MTA.offer() + MTA.connect() + MTA.mail("<>") + MTA.packet("L", Octets("a\0")), [0, 0, 0, 0], [0x7F, 0, 0, 0, 0],
    ] as [Octets])
    func malformed(_ octets: Octets) {
        everyDivision(octets) { pieces in
            let t = MilterTranscript()
            t.pieces(pieces)
            #expect(t.isClosed, "\(pieces.map(\.count))")
        }
    }

    @Test func anOldVersionIsNotSpoken() {
        let t = MilterTranscript()
        t.says(MTA.offer(version: 1))
        t.hears()
        t.logs("milter: connection closed: protocol version is older than 2")
        #expect(t.isClosed)
    }

    @Test func aSilentMTAIsClosed() {
        let t = MilterTranscript().connected()
        t.after(60_001)
        #expect(t.isClosed)
        t.logs("milter: connection closed: timed out")
    }

    @Test func tricklingBuysNoTime() {
        let t = MilterTranscript().connected()
        t.after(40_000)
        t.says(Octets(MTA.mail("<>").prefix(7)))
        t.after(30_000)
        #expect(t.isClosed)
    }

    // MARK: the end

    @Test func stoppingWaitsForTheMessage() {
        let t = MilterTranscript().outgoing()
        t.stop()
        #expect(!t.isClosed)
        t.says(MTA.end())
        t.hears("a")
        #expect(t.isClosed)
        let idle = MilterTranscript().connected()
        idle.stop()
        #expect(idle.isClosed)
    }

    @Test func aConnectionThatBreaksCutsTheMail() {
        let t = MilterTranscript().outgoing()
        t.says(MTA.header("Message-ID", "<one@example.org>"), MTA.body("x\r\n"))
        t.ends()
        #expect(t.isClosed && t.records.count == 1)
        t.logs("cut: client=192.0.2.200 from=<ann@example.org> to=<eve@there.example> to=<joe@there.example> msgid=<one@example.org>")
    }
}
