import Testing
@testable import BackscatterGuard

@Suite("Milter: packets") struct MilterPacketScannerTests {
    struct Packet: Equatable {
        var command: UInt8
        var data: Octets
    }

    static func scan(_ pieces: [Octets]) -> (packets: [Packet], isMalformed: Bool, isWithin: Bool) {
        var scanner = MilterPacketScanner()
        var packets: [Packet] = []
        for piece in pieces {
            var start = 0
            scan: while true {
                switch scanner.step(piece.span, from: start) {
                case .needsMore: break scan
                case .malformed: return (packets, true, false)
                case .inSpan(let command, let data, let next):
                    packets.append(Packet(command: command, data: Octets(piece[data])))
                    start = next
                case .inCarry(let command, let next):
                    packets.append(Packet(command: command, data: Octets(scanner.takeCarried()[MilterPacketScanner.carriedDataStart...])))
                    start = next
                }
            }
        }
        return (packets, false, scanner.isWithinPacket)
    }

    @Test func packetsInEveryDivision() {
        let octets = MTA.quit + MTA.mail("<ann@example.org>") + MTA.body("") + MTA.body("a\r\nb")
        let expected = [
            Packet(command: 0x51, data: []), Packet(command: 0x4D, data: Octets("<ann@example.org>\0SIZE=100\0")), Packet(command: 0x42, data: []),
            Packet(command: 0x42, data: Octets("a\r\nb")),
        ]
        everyDivision(octets) { pieces in
            let found = Self.scan(pieces)
            #expect(found.packets == expected && !found.isMalformed && !found.isWithin, "\(pieces.map(\.count))")
        }
    }

    @Test(arguments: [[0, 0, 0, 0], [0, 0x10, 0, 1], [0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0]] as [Octets])
    func badLengthsAreMalformedAtOnce(_ length: Octets) {
        everyDivision(MTA.quit + length) { pieces in
            let found = Self.scan(pieces)
            #expect(found.packets.count == 1 && found.isMalformed, "\(pieces.map(\.count))")
        }
    }

    @Test func theLargestIsTaken() {
        let data = Octets(repeating: 0x61, count: MilterPacketScanner.limit - 1)
        let octets = MTA.packet("B", data)
        for pieces in [[octets], [Octets(octets[..<3]), Octets(octets[3...])], [Octets(octets[..<70_000]), Octets(octets[70_000...])]] {
            #expect(Self.scan(pieces).packets == [Packet(command: 0x42, data: data)])
        }
        #expect(Self.scan([MTA.packet("B", data + [0x61])]).isMalformed)
    }

    @Test func cutPacketIsNone() {
        everyDivision(Octets(MTA.mail("<>").dropLast())) { pieces in
            let found = Self.scan(pieces)
            #expect(found.packets.isEmpty && found.isWithin)
        }
    }
}

@Suite("Milter: data of commands") struct MilterDataTests {
    @Test(arguments: [
        ("a\0b\0", ["a", "b"]), ("\0", [""]), ("", []), ("a", nil), ("a\0b", nil), ("\0\0", ["", ""]),
    ] as [(String, [String]?)])
    func texts(_ data: String, _ expected: [String]?) {
        let octets = Octets(data)
        let ranges = MilterData.texts(octets.span)
        #expect(ranges.map { $0.map { String(decoding: octets[$0], as: UTF8.self) } } == expected)
    }

    @Test func noMoreTextsThanWanted() {
        let (three, one, none) = (Octets("a\0b\0c\0"), Octets("xa\0"), Octets("x"))
        let (two, behind, beyond) = (MilterData.texts(three.span, atMost: 2), MilterData.texts(one.span, from: 1), MilterData.texts(none.span, from: 2))
        #expect(two?.count == 2 && behind == [1..<2] && beyond == nil)
    }

    @Test(arguments: [
        (MTA.connect("192.0.2.7", port: 4711), MilterConnect.Family.inet, 4711, "192.0.2.7"), (MTA.connect("2001:db8::1", port: 0), .inet6, 0, "2001:db8::1"),
        (MTA.packet("C", Octets("localhost\0L\0\0/run/x\0")), .unix, 0, "/run/x"), (MTA.packet("C", Octets("unknown\0U")), .unknown, 0, ""),
    ])
    func connections(_ packet: Octets, _ family: MilterConnect.Family, _ port: UInt16, _ address: String) {
        let data = Octets(packet[5...])
        let connect = MilterConnect(data.span)
        #expect(connect?.family == family && connect?.port == port && connect?.address == Octets(address))
    }

    @Test(arguments: ["", "name", "name\0", "name\0X", "name\0" + "4\0", "name\0" + "4\0\0", "name\0" + "4\0\0" + "1.2.3.4", "n\0" + "4\0\0" + "1.2.3.4\0x"])
    func brokenConnections(_ text: String) {
        let data = Octets(text)
        let connect = MilterConnect(data.span)
        #expect(connect == nil)
    }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("IPv6:2001:db8::1", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"), ("::ffff:192.0.2.9", "192.0.2.9"), ("x:y", "unix"),
    ])
    func clients(_ text: String, _ expected: String) {
        let data = Octets(MTA.connect(text)[5...])
        let connect = MilterConnect(data.span)
        #expect(connect.map { PeerAddress($0).text } == expected)
    }
}

@Suite("Milter: macros") struct MilterMacrosTests {
    @Test func eachStageReplacesItsOwn() {
        var macros = MilterMacros()
        func read(_ letter: Character, _ pairs: [(String, String)]) {
            let data = Octets(MTA.macros(letter, pairs)[5...])
            let isRead = macros.read(data.span)
            #expect(isRead)
        }
        read("C", [("{daemon_name}", "ORIGINATING"), ("j", "mx"), ("{daemon_port}", "587")])
        read("M", [("i", "4ABC"), ("{auth_authen}", "ann"), ("{mail_addr}", "ann@example.org")])
        read("R", [("{rcpt_mailer}", "error")])
        #expect(macros.daemonName == Octets("ORIGINATING") && macros.daemonPort == Octets("587"))
        #expect(macros.queueID == Octets("4ABC") && macros.authenticated == Octets("ann") && macros.mailAddress == Octets("ann@example.org"))
        #expect(macros.recipientMailer == Octets("error"))
        read("R", [("{rcpt_host}", "x")])
        #expect(macros.recipientMailer == nil)
        read("E", [("i", "4DEF")])
        #expect(macros.queueID == Octets("4DEF") && macros.authenticated != nil)
        read("M", [])
        #expect(macros.authenticated == nil && macros.queueID == nil && macros.mailAddress == nil && macros.daemonName != nil)
    }

    @Test(arguments: ["", "Mi", "Mi\0", "Mi\0a\0b\0"]) func broken(_ text: String) {
        var macros = MilterMacros()
        let data = Octets(text)
        let isRead = macros.read(data.span)
        #expect(!isRead)
    }

    @Test func valuesAreBounded() {
        var macros = MilterMacros()
        let data = Octets("C{daemon_name}\0" + String(repeating: "x", count: 100_000) + "\0")
        let isRead = macros.read(data.span)
        #expect(isRead && macros.daemonName?.count == MilterMacros.longestValue)
    }
}

@Suite("Milter: negotiation") struct MilterOptionsTests {
    static func answer(_ version: UInt32, _ actions: UInt32, _ steps: UInt32) -> MilterOptions? {
        MilterOptions.answer(to: MilterOptions(version: version, actions: MilterActions(rawValue: actions), steps: MilterSteps(rawValue: steps)))
    }

    @Test func onlyWhatIsNeededIsAskedFor() {
        let all = Self.answer(6, 0x1FF, 0x1FFFFF)
        #expect(all == MilterOptions(
            version: 6, actions: [.addHeaders, .setSymbolList],
            steps: [.noHelo, .noData, .noUnknown, .noEndOfHeader, .noReplyConnect, .noReplyHeader, .skip, .leadingSpace]))
    }

    @Test(arguments: [
        // Sendmail 8.12 and 8.13: no more than these steps; then versions as Postfix's milter_protocol has them.
        (2 as UInt32, 0x3F as UInt32, 0x7F as UInt32, 2 as UInt32, 0x01 as UInt32, 0x42 as UInt32), (3, 0x3F, 0x17F, 3, 0x01, 0x142), (4, 0x3F, 0x37F, 4, 0x01, 0x342),
        (6, 0x1FF, 0x1FFFFF, 6, 0x101, 0), (7, 0, 0, 6, 0, 0), (6, 0x100, 0x70000, 6, 0x100, 0),
    ])
    func everyBitWasOffered(_ version: UInt32, _ actions: UInt32, _ steps: UInt32, _ agreedVersion: UInt32, _ agreedActions: UInt32, _ some: UInt32) {
        let answer = Self.answer(version, actions, steps)
        #expect(answer?.version == agreedVersion && answer?.actions.rawValue == agreedActions)
        #expect(answer.map { $0.steps.rawValue & ~steps } == 0)
        if version < 5 { #expect(answer?.steps.rawValue == some) }
    }

    @Test func withoutTheStepItsReplyIsLeftOut() { #expect(Self.answer(6, 0, 0x72000)?.steps == [.noReplyHelo, .noReplyData, .noReplyUnknown, .noReplyEndOfHeader]) }
    @Test(arguments: [0, 1] as [UInt32]) func olderVersionsAreNotSpoken(_ version: UInt32) { #expect(Self.answer(version, 0xFF, 0x7F) == nil) }
    @Test func tooShort() {
        let data = Octets(repeating: 0, count: 11)
        let options = MilterOptions(data.span)
        #expect(options == nil)
    }

    @Test func answerOnTheWire() {
        var octets: Octets = []
        let options = MilterOptions(version: 6, actions: [.addHeaders, .setSymbolList], steps: [.noHelo])
        MilterResponse.negotiate(options, macros: [(.mail, "i {mail_addr}")]).append(to: &octets)
        #expect(octets == [0, 0, 0, 31, 0x4F, 0, 0, 0, 6, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0, 2] + Octets("i {mail_addr}\0"))
        octets = []
        MilterResponse.negotiate(MilterOptions(version: 2, actions: .addHeaders, steps: []), macros: MilterMacros.wanted).append(to: &octets)
        #expect(octets == [0, 0, 0, 13, 0x4F, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0])
    }
}

@Suite("Milter: answers on the wire") struct MilterResponseTests {
    static func octets(_ response: MilterResponse) -> Octets {
        var octets: Octets = []
        response.append(to: &octets)
        return octets
    }

    @Test(arguments: [(MilterResponse.accept, "a"), (.continue, "c"), (.temporaryFailure, "t"), (.skip, "s"), (.progress, "p")])
    func withoutData(_ response: MilterResponse, _ letter: String) { #expect(Self.octets(response) == [0, 0, 0, 1] + Octets(letter)) }

    @Test(arguments: [
        ("550 5.7.1 no\r\n", "550 5.7.1 no"), ("550-5.7.1 a\r\n550 5.7.1 b\r\n", "550-5.7.1 a\r\n550 5.7.1 b"), ("451 4.3.0 100% %d", "451 4.3.0 100%% %%d"), ("550 a\0b", "550 ab"),
    ])
    func replies(_ reply: String, _ expected: String) { #expect(Octets(Self.octets(.reply(Octets(reply)))[4...]) == Octets("y" + expected + "\0")) }

    @Test func fields() {
        #expect(Octets(Self.octets(.insertHeader(name: Octets("X"), body: Octets(" y")))[4...]) == Octets("i\0\0\0\0X\0 y\0"))
        #expect(Octets(Self.octets(.addHeader(name: Octets("X"), body: Octets("y")))[4...]) == Octets("hX\0y\0"))
    }
}
