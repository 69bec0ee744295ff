import Testing
@testable import BackscatterGuard

@Suite("Milter session: notifications get the proxy's verdict and words") struct MilterJudgeTests {
    /// A bounce as a milter hears it: folded header bodies with LF, body lines with CRLF.
    static func bounce(of id: String) -> (fields: [(String, String)], body: String) {
        ([("From", " Mail Delivery System <MAILER-DAEMON@there.example>"), ("MIME-Version", " 1.0"),
          ("Content-Type", " multipart/report; report-type=delivery-status;\n boundary=\"b\"")],
         "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; there.example\r\n\r\n"
            + "Final-Recipient: rfc822; eve@there.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            + "From: ann@example.org\r\nMessage-ID: <\(id)>\r\n\r\nHello\r\n--b--\r\n")
    }

    static func packets(_ id: String, leadingSpace: Bool = true, chunk: Int = 65_535) -> Octets {
        let (fields, body) = bounce(of: id)
        let octets = Octets(body)
        let head = fields.flatMap { MTA.header($0.0, leadingSpace ? $0.1 : String($0.1.dropFirst())) }
        return head + stride(from: 0, to: octets.count, by: chunk).flatMap { MTA.packet("B", Octets(octets[$0..<min(octets.count, $0 + chunk)])) } + MTA.end()
    }

    static let refusal = "550 5.7.1 Backscatter refused: no mail with Message-ID <forged@example.org> was sent from here"

    @Test func forgedIsRefused() {
        everyDivision(Self.packets("forged@example.org", chunk: 100)) { pieces in
            let t = MilterTranscript().bounce()
            t.pieces(pieces)
            let answers = t.takeAnswers()
            #expect(answers.last == "y" + Self.refusal && Set(answers.dropLast()) == ["c"])
        }
    }

    @Test func genuineIsDelivered() {
        let t = MilterTranscript().bounce()
        t.log.know("sent@example.org")
        t.says(Self.packets("sent@example.org"))
        t.hears("c", "a")
        t.logs("deliver: verdict=deliver reason=sent client=192.0.2.7 from=<> to=<ann@example.org> msgid=<sent@example.org> kind=bounce size=464 queue_id=4TESTQUEUEID reply=\"accept\"")
        #expect(t.inquiries.map(\.countsReturn) == [true] && t.inquiries.map(\.failedRecipients) == [[Octets("eve@there.example")]])
    }

    @Test func theLineOfARefusal() {
        let t = MilterTranscript().bounce()
        t.says(Self.packets("forged@example.org"))
        t.logs(
            "refuse: verdict=refuse reason=never_sent client=192.0.2.7 from=<> to=<ann@example.org> msgid=<forged@example.org> kind=bounce size=466 queue_id=4TESTQUEUEID reply=\"\(Self.refusal)\"")
    }

    @Test func theSameWordsAsTheProxy() {
        let proxy = SessionTranscript().opened().bounceBegun()
        let (fields, body) = Self.bounce(of: "forged@example.org")
        let head = fields.map { "\($0):\($1.replacing("\n", with: "\r\n"))\r\n" }.joined()
        proxy.client("DATA")
        _ = proxy.forgotten()
        proxy.clientRaw(head + "\r\n" + body + ".\r\n")
        proxy.clientHears(Self.refusal)
    }

    @Test func withoutTheLeadingSpaceStep() {
        let t = MilterTranscript().connected(offer: MTA.offer(steps: 0x7F))
        t.says(MTA.mail("<>"), MTA.rcpt("<ann@example.org>"), Self.packets("forged@example.org", leadingSpace: false))
        #expect(t.takeAnswers().last == "y" + Self.refusal)
    }

    @Test func theBodyMayComeWithTheEnd() {
        let t = MilterTranscript().bounce()
        let (fields, body) = Self.bounce(of: "forged@example.org")
        for (name, value) in fields { t.says(MTA.header(name, value)) }
        t.says(MTA.end(body))
        t.hears("y" + Self.refusal)
    }

    @Test(arguments: [(6 as UInt32, 0x1FFFFF as UInt32, "iX-Guardd-Verdict: guard.example.org; verdict=mark; reason=never_sent"),
                      (6, 0xFFFFF, "iX-Guardd-Verdict:guard.example.org; verdict=mark; reason=never_sent"), (2, 0x7F, "hX-Guardd-Verdict:guard.example.org; verdict=mark; reason=never_sent")])
    func mark(_ version: UInt32, _ steps: UInt32, _ expected: String) {
        let t = MilterTranscript { $0.policy.actions[.neverSent] = .mark }.connected(offer: MTA.offer(version: version, steps: steps))
        t.says(MTA.mail("<>"), MTA.rcpt("<ann@example.org>"), Self.packets("forged@example.org", leadingSpace: steps > 0xFFFFF))
        #expect(Array(t.takeAnswers().suffix(2)) == [expected, "a"])
    }

    @Test func markIsLeftOutWhereTheMTAAddsNoFields() {
        let t = MilterTranscript { $0.policy.actions[.neverSent] = .mark }.connected(offer: MTA.offer(actions: 0))
        t.says(MTA.mail("<>"), MTA.rcpt("<ann@example.org>"), Self.packets("forged@example.org"))
        t.hears("c", "c", "c", "a")
    }

    @Test(arguments: [(Findings.Availability.failed, "a"), (.silent, "y451 4.7.1 Bounce can't be verified now, try again later")])
    func aLogInTrouble(_ availability: Findings.Availability, _ answer: String) {
        let t = MilterTranscript().bounce()
        t.log.availability = availability
        t.says(Self.packets("forged@example.org"))
        t.hears("c", answer)
    }

    @Test func theAnswerMayComeLater() {
        let t = MilterTranscript().bounce()
        t.answersByHand = true
        t.says(Self.packets("forged@example.org"), MTA.mail("<bob@there.example>"))
        t.hears("c")
        t.after(12_000)
        t.hears("p")
        t.answerQuestion()
        t.hears("y" + Self.refusal, "a")
    }

    @Test func recipientsThatAreNotProtectedAreNotJudged() {
        let t = MilterTranscript().bounce(to: "<ann@elsewhere.example>")
        t.says(MTA.header("Subject", " x"), MTA.body("x"))
        t.hears("a")
        t.logs("relay: client=192.0.2.7 from=<> to=<ann@elsewhere.example> size=15 reply=\"accept\"")
        #expect(t.inquiries.isEmpty)
    }

    @Test func taggedRecipientsAreNotJudged() {
        let t = MilterTranscript().bounce(to: "<SRS0=x=y=z.example=bob@example.org>")
        t.says(MTA.header("Subject", " x"), MTA.end())
        t.hears("a")
        t.logs("deliver: verdict=deliver reason=tagged client=192.0.2.7 from=<> to=<SRS0=x=y=z.example=bob@example.org> size=12 queue_id=4TESTQUEUEID reply=\"accept\"")
    }

    @Test func aRecipientWithAnotherTreatmentIsPutOff() {
        let t = MilterTranscript().bounce()
        t.says(MTA.rcpt("<ann@elsewhere.example>"), MTA.rcpt("<eve@example.org>"))
        t.hears("y452 4.5.3 Error: this recipient has another policy for bounces, send it in a transaction of its own", "c")
    }

    @Test func aRefusedRecipientDecidesNothing() {
        let t = MilterTranscript().connected()
        t.says(MTA.mail("<>"), MTA.macros("R", [("{rcpt_mailer}", "error")]), MTA.rcpt("<x@elsewhere.example>"), MTA.rcpt("<ann@example.org>"), Self.packets("forged@example.org"))
        #expect(t.takeAnswers().last == "y" + Self.refusal)
    }

    @Test(arguments: ["<ann>", "<ann\\@example.org>", "<@relay.example:ann@example.org>", "<\"a\\\\b\"@example.org>"])
    func oddRecipientsCountAsProtected(_ path: String) {
        let t = MilterTranscript().bounce(to: path)
        t.says(Self.packets("forged@example.org"))
        #expect(t.takeAnswers().last?.hasPrefix("y550") == true)
    }

    @Test func severalMessagesOnOneConnection() {
        let t = MilterTranscript().bounce()
        t.log.know("sent@example.org")
        t.says(Self.packets("forged@example.org"), MTA.mail("<>"), MTA.rcpt("<ann@example.org>"), Self.packets("sent@example.org"))
        t.hears("c", "y" + Self.refusal, "c", "c", "c", "a")
        t.says(MTA.mail("<>"), MTA.rcpt("<ann@example.org>"), MTA.header("Subject", " x"), MTA.abort)
        t.says(MTA.mail("<>"), MTA.rcpt("<ann@example.org>"), Self.packets("forged@example.org"))
        #expect(t.takeAnswers().last == "y" + Self.refusal)
    }

    @Test func observeModeRefusesNothing() {
        let t = MilterTranscript { $0.policy.mode = .observe }.bounce()
        t.says(Self.packets("forged@example.org"))
        t.hears("c", "a")
    }

    @Test func tooManyRecipientsArePutOff() {
        let t = MilterTranscript().connected()
        t.says(MTA.mail("<>"))
        for number in 0..<4_000 { t.says(MTA.rcpt("<r\(number)@example.org>")) }
        let answers = t.takeAnswers()
        #expect(answers.contains("y452 4.5.3 Error: too many recipients") && answers.filter { $0 == "c" }.count > 1_000)
    }
}
