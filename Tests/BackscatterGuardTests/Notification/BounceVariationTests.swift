import Testing
@testable import BackscatterGuard

private func read(_ text: String) -> Evidence { CorpusScore.read([Samples.lines(text)]) }

/// A text bounce that announces a returned mail.
private func textBounce(_ original: String) -> String {
    "\(Samples.daemon)\nYour mail to them@x.example could not be delivered.\n\nOriginal message:\n\n\(original)\n"
}

private func quoted(_ text: String, by mark: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { mark + $0 }.joined(separator: "\n")
}

@Suite("Returned mail that gateways have bent") struct BentOriginalTests {
    /// Half an id would be one that was never sent, and the genuine bounce would be refused.
    @Test(arguments: [
        "Message-ID: <sent@\nour.example>", "Message-ID:\n<sent@our.example>", "Message-ID: <se\nnt@our\n.example> (x)",
        "Message-ID: <sent@=\nour.example>", "Message-ID: =\n<sent@our.example>",
    ])
    func idBrokenWithoutIndentation(_ field: String) {
        let original = Samples.original.replacing("Message-ID: <sent@our.example>", with: field)
        for type in ["message/rfc822", "text/rfc822-headers", "text/plain"] {
            everyDivision(Samples.lines(Samples.report(original, type: type))) { #expect(CorpusScore.read($0).ids == ["sent@our.example"]) }
        }
        for mark in ["", "> ", "    "] {
            #expect(read(textBounce(quoted(original, by: mark))).ids == ["sent@our.example"], "'\(mark)'")
        }
    }

    @Test func linesThatDontEndAnIDAreLeftOut() {
        let bent = "Message-ID: <sent@our.example>\nsome words\nmore\n"
        #expect(read(textBounce(Samples.original.replacing("Message-ID: <sent@our.example>\n", with: bent))).ids == ["sent@our.example"])
        let open = "Message-ID: <sent@our.example\nsome words of a broken field\nX-Other: y\n"
        #expect(read(textBounce(Samples.original.replacing("Message-ID: <sent@our.example>\n", with: open))).ids.isEmpty)
        let none = "Message-ID:\nthem@x.example is away <no@x>\n"
        #expect(read(textBounce(Samples.original.replacing("Message-ID: <sent@our.example>\n", with: none))).ids.isEmpty)
    }

    @Test(arguments: ["> > ", ">> ", "| ", "> | ", "|", "   > ", "\t>> "])
    func quotedMoreThanOnce(_ mark: String) {
        #expect(read(textBounce(quoted(Samples.original, by: mark))).ids == ["sent@our.example"])
    }

    /// The returned mail's fields in the place of the part's own: X-gateways of several makes.
    @Test func partWithoutAHeaderOfItsOwn() {
        for inner in ["", "Content-Type: multipart/mixed; boundary=q\n", "Content-Type: text/html\nContent-Transfer-Encoding: base64\n"] {
            let original = Samples.original.replacing("\n\nbody", with: "\n\(inner)\n--q\nContent-Type: message/rfc822\n\nFrom: a\nMessage-ID: <no@x>\n\n--q--")
            let text = "\(Samples.daemon)Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nthem@x.example [User unknown]\n\n--b\n\(original)\n--b--\n"
            everyDivision(Samples.lines(text)) { chunks in
                let evidence = CorpusScore.read(chunks)
                #expect(evidence.ids == ["sent@our.example"] && evidence.kind == .bounce && !evidence.isUnreadable)
            }
        }
    }

    /// A gateway's bounce, from nobody known, within a bounce: what it returns counts first, but its own id is not forgotten.
    @Test func aGatewaysBounceWithinABounce() {
        let inner = "From: scan@gw.example\nTo: us@our.example\nSubject: Mail could not be delivered\nMessage-ID: <gateway@gw.example>\n"
        let wrapped = "\(inner)Content-Type: multipart/mixed; boundary=i\n\n--i\n\nno\n--i\nContent-Type: message/rfc822\n\n\(Samples.original)\n--i--\n"
        #expect(read(Samples.report(wrapped)).ids == ["sent@our.example", "gateway@gw.example"])
        #expect(read(Samples.report("In-Reply-To: <x@y>\n" + wrapped)).ids == ["gateway@gw.example"])
    }

    @Test func reportFieldsBesideMailFieldsStayAReport() {
        let status = "\(Samples.status)\n"
        let text = Samples.report(Samples.original).replacing(
            "Content-Type: message/delivery-status\n", with: "Content-Type: message/delivery-status\nReceived: x\nFrom: y\nTo: z\nMessage-ID: <no@x>\n")
        #expect(text.contains(status))
        #expect(read(text).ids == ["sent@our.example"] && read(text).recipients == ["them@x.example"])
    }

    /// UTF-16 behind base64 or quoted-printable, with and without a byte order mark.
    @Test(arguments: [false, true])
    func sixteenBits(_ isBigEndian: Bool) {
        let text = "Your mail could not be delivered.\r\n\r\nOriginal message headers:\r\n\r\n" + Samples.original.replacing("\n", with: "\r\n")
        var wide: Octets = isBigEndian ? [0xFE, 0xFF] : [0xFF, 0xFE]
        for octet in Octets(text) { wide += isBigEndian ? [0, octet] : [octet, 0] }
        let encoded = Samples.base64(octets: wide)
        let mail = "\(Samples.daemon)Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n\(encoded)"
        everyDivision(Samples.lines(mail)) { chunks in
            let evidence = CorpusScore.read(chunks)
            #expect(evidence.ids == ["sent@our.example"] && evidence.kind == .bounce)
        }
        let printable = wide.map { $0 == ASCII.lf ? "=0A=\r\n" : $0 > 0x20 && $0 < 0x7F && $0 != ASCII.equals ? String(UnicodeScalar($0)) : "=" + hex($0) }.joined()
        let other = "\(Samples.daemon)Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: quoted-printable\n\n"
        #expect(CorpusScore.read([Samples.lines(other) + Octets(printable)]).ids == ["sent@our.example"])
    }

    private func hex(_ octet: UInt8) -> String { (octet < 16 ? "0" : "") + String(octet, radix: 16, uppercase: true) }
}

@Suite("Returned mail shown as a page") struct PageOriginalTests {
    private static let fields = ["Received: from a by b", "From: us@our.example", "To: them@x.example", "Message-ID: &lt;sent@our.example&gt;"]

    @Test(arguments: [
        ("<div>", ":&nbsp;", "</div>"), ("<div><b>", ":</b>&nbsp;", "</div>\n"), ("<tr><td>", ":</td><td>", "</td></tr>"),
        ("<tr><th>", ":</th>\n<td>", "</td></tr>\n"), ("<p>", ": ", "</p>"), ("<li>", ": ", "</li>"), ("", ": ", "<br/>"),
    ])
    func fieldsInTags(_ before: String, _ between: String, _ after: String) {
        let rows = Self.fields.map { before + $0.replacing(": ", with: between, maxReplacements: 1) + after }.joined()
        let text = "\(Samples.daemon)Content-Type: text/html\n\n<html><p>Your mail could not be delivered.</p><table>\(rows)</table><p>Bye</p></html>\n"
        everyDivision(Samples.lines(text)) { #expect(CorpusScore.read($0).ids == ["sent@our.example"]) }
    }

    @Test func emptyLinesEndAHeaderSection() {
        let rows = Self.fields.joined(separator: "<br>")
        for gap in ["<br><br>", "<p>&nbsp;</p>"] {
            let text = "\(Samples.daemon)Content-Type: text/html\n\n<p>Could not be delivered.</p>\(rows)\(gap)From: x<br>To: y<br>Date: z<br>Message-ID: &lt;no@x&gt;<br>\n"
            #expect(read(text).ids == ["sent@our.example"])
        }
    }
}

@Suite("RFC 2047: Subject and From in encoded words") struct EncodedWordTests {
    @Test(arguments: [
        ("=?utf-8?B?RGVsaXZlcnkgZmFpbHVyZQ==?=", "Delivery failure"), ("=?UTF-8?q?Delivery=20failure?=", "Delivery failure"),
        ("Re: =?us-ascii?Q?Delivery_?=\r\n =?us-ascii?Q?failure?= now", "Re: Delivery failure now"), ("=?iso-8859-1?Q?nicht_m=F6glich?=", "nicht m\u{f6}glich"),
        ("=?x?Q?a?=b =?x?Q?c?=", "ab c"), ("=?", "=?"), ("=?a?Q?b", "=?a?Q?b"), ("=?a?Q", "=?a?Q"), ("a = b ?= c", "a = b ?= c"), ("=??Q?b?=", "=??Q?b?="),
        ("=?utf-16le?B?SABpAA==?=", "Hi"), ("=?utf-8?Q?trailing_?=x", "trailing x"),
    ])
    func decoded(_ body: String, _ text: String) {
        #expect(String(decoding: EncodedWords.decoded(Octets(body).span), as: UTF8.self) == text)
        #expect(EncodedWords.mayStand(in: Octets(body).span) == body.contains("=?"))
    }

    @Test func manyBeginningsCostLittle() {
        let body = Octets(String(repeating: "=?", count: 100_000))
        #expect(EncodedWords.decoded(body.span).count == body.count)
    }

    /// The one sign that this is a bounce stands in the Subject, the one that a person is away likewise.
    @Test func wordsCountAsIfTheyWerePlain() {
        let body = "\n\nthem@x.example\n\n\(Samples.original)"
        #expect(read("From: robot@mx.example\nTo: us@our.example\nSubject: =?utf-8?B?RGVsaXZlcnkgZmFpbHVyZQ==?=\(body)").kind == .bounce)
        #expect(read("From: robot@mx.example\nTo: us@our.example\nSubject: hello\(body)").kind == .other)
        #expect(read("From: =?utf-8?Q?Mail_Delivery_System?= <robot@mx.example>\nTo: us@our.example\nSubject: x\(body)").kind == .bounce)
        #expect(read("From: a@b.example\nSubject: =?utf-8?Q?Out_of_office?=\n\nAway.\n").kind == .autoReply)
    }
}

@Suite("Signs of a bounce that stand alone") struct SingleSignTests {
    private func mail(_ subject: String, _ fields: String = "", text: String = "them@x.example\n") -> Evidence {
        read("From: robot@mx.example\nTo: us@our.example\nSubject: \(subject)\n\(fields)Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\(text)\n--b\nContent-Type: message/rfc822\n\n\(Samples.original)\n--b--\n")
    }

    @Test(arguments: [
        "Delivery failure", "Unzustellbar: Angebot", "Недоставленное сообщение", "=?UTF-8?B?0J3QtdC00L7RgdGC0LDQstC70LXQvdC90L7QtQ==?=", "Teslim edilemedi: x",
        "=?utf-8?Q?K=C3=A9zbes=C3=ADthetetlen:_x?=", "系统退信", "Olevererbart: x",
    ])
    func aFailedSubjectAndAReturnedPart(_ subject: String) {
        #expect(mail(subject).kind == .bounce && mail(subject).ids == ["sent@our.example"])
        // Somebody answers such a mail, or forwards it with his mail program.
        #expect(mail(subject, "In-Reply-To: <x@y>\n").kind == .other && mail(subject, "X-Mailer: m\n").kind == .other)
    }

    @Test(arguments: [
        "Ihre Nachricht konnte nicht zugestellt werden.", "No se pudo entregar el mensaje.", "Ваше письмо не может быть доставлено одному из адресатов.",
        "Meddelandet kunde inte levereras.",
    ])
    func wordsOfFailureAndAReturnedPart(_ words: String) {
        #expect(mail("Offer 7", text: words + "\n").kind == .bounce)
        // One who is away and can't be reached returns nothing that failed.
        #expect(mail("Out of office", text: words + "\n").kind == .autoReply)
        #expect(mail("Offer 7", "Auto-Submitted: auto-replied\n", text: words + "\n").kind == .autoReply)
    }

    /// Coremail names the original in the notification's own header: second rank, as a reference.
    @Test func anIDInTheOwnHeader() {
        let evidence = read("\(Samples.daemon)X-CM-Original-Message-ID: <sent@our.example>\n\nDelivery failed.\n")
        #expect(evidence.ids.isEmpty && evidence.referenceIDs.map(\.octets) == [Octets("sent@our.example")])
    }
}

@Suite("Notices of mail that came in") struct IncomingNoticeTests {
    private func notice(_ shown: String, from: String = "postmaster@gw.example", subject: String = "VIRUS in mail TO YOU") -> Evidence {
        read("From: \(from)\nTo: us@our.example\nSubject: \(subject)\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nA mail to you was rejected: error 550 \n\n--b\nContent-Type: message/rfc822\n\n\(shown)\n--b--\n")
    }

    private static let shown = "Return-Path: <them@x.example>\nReceived: from a by b\nFrom: them@x.example\nTo: Us <US@our.example>\nMessage-ID: <theirs@x.example>\n\nhello\n"

    /// What is shown was never sent from here, and need not have been.
    @Test func areNoBounces() {
        #expect(notice(Self.shown).kind == .other && notice(Self.shown).ids.isEmpty)
        #expect(notice(Self.shown, from: "them@x.example", subject: "hello").kind == .other)
        #expect(notice(Self.shown.replacing("US@our.example", with: "Support@Our.Example, a@b.example")).kind == .other)
        let text = "From: postmaster@gw.example\nTo: us@our.example\nSubject: Banned file\n\nA mail to you was rejected.\n\n\(Self.shown)"
        #expect(read(text).kind == .other)
    }

    /// A bounce all the same: the shown mail is his, or his domain's, or not addressed to him; or a report says so.
    @Test(arguments: [
        shown.replacing("From: them@x.example", with: "From: us@our.example"), shown.replacing("<them@x.example>", with: "<list@our.example>"),
        shown.replacing("US@our.example", with: "other@y.example"), shown.replacing("To: Us <US@our.example>\n", with: ""),
    ])
    func bouncesStay(_ shown: String) {
        #expect(notice(shown).kind == .bounce && notice(shown).ids == ["theirs@x.example"])
    }

    /// A list at the notified domain passed a stranger's mail on, and that is returned.
    @Test func mailOfAListStaysABounce() {
        let shown = Self.shown.replacing("US@our.example", with: "list@our.example")
        #expect(notice(shown, subject: "Undeliverable: hello").kind == .bounce && notice(shown).kind == .other)
    }

    @Test func reportsStay() {
        #expect(read(Samples.report(Self.shown)).kind == .bounce)
        #expect(read("X-Failed-Recipients: x@y.example\n\(Samples.daemon)\n\(Self.shown)").kind == .bounce)
    }
}
