import Testing
@testable import BackscatterGuard

@Suite("RFC 5322 §2.1.1: lines of streaming content") struct LineCutterTests {
    /// The lines and pieces with their two flags.
    private func cut(_ chunks: [Octets]) -> [String] {
        var cutter = LineCutter()
        var lines: [String] = []
        func note(_ octets: Octets) {
            let text = octets.count > 20 ? "\(octets.count)" : String(decoding: octets, as: UTF8.self)
            lines.append((cutter.continuesLine ? "+" : "") + text + (cutter.endsLine ? "." : ""))
        }
        for chunk in chunks {
            var index = 0
            while index < chunk.count {
                switch cutter.step(chunk.span, from: index) {
                case .inSpan(let range, let next):
                    note(Octets(chunk[range]))
                    index = next
                case .inCarry(let next):
                    let line = cutter.takeCarried()
                    note(line)
                    cutter.reuse(line)
                    index = next
                case .needsMore: index = chunk.count
                }
            }
        }
        if let rest = cutter.takeRest() { note(rest) }
        return lines
    }

    @Test(arguments: [("a\nb\r\n\nc", ["a.", "b\r.", ".", "c"]), ("", []), ("\n", ["."])])
    func lines(_ text: String, _ expected: [String]) {
        everyDivision(Octets(text)) { #expect(cut($0) == expected) }
    }

    @Test(arguments: [(8191, ["8191."]), (8192, ["8192."]), (8193, ["8192", "+x."]), (16_384, ["8192", "+8192."]), (16_385, ["8192", "+8192", "+x."])])
    func longLinesComeInPiecesThatDontDependOnTheDivision(_ length: Int, _ expected: [String]) {
        let text = Octets(repeating: 0x78, count: length) + [ASCII.lf]
        for size in [1, 7, 1000, 8191, 8192, 8193, 100_000] {
            let chunks = stride(from: 0, to: text.count, by: size).map { Octets(text[$0..<min($0 + size, text.count)]) }
            #expect(cut(chunks) == expected, "chunks of \(size)")
        }
    }
}

@Suite("RFC 2045 §6: transfer encodings") struct TransferDecoderTests {
    private func decode(_ encoding: TransferDecoder.Encoding, _ lines: [String]) -> String {
        var decoder = TransferDecoder(encoding)
        var output: Octets = []
        for line in lines { decoder.decode(Octets(line).span, endsLine: true, into: &output) }
        return String(decoding: output, as: UTF8.self)
    }

    @Test func quotedPrintable() {
        #expect(decode(.quotedPrintable, ["a=3Db=", "c =20  ", "x=Aa=", "=C3=BC"]) == "a=bc  \nx=Aa\u{fc}\n")
    }

    @Test func idThatWasNeverEncodedStays() {
        #expect(decode(.quotedPrintable, ["Message-ID: <a=C3b=Aa@c>", "Message-ID: <a=3Db@c>"]) == "Message-ID: <a=C3b=Aa@c>\nMessage-ID: <a=b@c>\n")
    }

    @Test func base64() {
        #expect(decode(.base64, ["TWVzc2Fn", "ZS1JRDogPGE=", "QGI+Cg=="]) == "Message-ID: <a@b>\n")
    }

    @Test func textInBase64StaysText() {
        #expect(decode(.base64, ["Message-ID: <a@b>"]) == "Message-ID: <a@b>\n")
    }
}

@Suite("RFC 2045 §5.1: Content-Type") struct ContentTypeTests {
    @Test(arguments: [
        ("multipart/report; report-type=delivery-status; boundary=\"a b\"", "a b", true),
        ("Multipart/Report;boundary=ab/c=d;\r\n\treport-type=\"delivery-status\"", "ab/c=d", true),
        ("multipart/mixed (c; boundary=no) ; BOUNDARY = \"x(y)\\\"z\"", "x(y)\"z", false),
        ("multipart/mixed\r\n boundary=x", "x", false), ("multipart/mixed; boundary*0=ab; boundary*1=\"cd\"", "abcd", false),
        ("multipart/mixed; boundary=\"x\" Message-Id: <a@b>", "x", false), ("multipart/mixed; boundary=\"open", "open", false),
    ])
    func boundary(_ body: String, _ boundary: String, _ isReport: Bool) {
        let type = ContentType(Octets(body).span)
        #expect(type.media == .multipart && type.boundary == Octets(boundary) && (type.report != nil) == isReport)
        #expect(!isReport || type.report == .deliveryStatus)
    }

    @Test(arguments: [
        ("message/rfc822", ContentType.Media.message), ("MESSAGE/GLOBAL", .message), ("text/rfc822-headers; charset=x", .headers),
        ("message/global-headers", .headers), ("message/global-delivery-status", .deliveryStatus), ("text/plain", .text), ("", .text),
        ("message/disposition-notification", .disposition), ("message/feedback-report", .feedbackReport), ("image/png", .opaque),
        ("application/ms-tnef", .tnef), ("application/octet-stream", .text),
    ])
    func media(_ body: String, _ media: ContentType.Media) {
        #expect(ContentType(Octets(body).span).media == media)
    }

    @Test func longBoundariesAreNotKept() {
        let type = ContentType(Octets("multipart/mixed; boundary=\(String(repeating: "x", count: 3000))").span)
        #expect(type.boundary == nil && type.isBoundaryTooLong)
    }
}

@Suite("RFC 5322 §3.4.1 and RFC 5321 §4.4: addresses in text and in Received") struct AddressTests {
    @Test(arguments: [
        ("<a@b.example>: said", ["a@b.example"]), ("to a@b.example. And 'c@d.example',", ["a@b.example", "c@d.example"]),
        ("[SMTP:x@y.example]", ["x@y.example"]), ("dda:SMTP=x@y.example; on", ["x@y.example"]), ("no at all @ here, a@ @b", []),
        ("\"FAIL one (x)\"@some.host", ["\"FAIL one (x)\"@some.host"]), ("a@b@c", ["a@b"]),
    ])
    func scanned(_ text: String, _ expected: [String]) {
        #expect(AddressScanner.addresses(in: Octets(text).span) == expected.map { Octets($0) })
    }

    @Test(arguments: [
        ("rfc822; a@b.example", "a@b.example"), ("RFC822;<a@b.example>", "a@b.example"), ("a@b.example", "a@b.example"),
        ("rfc822; @relay.example:a@b.example", "a@b.example"), ("rfc822;a@b.example (expanded)", "a@b.example"), ("utf-8; \u{fc}@b.example", "\u{fc}@b.example"),
        ("local; joe", "joe"),
    ])
    func reported(_ body: String, _ expected: String) {
        #expect(AddressScanner.reported(Octets(body).span) == Octets(expected))
    }

    @Test(arguments: [
        ("from helo.example (name.example [192.0.2.1]) by mx.example; x", "192.0.2.1"),
        ("from [203.0.113.1] (helo=[127.0.0.1]) by mx.example [192.0.2.9]", "203.0.113.1"),
        ("from unknown (HELO ?192.0.2.3?) (192.0.2.135 with plain)\r\n by x", "192.0.2.135"),
        ("from x (x [IPv6:2001:DB8:0::1]) by y", "2001:db8::1"), ("(qmail 1 invoked from network); x", nil), ("by mx.example [192.0.2.1]", nil),
        ("from joe by mx.example with local", nil), ("from x ([999.0.2.1]) by y", nil),
    ] as [(String, String?)])
    func origin(_ body: String, _ expected: String?) {
        #expect(ReceivedOrigin.address(in: Octets(body).span) == expected)
    }

    @Test(arguments: [
        ("from helo.example (name.example [192.0.2.1]) by MX.example. (Postfix) with ESMTP; x", "mx.example"),
        ("from a (by not.example [192.0.2.1])\r\n\tby mx.example; x", "mx.example"), ("by web.example (Postfix, from userid 33)", "web.example"),
        ("from by-way.example by b_y.example; x", "b_y.example"), ("(qmail 7 invoked by uid 33); x", nil), ("from a by", nil), ("from a by ...; x", nil), ("", nil),
    ] as [(String, String?)])
    func receivedBy(_ body: String, _ expected: String?) {
        #expect(ReceivedOrigin.host(in: Octets(body).span) == expected.map { Octets($0) })
    }
}
