import Foundation
import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("Sent log: lines that tell what was sent") struct RecordLineTests {
    private static func made(_ id: String, _ from: String = "", _ to: [String] = [], bound: Bool = false) -> RecordLine.Outcome {
        guard let id = MessageID(Octets(id)) else { return .malformed("test") }
        var entry = SentEntry(ids: [id], reversePath: Octets(from), forwardPaths: to.map { Octets($0) })
        entry.isBound = bound
        return .entry(entry)
    }

    @Test(arguments: [
        ("<a@b>", made("a@b")), ("a@b", made("a@b")), ("a@b\r", made("a@b")), ("", .nothing), (" \t ", .nothing),
        ("a@b\tann@example.org", made("a@b", "ann@example.org")), ("a@b\t<ann@example.org>\t", made("a@b", "ann@example.org")),
        ("<a@b>\tann@example.org\tx@y,<z@y>, w@y ,", made("a@b", "ann@example.org", ["x@y", "z@y", "w@y"])),
        ("a@b\t\tx@y", made("a@b", "", ["x@y"])), ("a@b\t<>\tx@y", .nothing),
        ("a@b\tc@d\tx@y\tbound", made("a@b", "c@d", ["x@y"], bound: true)), ("a@b\t<c@d>\t\t bound \r", made("a@b", "c@d", bound: true)),
        ("a@b\tc@d\t\tbound\t", .malformed("more than four fields")), ("a@b\tc@d\tx@y\tBound", .malformed("the fourth field may be \"bound\" only")),
        ("a@b\tc@d\tx@y\t", .malformed("the fourth field may be \"bound\" only")), ("a@b\t<>\t\tbound", .nothing),
        ("a@b\t\tx@y\tbound", .malformed("bound to no address: the second field has none")), ("a@b\tc\t\tbound", .malformed("bound to no address: the second field has none")),
        ("\tann@example.org", .malformed("no Message-ID in the first field")),
        ("a@b\tann\u{0}", .malformed("control characters")),
    ] as [(String, RecordLine.Outcome)])
    func line(_ line: String, _ expected: RecordLine.Outcome) {
        #expect(RecordLine.read(Octets(line)) == expected)
    }
}

@Suite("Sent log: ids out of mail files (RFC 4155)") struct MailFileScannerTests {
    @Test(arguments: [
        ("", []),
        ("Message-ID: <a@b>\n\nbody\nFrom me\n\nFrom me\nMessage-ID: <x@b>\n", [["a@b"]]),
        ("Subject: none\n\nMessage-ID: <a@b>\n", [[]]),
        ("From a@b Sun Nov 22\nMessage-ID: <a@b>\n\nbody\n\nFrom x\nMessage-ID: <b@b>\n\nbody\n", [["a@b"], ["b@b"]]),
        ("From a@b\r\nMessage-ID: <a@b>\r\n\r\nbody\r\n\r\nFrom x\r\nmessage-id:\r\n <b@b>\r\n\r\n", [["a@b"], ["b@b"]]),
        ("From a\nMessage-ID: <a@b>\n\nFrom x\nMessage-ID: <b@b>\n", [["a@b"], ["b@b"]]),
        ("From a\nMessage-ID: <a@b>\n\nbody\nFrom x\nMessage-ID: <b@b>\n\n>From y\n\nFro", [["a@b"]]),
        ("From a\nSubject: x\n\nFro\n\n\n\nFrom b\nMessage-ID: <b@b>\n", [[], ["b@b"]]),
        ("From a\nMessage-ID: <a@b>", [["a@b"]]), ("From ", [[]]), ("From", [[]]), ("Fro: x\nMessage-ID: <a@b>\n", [["a@b"]]),
        ("From: ann\nMessage-ID: <a@b>\n\n", [["a@b"]]), ("\nFrom a\nMessage-ID: <a@b>\n", [[]]),
        ("From a\nMessage-ID: <a@b>\nResent-Message-ID: <r@b>\n\n", [["a@b", "r@b"]]),
    ] as [(String, [[String]])])
    func mails(_ text: String, _ expected: [[String]]) {
        everyDivision(Octets(text)) { chunks in
            var scanner = MailFileScanner()
            var found: [[MessageID]] = []
            for chunk in chunks { scanner.read(chunk.span) { found.append($0) } }
            scanner.finish { found.append($0) }
            #expect(found.map { $0.map { String(decoding: $0.octets, as: UTF8.self) } } == expected, "\(chunks.map(\.count))")
        }
    }
}

@Suite("Sent log: guardd record and guardd sent") struct SentRecorderTests {
    private func recorder(_ log: LMDBSentLog, _ complaints: Complaints) -> SentRecorder {
        SentRecorder(log, at: noon, complain: { complaints.take($0) }, acknowledge: { complaints.acknowledge($0) })
    }

    private final class Complaints: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        private let acknowledged = Mutex<[Int]>([])
        var acknowledgements: [Int] { acknowledged.withLock { $0 } }
        func acknowledge(_ count: Int) { acknowledged.withLock { $0.append(count) } }
        func take(_ text: String) { kept.withLock { $0.append(text) } }
    }

    @Test func arguments() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try state.write(Octets("Message-ID: <eml@b>\r\n\r\n"), to: "one.eml")
        try state.write(Octets("From a\nMessage-ID: <m1@b>\n\n\nFrom a\nSubject: no id\n\n\nFrom a\nMessage-ID: <m2@b>\n"), to: "mbox")
        for folder in ["cur", "new", "tmp"] {
            try FileManager.default.createDirectory(atPath: state.file("Sent/\(folder)"), withIntermediateDirectories: true)
            try state.write(Octets("Message-ID: <\(folder)@b>\n\n"), to: "Sent/\(folder)/1795348800.M1P1.host")
        }
        try state.write(Octets("Message-ID: <hidden@b>\n\n"), to: "Sent/cur/.hidden")
        let complaints = Complaints()
        var recorder = recorder(log, complaints)
        let like = try entry(to: ["x@y", "z@y"])
        for argument in ["<arg1@b>", "arg2@b", "<noat>", state.file("one.eml"), state.file("mbox"), state.file("Sent"), "noid", state.path, "/no/such@file"] {
            try recorder.record(argument: argument, like: like)
        }
        #expect(try !log.knows("arg1@b", at: noon))
        try recorder.flush()
        #expect(recorder.recorded == 9 && recorder.refused == 3 && complaints.acknowledgements == [9])
        #expect(complaints.all == [
            "\(state.file("mbox")): 1 mails without Message-ID", "noid: neither a Message-ID nor a file",
            "\(state.path): a directory without cur and new is no Maildir; name the Maildirs or files in it",
        ])
        for name in ["arg1@b", "arg2@b", "noat", "eml@b", "m1@b", "m2@b", "cur@b", "new@b", "/no/such@file"] {
            #expect(try log.knows(name, at: noon), "\(name)")
        }
        #expect(try !log.knows("tmp@b", at: noon) && !log.knows("hidden@b", at: noon))
        let record = try #require(try log.lookup(try id("eml@b"), at: noon))
        #expect(record.recipients == 2 && record.wasSent(fromAddress: Octets("ann@example.org")))
    }

    @Test func linesArriveBeforeTheInputEnds() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        let pipe = Pipe()
        let long = String(repeating: "x", count: RecordLine.limit + 70_000)
        let text = "<a@b>\tann@example.org\tbob@x.example\n\nbad\tb\tc\td\n\(long)\n<z@b>\r\n" + (0..<2500).map { "\($0)@n\n" }.joined() + "last@b"
        let complaints = Complaints()
        let writer = Thread {
            try? pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
            try? pipe.fileHandleForWriting.close()
        }
        writer.start()
        var recorder = recorder(log, complaints)
        try recorder.record(linesFrom: pipe.fileHandleForReading.fileDescriptor)
        #expect(recorder.recorded == 2503 && recorder.refused == 2)
        #expect(complaints.all == ["line 3: the fourth field may be \"bound\" only", "line 4: longer than \(RecordLine.limit) octets"])
        for name in ["a@b", "z@b", "0@n", "2499@n", "last@b"] { #expect(try log.knows(name, at: noon), "\(name)") }
        #expect(log.answer(Inquiry(recipients: [Octets("ann@example.org")], failedRecipients: [Octets("bob@x.example")]), at: noon).knownPairs == [true])
    }

    @Test func anUnreadableInputIsAnError() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        var recorder = recorder(log, Complaints())
        #expect(throws: SentLogError.cannotOpen(file: "standard input", reason: "Bad file descriptor")) {
            try recorder.record(linesFrom: -1)
        }
        try recorder.record(argument: "a@b", like: SentEntry(ids: []))
        log.close()
        #expect(throws: SentLogError.closed) { try recorder.flush() }
        #expect(recorder.recorded == 0)
    }

    @Test func reports() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        #expect(SentReport.coverage(try log.statistics(at: noon), at: noon).first?.contains("never") == true)
        try log.recordNow(try entry("a@b", "b@b"), at: noon)
        try log.startCovering(at: noon)
        let text = SentReport.statistics(try log.statistics(at: noon), at: noon)
        #expect(text.contains("2026-11-19          2          1\ntotal               2          1\n"))
        #expect(text.contains("complete: from 2026-11-22T12:00:00Z to now\ncovered: no, from 2026-12-02T12:00:00Z on"))
        try log.cover(since: noon - 11 * Day.seconds, at: noon)
        #expect(SentReport.coverage(try log.statistics(at: noon), at: noon).last?.hasPrefix("covered: yes") == true)
        try log.openHole(at: noon + 5)
        let hole = SentReport.coverage(try log.statistics(at: noon + 9), at: noon + 9)
        #expect(hole.contains("hole: mail has been leaving unrecorded since 2026-11-22T12:00:05Z") && hole.last?.hasPrefix("covered: no, the last 10 days") == true)
        try log.keepAndWait(at: noon + 9 * Day.seconds)
        #expect(SentReport.statistics(try log.statistics(at: noon + 9 * Day.seconds), at: noon + 9 * Day.seconds).contains("expiry: stopped until 2026-12-02T12:00:00Z"))
        let known = try id("a@b"), unknown = try id("x\u{1b}y@b")
        let record = try log.lookup(known, at: noon)
        #expect(SentReport.lookup(known, record) == "<a@b>: sent, last 2026-11-22T12:00:00Z, recipients 1")
        #expect(SentReport.lookup(known, record, sender: "example.org").hasSuffix(", from example.org"))
        #expect(SentReport.lookup(known, record, sender: "ann@example.net").hasSuffix(", not from ann@example.net"))
        #expect(SentReport.lookup(unknown, nil).hasSuffix(": not in the sent log"))
    }

    @Test func commandsGoByTheTimesOfTheDaemon() throws {
        let state = try StateDirectory()
        var settings = SentLogSettings(stateDirectory: state.path, bounceWindow: 20 * Day.seconds, retention: 40 * Day.seconds)
        try LMDBSentLog(settings, at: noon).close()
        settings = state.settings
        settings.setsTimes = false
        let command = try LMDBSentLog(settings, at: noon)
        let statistics = try command.statistics(at: noon)
        #expect(statistics.retention == 40 * Day.seconds && statistics.bounceWindow == 20 * Day.seconds)
        command.close()
        try LMDBSentLog(state.settings, at: noon).close()
        let again = try LMDBSentLog(settings, at: noon)
        #expect(try again.statistics(at: noon).retention == 21 * Day.seconds)
    }
}
