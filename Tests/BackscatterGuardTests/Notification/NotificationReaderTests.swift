import Testing
@testable import BackscatterGuard

/// Short bounces, written here, and what must be read from them.
enum Samples {
    static func lines(_ text: String) -> Octets { Octets(text.replacing("\n", with: "\r\n")) }

    static let daemon = "From: MAILER-DAEMON@mx.example\nTo: us@our.example\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <own@mx.example>\n"
    static let original = "Received: from a (a [192.0.2.1]) by b; x\nFrom: us@our.example\nTo: them@x.example\nDate: Mon, 1 Jan 2001 00:00:00 +0000\nMessage-ID: <sent@our.example>\n\nbody\n"
    static let status = "Reporting-MTA: dns; mx.example\nOriginal-Envelope-Id: env1\n\nFinal-Recipient: rfc822; them@x.example\nAction: failed\nStatus: 5.1.1\n"

    static func report(_ third: String, type: String = "message/rfc822", fields: String = "", text: String = "It failed.\n") -> String {
        """
        \(daemon)MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b=1"

        preamble
        --b=1

        \(text)
        --b=1
        Content-Type: message/delivery-status

        \(status)
        --b=1
        Content-Type: \(type)
        \(fields)
        \(third)
        --b=1--

        """
    }

    static func qmail(_ original: String, diagnostics: String = "550 no such user\n") -> String {
        """
        From: MAILER-DAEMON@mx.example
        To: us@our.example
        Subject: failure notice

        Hi. This is the qmail-send program at mx.example.
        I'm afraid I wasn't able to deliver your message to the following addresses.

        <them@x.example>:
        \(diagnostics)
        --- Below this line is a copy of the message.

        \(original)
        """
    }

    static func base64(_ text: String) -> String { base64(octets: Octets(text)) }

    static func base64(octets: Octets) -> String {
        let alphabet = Octets("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var output: Octets = []
        for start in stride(from: 0, to: octets.count, by: 3) {
            let group = (0..<3).map { start + $0 < octets.count ? Int(octets[start + $0]) : 0 }
            let value = group[0] << 16 | group[1] << 8 | group[2]
            for (place, shift) in [18, 12, 6, 0].enumerated() {
                output.append(start + place > octets.count ? ASCII.equals : alphabet[value >> shift & 63])
            }
            if output.count % 77 == 76 { output.append(ASCII.lf) }
        }
        return String(decoding: output, as: UTF8.self) + "\n"
    }
}

extension Evidence {
    var ids: [String] { originalMessageIDs.map { String(decoding: $0.octets, as: UTF8.self) } }
    var recipients: [String] { failedRecipients.map { String(decoding: $0, as: UTF8.self) } }
}

private func read(_ text: String) -> Evidence { CorpusScore.read([Samples.lines(text)]) }

@Suite("RFC 3464, RFC 6522: delivery reports") struct ReportTests {
    @Test func everythingIsRead() {
        everyDivision(Samples.lines(Samples.report(Samples.original))) { chunks in
            let evidence = CorpusScore.read(chunks)
            #expect(evidence.kind == .bounce && evidence.ids == ["sent@our.example"] && evidence.recipients == ["them@x.example"])
            #expect(evidence.originalSender == Octets("us@our.example") && evidence.originAddresses == ["192.0.2.1"])
            #expect(evidence.originalDate == Octets("Mon, 1 Jan 2001 00:00:00 +0000") && evidence.originalEnvelopeID == Octets("env1"))
            #expect(!evidence.isUnreadable)
        }
    }

    @Test(arguments: [
        "Message-ID:\r\n <sent@our.example>", "MESSAGE-id :<sent@\r\n\tour.example>", "Message-ID: (a (b) <no@x>) <sent@our.example> (c)",
        "Message-ID: sent@our.example", "X-Long: \(String(repeating: "y", count: 20_000))\r\nMessage-ID: <sent@our.example>",
    ])
    func oddForms(_ field: String) {
        #expect(read(Samples.report("\(field)\nFrom: us@our.example\n\nbody\n")).ids == ["sent@our.example"])
    }

    @Test(arguments: [
        ("message/rfc822", "Content-Transfer-Encoding: base64\n"), ("text/rfc822-headers", "Content-Transfer-Encoding: base64\n"),
        ("application/octet-stream", "Content-Transfer-Encoding: base64\n"), ("text/plain", "Content-Transfer-Encoding: BASE64\n"),
    ])
    func base64(_ type: String, _ fields: String) {
        let text = Samples.report(Samples.base64(Samples.original), type: type, fields: fields)
        everyDivision(Samples.lines(text)) { #expect(CorpusScore.read($0).ids == ["sent@our.example"]) }
    }

    @Test func quotedPrintable() {
        let part = "Received: from a by b\nFrom: us@our.example\nMessage-ID: <se=\nnt@our=2Eexample>\n\nx\n"
        let evidence = read(Samples.report(part, type: "text/rfc822-headers", fields: "Content-Transfer-Encoding: quoted-printable\n"))
        #expect(evidence.ids == ["sent@our.example"])
    }

    @Test(arguments: ["message/global", "text/rfc822-headers", "message/global-headers", "MESSAGE/RFC822"])
    func carriers(_ type: String) {
        #expect(read(Samples.report(Samples.original, type: type)).ids == ["sent@our.example"])
    }

    @Test func keptIDsFollow() {
        let fields = "X-Google-Original-Message-ID: <kept@our.example>\nX-Microsoft-Original-Message-ID: <kept2@our.example>\nResent-Message-ID: <again@our.example>\n"
        #expect(read(Samples.report(fields + Samples.original)).ids == ["sent@our.example", "kept@our.example", "kept2@our.example", "again@our.example"])
    }

    @Test func statedIDServesWhereNothingIsReturned() {
        let text = Samples.report("x\n", type: "text/plain").replacing("Status: 5.1.1", with: "Status: 5.1.1\nX-Original-Message-ID: <sent@our.example>")
        #expect(read(text).ids == ["sent@our.example"])
    }

    @Test func deliveredRecipientsAreLeftOut() {
        let more = Samples.status + "\nFinal-Recipient: rfc822; fine@x.example\nAction: delivered\n"
        #expect(read(Samples.report(Samples.original).replacing(Samples.status, with: more)).recipients == ["them@x.example"])
    }

    @Test func idsAreThereWhileContentStillComes() {
        var reader = NotificationReader()
        let text = Samples.lines(Samples.report(Samples.original))
        let end = text.count - Samples.lines("\nbody\n\n--b=1--\n").count
        reader.read(text.span.extracting(0..<end))
        #expect(reader.originalIDCount == 0)
        reader.read(text.span.extracting(end..<(end + 4)))
        #expect(reader.originalIDCount == 1 && reader.evidence.ids == ["sent@our.example"])
    }
}

@Suite("Texts of MTAs that know no report") struct TextBounceTests {
    @Test func qmail() {
        everyDivision(Samples.lines(Samples.qmail(Samples.original))) { chunks in
            let evidence = CorpusScore.read(chunks)
            #expect(evidence.kind == .bounce && evidence.ids == ["sent@our.example"] && evidence.recipients == ["them@x.example"])
        }
    }

    @Test(arguments: [
        "------ This is a copy of the message, including all the headers. ------", "   ----- Original message follows -----",
        "   ----- Unsent message follows -----", "Original message follows.", "Message headers follow.", "--- Enclosed are the original headers of the message.",
        "    Below is a copy of the original message:", "----- Original message -----", "------- Returned Message --------", "Original message headers:",
        "-------original mail info", "|------------------------- Message text follows: ------------------------|", "---- START OF RETURNED MESSAGE ----",
        "--- The header of the original message is following. ---", "Included is a copy of the message header:", "Original Mail:",
        "--------RETURNED MAIL FOLLOWS--------", "--- Mensaje original adjunto.", "--- Below this line is a copy of the mail header.",
        "bounced E-Mail:", "   -- The header and top 20 lines of the message follows --", "**** Unsent message below ****", "Your original message:",
    ])
    func markers(_ marker: String) {
        for gap in ["\n", ""] {
            for quoting in ["", "> ", "    "] {
                let original = "From: us@our.example\nMessage-ID: <sent@our.example>\n\nbody\n".split(separator: "\n", omittingEmptySubsequences: false)
                    .map { quoting + $0 }.joined(separator: "\n")
                let evidence = read("\(Samples.daemon)\nYour mail to them@x.example could not be delivered.\n\n\(marker)\n\(gap)\(original)")
                #expect(evidence.ids == ["sent@our.example"] && evidence.kind == .bounce, "gap \(gap.count), quoting '\(quoting)'")
            }
        }
    }

    @Test func headerSectionWithoutMarker() {
        #expect(read("\(Samples.daemon)\nThis failed:\nthem@x.example\n\n\(Samples.original)").ids == ["sent@our.example"])
    }

    @Test func brokenLinesWithinTheHeaderSection() {
        let original = "Return-Path: <us@our.example>\nReceived: from a by b\nX-Key: abc\ndef ghi\njkl\nMessage-ID: <sent@our.example>\n\nx\n"
        #expect(read(Samples.qmail(original)).ids == ["sent@our.example"])
    }

    @Test func diagnosticsYieldNoID() {
        let refusal = "550-From: a\n550-To: b\n550-Message-ID: <no@x>\n550 --- Below this line is a copy of the message.\n Message-ID: <no@x>\n"
        #expect(read(Samples.qmail(Samples.original, diagnostics: refusal)).ids == ["sent@our.example"])
        #expect(read(Samples.report(Samples.original, text: "<them@x.example>: host said: 550\n    Message-ID: <no@x>\n")).ids == ["sent@our.example"])
    }

    @Test func aPartCountsMoreThanAText() {
        let text = "From: x\nTo: y\nReceived: z\nMessage-ID: <no@x>\n"
        let evidence = read(Samples.report(Samples.original, text: text))
        #expect(evidence.ids.first == "sent@our.example" && evidence.originalSender == Octets("us@our.example"))
    }

    @Test func html() {
        let page = "<html><body><p>Could not be delivered to them@x.example<br>Original message headers:<pre>Received: from a by b<br>From: us<br>Message-ID: &lt;sent@our.example&gt;<br></pre></body></html>\n"
        let text = "\(Samples.daemon)Content-Type: text/html\n\n\(page)"
        everyDivision(Samples.lines(text)) { #expect(CorpusScore.read($0).ids == ["sent@our.example"]) }
        let encoded = "\(Samples.daemon)Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n\(Samples.base64(page.replacing("&lt;", with: "<").replacing("&gt;", with: ">")))"
        #expect(read(encoded).ids == ["sent@our.example"])
    }

    @Test func onlyTheFirstHeaderSectionCounts() {
        let body = "--- Below this line is a copy of the message.\n\nFrom: x\nTo: y\nReceived: z\nMessage-ID: <no@x>\n\n"
        #expect(read(Samples.qmail(Samples.original + body)).ids == ["sent@our.example"])
        #expect(read(Samples.qmail("From: us@our.example\nTo: a@b.example\nSubject: no id\n\n" + body)).ids.isEmpty)
    }

    @Test func detailsOfAFailedMailAreNoHeaderSection() {
        let details = "Your message\n\n  To:      them@x.example\n  Subject: s\n  Sent:    today\n  From:    us@our.example\n\ndid not reach the following recipient(s):\n\nthem@x.example on Mon\n\n"
        #expect(read("\(Samples.daemon)\n\(details)\(Samples.original)").ids == ["sent@our.example"])
    }
}

@Suite("THREATS R15, R16, R18, R19: tricks of form") struct HostileNotificationTests {
    @Test(arguments: [1_000, 10_000]) func levels(_ count: Int) {
        var text = "\(Samples.daemon)Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        for level in 0..<count { text += "Content-Type: multipart/mixed; boundary=c\(level)\n\n--c\(level)\n" }
        #expect(read(text + "Content-Type: message/rfc822\n\nMessage-ID: <sent@our.example>\n\n").ids == ["sent@our.example"])
        var wrapped = "\(Samples.daemon)Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
        for _ in 0..<count { wrapped += "Content-Type: message/rfc822\n\n" }
        #expect(read(wrapped + Samples.original).ids == ["sent@our.example"])
    }

    @Test func bounceOfBounceOfBounce() {
        var text = Samples.original
        for level in 0..<300 {
            text = "From: MAILER-DAEMON@mx\(level).example\nSubject: Returned mail\nMessage-ID: <own\(level)@mx.example>\nContent-Type: message/rfc822\n\n\(text)"
        }
        #expect(read(text).ids.first == "sent@our.example")
    }

    @Test func parts() {
        let parts = String(repeating: "--b=1\nContent-Type: text/plain\n\nMessage-ID: <no@x>\n\n", count: 2_000)
        #expect(read(Samples.report(Samples.original).replacing("preamble\n", with: parts)).ids == ["sent@our.example"])
    }

    @Test func megabytes() {
        let padding = String(repeating: "nothing to see here, and more of it\n", count: 60_000)
        #expect(read(Samples.report(Samples.original, text: padding)).ids == ["sent@our.example"])
        #expect(read(Samples.qmail(Samples.original, diagnostics: padding)).ids == ["sent@our.example"])
        let line = String(repeating: "x", count: 2_000_000) + "\n"
        #expect(read(Samples.qmail(Samples.original, diagnostics: line)).ids == ["sent@our.example"])
    }

    @Test func headerBeyondTheLimit() {
        let fields = String(repeating: "X-Padding: \(String(repeating: "y", count: 80))\n", count: 3_000)
        let evidence = read(Samples.report(fields + Samples.original))
        #expect(evidence.ids == ["sent@our.example"] && evidence.isUnreadable)
    }

    @Test func brokenBoundaries() {
        let text = Samples.report(Samples.original)
        for (changed, isBroken) in [
            (text.replacing("--b=1--", with: ""), true), (text.replacing("\"b=1\"", with: "\"b=2\""), true), (text.replacing("; boundary=\"b=1\"", with: ""), true),
            (text.replacing("boundary=\"b=1\"", with: "boundary=\"\(String(repeating: "z", count: 3000))\""), true),
            (text.replacing("--b=1\n", with: "--b=1  \t\n"), false), (text.replacing("multipart/report;", with: "multipart/report (x);"), false),
            (text.replacing("preamble\n--b=1", with: "--b=1--\n\n--b=1"), false),
        ] {
            let evidence = read(changed)
            #expect(evidence.ids == ["sent@our.example"] && evidence.kind == .bounce && (evidence.isUnreadable || !isBroken))
        }
    }

    @Test(arguments: [
        ("<sent@our.exa", false), ("<sent@our.example>", true), ("sent@our.exa", false), ("<sent@our.exa\n", false), ("sent@our.example\n", true),
        ("<sent@our.exa\nTo: them@x.example\n", true),
    ])
    func anIDThatTheEndCutIsNone(_ id: String, _ counts: Bool) {
        #expect(read(Samples.qmail("From: us@our.example\nReceived: from a by b\nMessage-ID: \(id)")).ids.isEmpty != counts)
    }

    /// Behind it comes an empty line or a word. The rest of an id that was broken without indentation is put to it.
    @Test(arguments: [
        ("<sent@our.exa\n\n", false), ("<sent@our.exa\n\n--- message truncated ---\n", false), ("<sent@our.exa\nmple>\nDate: today\n\n", true), ("<sent@our.exa\nmple and more>\nDate: today\n\n", false),
        ("<sent@our.exa\nmple\nDate: today\n\n", true), ("<sent@our.exa=\nmple>\nDate: today\n\n", true),
        ("<sent@our.example\nTo: them@x.example\n\n", true), ("<sent@our.example>\n\n", true), ("sent@our.example\n\n", true),
        ("<sent@our.example>\nReferences: <a@b\n\n", true), ("<sent@our.example>\nMessage-ID: <a@b\n\n", true),
        ("<sent@our.example>\nResent-Message-ID: <a@b\n\n", true),
    ])
    func anIDWithoutEndThatNothingFollowsIsNone(_ id: String, _ counts: Bool) {
        let original = "From: us@our.example\nReceived: from a by b\nMessage-ID: \(id)"
        for text in [Samples.qmail(original), Samples.report(original), Samples.report(original, type: "text/rfc822-headers")] {
            let evidence = read(text)
            #expect(evidence.ids.first == (counts ? "sent@our.example" : nil))
            #expect(evidence.isUnreadable != counts)
        }
    }

    @Test func aSystemsMailWithinABounceYieldsWhatItReturns() {
        let inner = Samples.report(Samples.original).replacing("From: MAILER-DAEMON@mx.example", with: "Return-Path: <>\nFrom: no-reply@x").replacing("report; report-type=delivery-status", with: "mixed")
        let outer = "\(Samples.daemon)Content-Type: multipart/report; report-type=delivery-status; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n\(inner)\n--o--\n"
        #expect(read(outer).ids == ["sent@our.example", "own@mx.example"])
    }

    @Test func nestedInMixed() {
        let inner = Samples.report(Samples.original)
        let body = String(inner[(inner.range(of: "Content-Type: multipart/report")?.lowerBound ?? inner.startIndex)...])
        let evidence = read("From: a@b.example\nSubject: hello\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\(body)\n--m--\n")
        #expect(evidence.kind == .bounce && evidence.ids == ["sent@our.example"])
    }

    @Test func partsBehindTheEndDontReplace() {
        let text = Samples.report(Samples.original) + "--b=1\nContent-Type: text/rfc822-headers\n\nFrom: x\nMessage-ID: <no@x>\n\n--b=1--\n"
        #expect(read(text).ids == ["sent@our.example"])
        let second = Samples.report(Samples.original).replacing("--b=1--", with: "--b=1\nContent-Type: message/rfc822\n\nFrom: x\nMessage-ID: <second@x>\n\n--b=1--")
        #expect(read(second).ids == ["sent@our.example", "second@x"])
    }

    @Test func ownHeaderIsSecondRank() {
        let evidence = read("\(Samples.daemon)In-Reply-To: <a@our.example>\nReferences: <b@our.example> <a@our.example>\n\nYour mail could not be delivered.\n")
        #expect(evidence.kind == .bounce && evidence.ids.isEmpty)
        #expect(evidence.referenceIDs.map(\.octets) == [Octets("a@our.example"), Octets("b@our.example")])
    }

    @Test func receiptHungOnABounceDoesNotFreeIt() {
        let text = Samples.report(Samples.original).replacing("--b=1--", with: "--b=1\nContent-Type: message/disposition-notification\n\nDisposition: x\n\n--b=1--")
        #expect(read(text).kind == .bounce)
    }

    @Test func forwardedMailWithinTheOriginal() {
        let original = "From: us@our.example\nMessage-ID: <sent@our.example>\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\nFrom: MAILER-DAEMON@x\nMessage-ID: <no@x>\n\n--o--\n"
        #expect(read(Samples.report(original)).ids == ["sent@our.example"])
        #expect(read(Samples.report(original.replacing("Message-ID: <sent@our.example>\n", with: ""))).ids.isEmpty)
    }
}

@Suite("RFC 3834, RFC 8098, RFC 5965: kinds") struct NotificationKindTests {
    @Test(arguments: [
        ("From: a@b.example\nSubject: Re: x\nAuto-Submitted: auto-replied\n\nI am away.\n", NotificationKind.autoReply),
        ("From: a@b.example\nSubject: Out of office\n\nYour message was not delivered to my eyes.\n", .autoReply),
        ("From: MAILER-DAEMON\nSubject: away from my desk\n\nBack on Monday.\n", .autoReply),
        ("From: a@b.example\nSubject: Automatic reply: x\n\nAway.\n\n-----Original Message-----\nFrom: us@our.example\nTo: a@b.example\nSubject: x\n\nhello\n", .autoReply),
        ("From: a@b.example\nSubject: x\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;a@b.example\nOriginal-Message-ID: <sent@our.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n", .mdn),
        ("From: a@b.example\nSubject: x\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nspam\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <sent@our.example>\n\n--b--\n", .feedbackReport),
        ("From: a@b.example\nSubject: Fwd: something\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee attached\n--b\nContent-Type: message/rfc822\n\n\(Samples.original)\n--b--\n", .other),
        ("From: a@b.example\nSubject: Fwd: bounce house\nIn-Reply-To: <x@y>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwhy was it not delivered?\n--b\nContent-Type: message/rfc822\n\n\(Samples.report(Samples.original))\n--b--\n", .other),
        ("From: calendar@b.example\nSubject: Invitation\nAuto-Submitted: auto-generated\n\nMeet us.\n", .other), ("", .other),
    ])
    func kind(_ text: String, _ kind: NotificationKind) {
        let evidence = read(text)
        #expect(evidence.kind == kind)
        #expect(evidence.ids == (kind == .mdn || kind == .feedbackReport ? ["sent@our.example"] : []))
    }

    /// Mail of a stranger to the addressee himself returns nothing; of the addressee, or to others, it does.
    @Test(arguments: [
        ("bob@partner.example", "us@our.example", NotificationKind.other), ("bob@partner.example", "Us <US@our.example>, eve@our.example", .other),
        ("us@our.example", "us@our.example", .bounce), ("us@our.example", "bob@partner.example", .bounce), ("bob@partner.example", "eve@our.example", .other), ("bob@partner.example", "eve@other.example", .bounce),
    ])
    func noticesToTheRecipient(_ from: String, _ to: String, _ kind: NotificationKind) {
        let carried = "Received: from a by b\nFrom: \(from)\nTo: \(to)\nSubject: x\nMessage-ID: <carried@x>\n\nhello\n"
        for sender in ["Virus filter <postmaster@gw.example>", "MAILER-DAEMON@gw.example"] {
            let text = "From: \(sender)\nTo: us@our.example\nSubject: A virus was found\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
                + "The message could not be delivered, because it contained a virus.\n--b\nContent-Type: message/rfc822\n\n\(carried)\n--b--\n"
            #expect(read(text).kind == kind, "\(sender)")
        }
        // A report of a delivery needs no second sign.
        #expect(read(Samples.report(carried)).kind == .bounce)
        #expect(read(Samples.qmail(carried)).kind == .bounce)
    }
}
