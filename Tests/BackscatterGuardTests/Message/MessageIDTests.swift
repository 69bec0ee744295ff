import Testing
@testable import BackscatterGuard

@Suite("RFC 5322 §3.6.4: Message-ID") struct MessageIDTests {
    @Test(arguments: [
        ("<a@b.example>", "a@b.example"), (" <a@b>\r\n", "a@b"), ("\r\n\t<a@\r\n b>", "a@b"), ("a@b", "a@b"), ("plain", "plain"),
        ("<a@b> (why)", "a@b"), ("(<no@x>) <a@b>", "a@b"), ("(a (b <no@x>) c) <a@b>", "a@b"), ("(unclosed <a@b>", "a@b"),
        ("< a (c) @ b >", "a@b"), ("<a(b@c>", "a(b@c"), ("<<a@b>>", "a@b"), ("&lt;a@b&gt;", "a@b"), ("Message-ID:<a@b>", "a@b"),
        ("\"<no@x>\" <a@b>", "a@b"), ("\"unclosed <a@b>", "a@b"), ("<a=Aa@b>", "a=Aa@b"), ("<a@b", "a@b"), ("<> <a@b>", "a@b"),
        ("<m\u{fc}ll@b>", "m\u{fc}ll@b"), ("(\\) <no@x>) <a@b>", "a@b"),
    ])
    func firstOfBody(_ body: String, _ id: String) {
        #expect(MessageID(Octets(body))?.octets == Octets(id))
    }

    @Test(arguments: ["", " \r\n", "<>", "< >", "(only a comment)"])
    func none(_ body: String) {
        // A body that is nothing but a comment is no id, yet one whose comment never closes may be.
        #expect(MessageID(Octets(body)) == nil)
    }

    @Test func keyFoldsTheDomainOnly() {
        #expect(MessageID(Octets("<Ab@C.Example>"))?.key == Octets("Ab@c.example"))
        #expect(MessageID(Octets("Ab"))?.key == Octets("Ab"))
        #expect(MessageID(Octets("A@B@C"))?.key == Octets("A@B@c"))
    }

    @Test func longIDsAreCutAlike() {
        let long = Octets(repeating: 0x61, count: 5000)
        #expect(MessageID(long)?.octets.count == MessageID.limit)
        #expect(MessageID([ASCII.less] + long + [ASCII.greater]) == MessageID(long))
    }

    @Test func commentsMayBeAnyLength() {
        let body = Octets(repeating: ASCII.openParenthesis, count: 100_000) + Octets(repeating: ASCII.closeParenthesis, count: 100_000)
        #expect(MessageID(body + Octets("<a@b>"))?.octets == Octets("a@b"))
    }

    @Test func allOfReferences() {
        let ids = MessageID.all(in: Octets("<a@b>\r\n <c@d> (e) <f@g>"))
        #expect(ids.map(\.octets) == [Octets("a@b"), Octets("c@d"), Octets("f@g")])
    }
}

@Suite("RFC 5322 §2.2: header section of outgoing mail") struct SentHeaderReaderTests {
    private func ids(_ chunks: [Octets], limit: Int = 102_400) -> (ids: [String], isComplete: Bool, overflowed: Bool) {
        var reader = SentHeaderReader(limit: limit)
        for chunk in chunks { reader.read(chunk.span) }
        let isComplete = reader.isComplete
        reader.finish()
        return (reader.messageIDs.map { String(decoding: $0.octets, as: UTF8.self) }, isComplete, reader.overflowed)
    }

    @Test(arguments: [
        ("Message-ID: <a@b>\r\n\r\nMessage-ID: <no@x>\r\n", ["a@b"], true),
        ("From: x\r\nMESSAGE-ID:<a@b>\r\n\r\n", ["a@b"], true),
        ("Message-Id :\r\n <a\r\n\t@b>\r\nTo: x\r\n\r\n", ["a@b"], true),
        ("Resent-Message-ID: <r@b>\r\nMessage-ID: <a@b>\r\n\r\n", ["a@b", "r@b"], true),
        ("Message-ID: <a@b>\nMessage-ID: <c@d>\n\n", ["a@b", "c@d"], true),
        ("From joe Mon Jan  1 00:00:00 2001\nMessage-ID: <a@b>\n\n", ["a@b"], true),
        ("Subject: x\r\nno field\r\nMessage-ID: <no@x>\r\n\r\n", [], true),
        ("\r\nMessage-ID: <no@x>\r\n", [], true),
        ("X-Message-ID: <no@x>\r\nSubject: a\r\n Message-ID: <no@x>\r\n\r\n", [], true),
        ("Message-ID: <a@b>", ["a@b"], false), ("Subject: x\r\n", [], false),
        ("Message-ID: <a@b>\r\nMessage-ID: <a@b>\r\n\r\n", ["a@b"], true),
        ("\(String(repeating: "x", count: 40)): y\r\nMessage-ID: a@b\r\n\r\n", ["a@b"], true),
    ])
    func reads(_ text: String, _ expected: [String], _ isComplete: Bool) {
        everyDivision(Octets(text)) { chunks in
            let read = ids(chunks)
            #expect(read.ids == expected && read.isComplete == isComplete && !read.overflowed, "\(chunks.map(\.count))")
        }
    }

    @Test func limitEndsTheReading() {
        let text = Octets("Subject: x\r\nX: \(String(repeating: "y", count: 100))\r\nMessage-ID: <a@b>\r\n\r\n")
        everyDivision(text) { chunks in
            let read = ids(chunks, limit: 60)
            #expect(read.ids.isEmpty && read.isComplete && read.overflowed)
        }
    }
}
