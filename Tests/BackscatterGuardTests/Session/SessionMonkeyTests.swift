import Testing
@testable import BackscatterGuard

/// Commands, replies, losses and deadlines in any order: nothing may trap, no octet may go where nobody is, and every
/// session must come to its end when time passes.
@Suite("Session: anything in any order (THREATS R10, R21, section 5)") struct SessionMonkeyTests {
    /// SplitMix64: the same walk for the same seed.
    struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    static let clientTexts = [
        "EHLO c.example\r\n", "HELO c.example\r\n", "MAIL FROM:<>\r\n", "MAIL FROM:<bob@sender.example>\r\n", "MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n",
        "RCPT TO:<ann@example.org>\r\n", "RCPT TO:<joe@elsewhere.example>\r\n", "DATA\r\n", "RSET\r\n", "NOOP\r\n", "QUIT\r\n", "VRFY ann\r\n", "AUTH LOGIN\r\n", "*\r\n",
        "BDAT 5\r\nhello", "BDAT 10 LAST\r\nhello", "world", "BDAT 0 LAST\r\n", "BDAT 0\r\n", "BDAT x\r\n", "FOO\r\n", "\n", "NOOP\n", "x", "\r\n", ".", ".\r\n", "\r\n.\r\n", "\n.\n", "\r",
        SessionHoldTests.forged, SessionHoldTests.forged + ".\r\n", "BDAT \(SessionHoldTests.forged.utf8.count) LAST\r\n" + SessionHoldTests.forged,
        "Message-ID: <two@example.org>\r\n\r\n", "MAIL FROM:<bob@sender.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n",
    ]
    static let upstreamTexts = [
        "220 mx\r\n", "250 2.0.0 Ok\r\n", "250 2.0.0 Ok\r\n", "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n", SessionTranscript.keywords + "\r\n", SessionTranscript.keywords + "\r\n", "354 go on\r\n", "354 go on\r\n",
        "450 4.0.0 no\r\n", "550 5.0.0 no\r\n", "421 4.0.0 bye\r\n", "334 VXNlcm5hbWU6\r\n", "235 2.7.0 in\r\n", "221 2.0.0 Bye\r\n", "502 5.5.1 what\r\n",
        "250-half", "\r\n", "what\r\n", "250 queued as 4ABCDEF\r\n", "250-mx\r\n250 XCLIENT ADDR\r\n",
    ]

    private func walk(_ seed: UInt64) {
        var dice = Dice(state: seed)
        let t = SessionTranscript { setup in
            setup.identity = UpstreamIdentity.allCases.randomElement(using: &dice) ?? .none
            setup.direction = Direction.allCases.randomElement(using: &dice) ?? .auto
            setup.isOutgoingClient = Int.random(in: 0..<3, using: &dice) == 0
            setup.recordFailure = Bool.random(using: &dice) ? .pass : .tempfail
            setup.refusesBareLineEndings = Int.random(in: 0..<4, using: &dice) == 0
            setup.holdLimit = [1, 50, 300, 100_000].randomElement(using: &dice) ?? 1
            setup.upstreams = Int.random(in: 1...2, using: &dice)
        }
        if Bool.random(using: &dice) { t.log.know("one@example.org") }
        t.answersByHand = Int.random(in: 0..<3, using: &dice) == 0
        t.recordsByHand = Int.random(in: 0..<3, using: &dice) == 0
        let answersWell = Int.random(in: 0..<4, using: &dice) > 0
        for _ in 0..<60 where !t.sink.isOver { step(t, answersWell, &dice) }
        // Whatever has happened: a deadline ends it.
        t.answersByHand = false
        t.recordsByHand = false
        for _ in 0..<8 where !t.sink.isOver { t.after(700_000) }
        #expect(t.sink.isOver, "seed \(seed): the session never ends")
    }

    private func step(_ t: SessionTranscript, _ answersWell: Bool, _ dice: inout Dice) {
        switch Int.random(in: 0..<40, using: &dice) {
        case 0: t.upstreamEnds()
        case 1: t.after(Int64.random(in: 0..<200_000, using: &dice), upstreamStalled: Bool.random(using: &dice) ? 0 : 190_000)
        case 2 where Int.random(in: 0..<8, using: &dice) == 0: t.clientEnds()
        case 3: t.outgrow()
        case 4 where Int.random(in: 0..<8, using: &dice) == 0: t.stop()
        case 5...8: t.answerQuestion()
        case 9...12: if t.sink.recordsAwaited > 0 { t.recorded(Bool.random(using: &dice)) }
        case 13..<22:
            guard t.sink.isLinked else { return }
            let heard = t.sink.takeUpstreamText()
            t.upstreamRaw(answersWell ? fitting(heard, t, &dice) : Self.upstreamTexts.randomElement(using: &dice) ?? "")
        default:
            let text = Octets(Self.clientTexts.randomElement(using: &dice) ?? "")
            let cut = Int.random(in: 0...text.count, using: &dice)
            t.clientOctets(Octets(text[..<cut]))
            t.clientOctets(Octets(text[cut...]))
        }
    }

    /// What an upstream would say to the commands in `heard`; now and then something else.
    private func fitting(_ heard: String, _ t: SessionTranscript, _ dice: inout Dice) -> String {
        if Int.random(in: 0..<15, using: &dice) == 0 { return Self.upstreamTexts.randomElement(using: &dice) ?? "" }
        if heard.isEmpty || heard.hasPrefix("PROXY") || heard.hasPrefix("\r\n\r\n") { return "220 mx\r\n" }
        return heard.split(separator: "\r\n").map { line -> String in
            switch line.prefix(4) {
            case "EHLO": SessionTranscript.keywords + "\r\n"
            case "XCLI": "220 mx\r\n"
            case "DATA": "354 go on\r\n"
            case "AUTH": "334 x\r\n"
            case "QUIT": "221 x\r\n"
            case "MAIL", "RCPT", "RSET", "NOOP", "VRFY", "BDAT", ".", "HELO": "250 x\r\n"
            default: ""
            }
        }.joined()
    }

    @Test(arguments: 0..<20) func walks(_ batch: Int) {
        for seed in 0..<20 { walk(UInt64(batch * 20 + seed)) }
    }
}
