import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Importing past days") struct LogImporterTests {
    private static let postfix = "Nov 20 03:31:00 mail postfix/pickup[1]: ABCDEF1: uid=0 from=<root>\nNov 20 03:31:00 mail postfix/cleanup[1]: ABCDEF1: message-id=<a@ours.example>\n"
        + "Nov 20 03:31:02 mail postfix/qmgr[1]: ABCDEF1: from=<ann@ours.example>, size=1, nrcpt=1 (queue active)\n"

    private func importing(_ body: (LMDBSentLog, LogImporter, LogFolder) throws -> Void) throws {
        let (state, folder) = (try StateDirectory(), try LogFolder())
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        try body(log, try LogImporter(log, at: noon) { _ in ReadLog.site() }, folder)
    }

    @Test(arguments: [false, true]) func aLogPlainOrCompressed(_ isCompressed: Bool) throws {
        try importing { log, importer, folder in
            try folder.append(Self.postfix, to: "old.log")
            if isCompressed { try folder.compress("old.log") }
            let outcome = try importer.read(folder.folder + (isCompressed ? "/old.log.gz" : "/old.log"), as: .auto)
            #expect(outcome.format == .postfix && outcome.recorded == 1 && outcome.counts.lines == 3 && outcome.expired == 0)
            #expect(outcome.last.map { $0 - (outcome.first ?? 0) } == 2)
            let record = try #require(try log.lookup(id("a@ours.example"), at: noon))
            // Local time, whatever the zone: within a day.
            #expect(abs(record.time - (noon - 2 * 86_400 - 8 * 3600 - 29 * 60)) < 86_400)
        }
    }

    /// Nobody may state that it tells of all mail.
    @Test(arguments: ["{}\n", "Nov 20 03:31:00 mail sm-mta[1]: text\n", "\(String(repeating: "{}\n", count: 100))\(postfix)", "\(postfix)\(String(repeating: "{postfix}\n", count: 10))"])
    func aLogThatIsNotUnderstood(_ text: String) throws {
        try importing { log, importer, folder in
            try folder.append(text, to: "old.log")
            #expect(throws: SentLogError.self) { try importer.read(folder.folder + "/old.log", as: .postfix) }
            #expect(try log.knows("a@ours.example", at: noon) == text.contains("ABCDEF1"))
        }
    }

    @Test func whatIsTooOldIsPassedOver() throws {
        try importing { log, importer, folder in
            try folder.append(Self.postfix.replacing("Nov 20", with: "Oct 20"), to: "old.log")
            let outcome = try importer.read(folder.folder + "/old.log", as: .postfix)
            #expect(outcome.recorded == 0 && outcome.expired == 1)
            #expect(try !log.knows("a@ours.example", at: noon))
        }
    }

    @Test(arguments: [
        ("2026-11-20 03:32:32 1xUyJc-0005wW-1W <= ann@ours.example U=ann P=local S=385 id=a@ours.example for y@y.example\n", ImportFormat.exim),
        ("2026-11-20 03:32:30 exim 4.96 daemon started: pid=22732\n2026-11-20 03:32:32 1xUyJc-0005wW-1W <= ann@ours.example U=ann P=local S=385 id=a@ours.example\n", .exim),
        ("<22>Nov 20 03:35:02 sm-mta[36]: 6AM3Z2fb003652: from=ann@ours.example, size=3, class=0, nrcpts=1, msgid=<a@ours.example>, relay=ann@localhost\n", .sendmail),
        ("garbage\n\n\(postfix)", .postfix),
        ("From ann@ours.example Fri Nov 20 03:35:02 2026\nMessage-ID: <a@ours.example>\n\nText\n", .mbox),
        ("Subject: x\nMessage-ID: <a@ours.example>\n\nText\n", .mbox),
    ]) func guesses(_ text: String, _ format: ImportFormat) throws {
        try importing { log, importer, folder in
            try folder.append(text)
            let outcome = try importer.read(folder.path, as: .auto)
            #expect(outcome.format == format && outcome.recorded == 1)
            #expect(try log.knows("a@ours.example", at: noon))
        }
    }

    @Test func mailboxesCarryTheirOwnTime() throws {
        try importing { log, importer, folder in
            try FileManager.default.createDirectory(atPath: folder.folder + "/Sent/cur", withIntermediateDirectories: true)
            try folder.append("Message-ID: <new@ours.example>\n\n", to: "Sent/cur/1")
            try folder.append("Message-ID: <old@ours.example>\n\n", to: "Sent/cur/2")
            try folder.append("Subject: none\n\n", to: "Sent/cur/3")
            for (name, age) in [("1", 86_400.0), ("2", 40 * 86_400.0)] {
                let date = Date(timeIntervalSince1970: Double(noon) - age)
                try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: folder.folder + "/Sent/cur/" + name)
            }
            let outcome = try importer.read(folder.folder + "/Sent", as: .auto)
            #expect(outcome.format == .maildir && outcome.recorded == 1 && outcome.expired == 1 && outcome.withoutID == 1)
            #expect(try log.lookup(id("new@ours.example"), at: noon)?.time == noon - 86_400)
        }
    }

    @Test(arguments: ["", "nothing to see\n", "\0\u{1}\n"]) func whatIsNothing(_ text: String) throws {
        try importing { _, importer, folder in
            try folder.append(text)
            let error = #expect(throws: SentLogError.self) { try importer.read(folder.path, as: .auto) }
            guard case .unreadable = error else {
                Issue.record("not told as a matter of the file: \(String(describing: error))")
                return
            }
        }
    }

    @Test func damagedAndMissing() throws {
        try importing { _, importer, folder in
            try folder.append(String(repeating: Self.postfix, count: 5_000), to: "old.log")
            try folder.compress("old.log")
            let whole = try Data(contentsOf: URL(filePath: folder.folder + "/old.log.gz"))
            try whole.prefix(whole.count / 2).write(to: URL(filePath: folder.folder + "/half.gz"))
            #expect(throws: SentLogError.self) { try importer.read(folder.folder + "/half.gz", as: .postfix) }
            #expect(throws: SentLogError.self) { try importer.read(folder.folder + "/none", as: .auto) }
        }
    }

    @Test func completeOverAPast() {
        var coverage = Coverage()
        coverage.start(at: 1_000)
        coverage.complete(from: 100, to: 900)
        #expect(!coverage.isComplete(from: 100, to: 2_000) && coverage.isComplete(from: 100, to: 899))
        coverage.complete(from: 890, to: 1_001)
        #expect(coverage.isComplete(from: 100, to: 2_000))
        coverage.openHole(at: 3_000)
        coverage.complete(from: 2_900, to: 4_000)
        #expect(!coverage.isComplete(from: 2_950, to: 3_500))
    }
}
