// What `guardd inspect` says: the JSON's keys and texts, the verdict with and without a log, the page.

import Foundation
import Testing
@testable import BackscatterGuard

@Suite("guardd inspect") struct InspectionTests {
    private struct Object: Decodable {
        var file, kind: String
        var original_message_ids, reference_ids, failed_recipients: [String]
        var original_sender: String?
        var origin_addresses: [String]
        var verdict, reason: String
    }

    /// Knows one id, of example.org, and covers everything.
    private struct Log: Sendable {
        let now: Int64 = 1_800_000_000
        var lookup: @Sendable (Inquiry) -> Findings { { answer($0) } }

        func answer(_ inquiry: Inquiry) -> Findings {
            var findings = Findings(nothingFor: inquiry, .answered)
            findings.ids = inquiry.ids.map { $0.octets == Octets("known@example.org") ? SentRecord(time: now, recipients: 1, reversePath: Octets("ann@example.org")) : nil }
            findings.isCovered = true
            return findings
        }
    }

    private static func bounce(id: String, to recipient: String = "To: ann@example.org") -> String {
        """
        From: MAILER-DAEMON@example.net
        \(recipient)
        Subject: failure notice
        In-Reply-To: <reference@example.org>

        Hi. This is the qmail-send program at example.net.

        <bob@example.net>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.

        Return-Path: <ann@example.org>
        Received: from unknown (HELO x) (198.51.100.66) by example.net with SMTP; 6 Jul 2026 09:59:58 -0000
        From: ann@example.org
        Message-ID: <\(id)>

        Hello

        """
    }

    private func inspection(_ text: String, log: Log? = nil, recipient: String? = nil) -> Inspection {
        Inspector(lookup: log.map(\.lookup), recipient: recipient, now: 1_800_000_000).inspect(Octets(text), file: "a file")
    }

    private func object(_ inspection: Inspection) throws -> Object {
        try JSONDecoder().decode(Object.self, from: Data(inspection.json.utf8))
    }

    @Test(arguments: ["\n", "\r\n"])
    func tellsAllInJSON(_ lineEnd: String) throws {
        let found = inspection(Self.bounce(id: "a.b@example.org").replacingOccurrences(of: "\n", with: lineEnd))
        #expect(found.json == """
            {"file":"a file","kind":"bounce","original_message_ids":["a.b@example.org"],"reference_ids":["reference@example.org"],\
            "failed_recipients":["bob@example.net"],"original_sender":"ann@example.org","origin_addresses":["198.51.100.66"],\
            "verdict":"deliver","reason":"not_covered"}
            """)
        #expect(try object(found).original_message_ids == ["a.b@example.org"])
    }

    @Test(arguments: [
        ("known@example.org", "To: ann@example.org", Verdict.deliver, Reason.sent),
        ("known@example.org", "To: ann@example.com", .deliver, .otherDomain),
        ("known@example.org", "Subject: x", .deliver, .sent),
        ("forged@example.org", "To: ann@example.org", .refuse, .neverSent),
        ("forged@example.org", "Subject: x", .refuse, .neverSent),
        ("forged@example.org", "To: undisclosed-recipients:;", .refuse, .neverSent),
        ("forged@example.org", "To: prvs=1234abcd=ann@example.org", .deliver, .tagged),
        ("forged@example.org", "To: Postmaster@example.org", .deliver, .neverSent),
        ("forged@example.org", "To: ann@[192.0.2.1]", .refuse, .neverSent),
    ])
    func asksTheLog(_ id: String, _ to: String, _ verdict: Verdict, _ reason: Reason) throws {
        let found = inspection(Self.bounce(id: id, to: to), log: Log())
        #expect(found.judgement.verdict == verdict && found.judgement.reason == reason)
        let object = try object(found)
        #expect(object.verdict == verdict.rawValue && object.reason == reason.rawValue)
    }

    @Test(arguments: [
        ("Subject: an ordinary mail\nTo: ann@example.org\n\nHello\n", "other", Reason.notABounce),
        ("From: bob@example.net\nTo: ann@example.org\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nAway.\n", "auto-reply", .notABounce),
        ("From: MAILER-DAEMON@example.net\nTo: ann@example.org\nSubject: failure notice\n\nHi. This is the qmail-send program at x.\n\n<b@example.net>:\nno.\n", "bounce", .undecided),
        ("", "other", .notABounce),
    ])
    func withoutALogItSaysWhatCanBeSaid(_ text: String, _ kind: String, _ reason: Reason) throws {
        let object = try object(inspection(text))
        #expect(object.kind == kind && object.verdict == "deliver" && object.reason == reason.rawValue)
    }

    @Test(arguments: [
        ("To: a@x\nDelivered-To: b@x\nEnvelope-to: c@x\nX-Original-To: d@x\n\nTo: e@x\n", "d@x", "X-Original-To"),
        ("To: a@x\r\nDelivered-To: b@x\r\nEnvelope-to:\r\n c@x\r\n\r\n", "c@x", "Envelope-To"),
        ("To: a@x\nDelivered-To: b@x", "b@x", "Delivered-To"), ("TO:\n\tAnn\n\t<a@x>, b@x\n", "a@x", "To"),
        ("To: a@x\nTo: b@x\n", "a@x", "To"),
    ])
    func findsTheRecipient(_ header: String, _ address: String, _ origin: String) {
        #expect(InspectionRecipient.find(in: Octets(header)) == InspectionRecipient(octets: Octets(address), origin: origin))
    }

    @Test(arguments: ["", "\n\nTo: a@x\n", "Subject: a@x\n\nTo: a@x\n", " To: a@x\n", "To\n", "To: nobody\n"])
    func findsNoRecipientWhereNoneIs(_ header: String) {
        #expect(InspectionRecipient.find(in: Octets(header)) == nil)
    }

    @Test func theFlagWinsOverTheHeader() {
        let found = inspection(Self.bounce(id: "known@example.org"), log: Log(), recipient: "x@example.com")
        #expect(found.judgement.reason == .otherDomain && found.page.contains("x@example.com (--recipient)"))
    }

    @Test(arguments: [
        ("a\"\\\n\r\t\u{1}\u{7F}é", "\"a\\\"\\\\\\n\\r\\t\\u0001\\u007fé\""), ("", "\"\""),
    ])
    func escapesStrings(_ text: String, _ json: String) throws {
        #expect(InspectionJSON.string(text) == json)
        #expect(try JSONDecoder().decode(String.self, from: Data(json.utf8)) == text)
    }

    @Test func invalidOctetsBecomeValid() throws {
        let json = InspectionJSON.string([0x61, 0xFF, 0xC3, 0x28, 0xE9] as Octets)
        #expect(json == "\"a\u{FFFD}\u{FFFD}(\u{FFFD}\"")
        let found = Inspector(lookup: nil, recipient: nil, now: 0).inspect(
            Octets(Self.bounce(id: "x")).flatMap { $0 == 0x78 ? [0x78, 0xFF] : [$0] }, file: "f")
        #expect(try object(found).original_message_ids == ["x\u{FFFD}"])
    }

    @Test func thePageIsForPeople() {
        let page = inspection(Self.bounce(id: "forged@example.org"), log: Log()).page
        #expect(page.hasPrefix("a file\n  kind           bounce\n  original id    <forged@example.org>  not in the sent log\n"))
        #expect(page.contains("  recipient      ann@example.org (To)\n"))
        #expect(page.hasSuffix("  verdict        refuse, never_sent: \(Reason.neverSent.explanation)"))
        #expect(inspection(Self.bounce(id: "\u{E9}")).page.contains("<\\xc3\\xa9>"))
    }

    @Test func thePageSaysWhenNoLogWasAsked() {
        let page = inspection(Self.bounce(id: "a@example.org")).page
        #expect(page.contains("<a@example.org>\n"))
        #expect(page.hasSuffix("deliver, not_covered: whether it was sent is for the sent log to say (--state-dir names one)"))
        let postmaster = inspection(Self.bounce(id: "a@example.org", to: "To: postmaster@example.org"), log: Log()).page
        #expect(postmaster.hasSuffix("(would be refused, but postmaster gets everything)"))
    }

    @Test func readsFiles() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("guardd-inspect-\(UUID()).eml").path
        try Self.bounce(id: "known@example.org").write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let inspector = Inspector(lookup: nil, recipient: nil, now: 0)
        #expect(try inspector.inspect(path).json == inspector.inspect(Octets(Self.bounce(id: "known@example.org")), file: path).json)
        #expect(throws: InspectionError(description: "/nonexistent: No such file or directory")) { try inspector.inspect("/nonexistent") }
        #expect(throws: InspectionError.self) { try inspector.inspect("/") }
    }
}
