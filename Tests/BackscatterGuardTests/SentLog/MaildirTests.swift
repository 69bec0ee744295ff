import Foundation
import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Reading mailboxes that others use (maildir(5))") struct MaildirTests {
    private final class Box {
        let log: LogFolder
        let path: String

        init() throws {
            log = try LogFolder()
            path = log.folder + "/Sent"
            for name in ["cur", "new", "tmp"] { try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true) }
        }

        func put(_ id: String, as name: String) throws { try log.append("Message-ID: <\(id)@ours.example>\n\ntext\n", to: "Sent/" + name) }
        func move(_ name: String, to other: String) { log.rename("Sent/" + name, to: "Sent/" + other) }

        /// The ids, and what is told of what could not be read; `during` runs after the first mail.
        func read(during: () throws -> Void = {}) throws -> (ids: [String], unread: UnreadMail) {
            var ids: [String] = []
            let unread = try MailFiles.read(path) { (found: [MessageID], _: Int64) in
                ids += found.map { String(String(decoding: $0.octets, as: UTF8.self).prefix { $0 != "@" }) }
                if ids.count == 1 { #expect(throws: Never.self) { try during() } }
            }
            return (ids.sorted(), unread)
        }
    }

    @Test func mailThatMovesMeanwhile() throws {
        let box = try Box()
        try box.put("a", as: "new/1.M1.host")
        try box.put("b", as: "new/2.M1.host")
        try box.put("c", as: "cur/3.M1.host:2,S")
        try box.put("d", as: "cur/4.M1.host:2,")
        let (ids, unread) = try box.read {
            box.move("new/2.M1.host", to: "cur/2.M1.host:2,")
            box.move("cur/3.M1.host:2,S", to: "cur/3.M1.host:2,RS")
            box.move("cur/4.M1.host:2,", to: "cur/4.M1.host:2,T")
            try box.put("e", as: "new/5.M1.host")
        }
        #expect(ids == ["a", "b", "c", "d", "e"] && unread.count == 0)
    }

    @Test func mailThatIsReallyGone() throws {
        let box = try Box()
        for id in ["a", "b", "c"] { try box.put(id, as: "cur/\(id).M1.host:2,S") }
        let (ids, unread) = try box.read(during: { try FileManager.default.removeItem(atPath: box.path + "/cur/b.M1.host:2,S") })
        #expect(ids == ["a", "c"] && unread.lines == ["\(box.path)/cur/b.M1.host:2,S: vanished, and is not there under another name"])
    }

    @Test func namesThatAreNoText() throws {
        let box = try Box()
        try box.put("a", as: "cur/1")
        let odd = (box.path + "/cur/2.M").utf8.map { CChar(bitPattern: $0) } + [-1, 0x3A, 0x32, 0x2C, 0x53, 0]
        #expect(unsafe rename(box.path + "/cur/1", odd) == 0)
        try box.put("b", as: "cur/3")
        let (ids, unread) = try box.read()
        #expect(ids == ["a", "b"] && unread.count == 0)
    }

    /// A FIFO would wait for a writer, for ever.
    @Test(.timeLimit(.minutes(1))) func whatIsNoMail() throws {
        let box = try Box()
        try box.put("a", as: "cur/1")
        try box.put("z", as: "cur/9")
        _ = unsafe mkfifo(box.path + "/cur/2", 0o600)
        _ = unsafe symlink("/nonexistent", box.path + "/cur/3")
        _ = unsafe symlink("2", box.path + "/cur/4")
        _ = unsafe symlink("1", box.path + "/cur/5")
        _ = unsafe symlink("/dev/zero", box.path + "/cur/6")
        try FileManager.default.createDirectory(atPath: box.path + "/cur/7", withIntermediateDirectories: false)
        try box.log.append("Message-ID: <hidden@ours.example>\n\n", to: "Sent/cur/.8")
        let (ids, unread) = try box.read()
        #expect(ids == ["a", "a", "z"])
        #expect(unread.lines == [("2", "no regular file"), ("3", "No such file or directory"), ("4", "no regular file"), ("6", "no regular file"), ("7", "no regular file")]
            .map { "\(box.path)/cur/\($0): \($1)" })
    }

    @Test func compressedMail() throws {
        let box = try Box()
        try box.put("a", as: "cur/1")
        try box.log.compress("Sent/cur/1")
        box.move("cur/1.gz", to: "cur/1:2,SZ")
        try box.put("b", as: "cur/2")
        try box.log.append(String(repeating: "\(UUID())\n", count: 3_000), to: "Sent/cur/2")
        try box.log.compress("Sent/cur/2")
        _ = unsafe truncate(box.path + "/cur/2.gz", 60)
        for (number, start) in ["28B52FFD", "FD377A585A00", "425A6839", "43525950544544 0307"].enumerated() {
            let octets = start.filter { $0 != " " }
            var data = Data()
            for index in stride(from: 0, to: octets.count, by: 2) { data.append(UInt8(octets.dropFirst(index).prefix(2), radix: 16) ?? 0) }
            try data.write(to: URL(filePath: box.path + "/cur/\(number + 3)"))
        }
        let (ids, unread) = try box.read()
        #expect(ids == ["a"] && unread.count == 5 && unread.lines.first == "\(box.path)/cur/2.gz: damaged: it ends in the middle")
        #expect(unread.lines.dropFirst().allSatisfy { $0.hasSuffix("not by gzip: make a plain copy of it") })
    }

    @Test func manyAreCounted() throws {
        let box = try Box()
        for number in 1...8 { _ = unsafe symlink("/nonexistent", box.path + "/cur/\(number)") }
        let unread = try box.read().unread
        #expect(unread.count == 8 && unread.lines.count == 6 && unread.lines.last == "3 files more")
    }

    @Test func importedWithItsGaps() throws {
        let (state, box) = (try StateDirectory(), try Box())
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        try box.put("a", as: "cur/1")
        _ = unsafe mkfifo(box.path + "/cur/2", 0o600)
        let outcome = try LogImporter(log, at: noon) { _ in ReadLog.site() }.read(box.path, as: .auto)
        #expect(outcome.format == .maildir && outcome.counts.mails == 1 && outcome.unread.count == 1)
        var report = try ImportReport(Configuration(), Policy(PolicySettings()), log, at: noon)
        #expect(try report.read(box.path, as: .maildir).last == "  not read: \(box.path)/cur/2: no regular file")
        try box.log.append("Nov 20 03:31:00 mail postfix/pickup[1]: ABCDEF1: uid=0 from=<root>\n")
        _ = try report.read(box.log.path, as: .auto)
        #expect(report.unread == 1)
        #expect(try report.conclude(covers: true, isWhole: false).first == "nothing is stated as complete: not all could be read")
        #expect(try report.conclude(covers: true, isWhole: true).first?.hasPrefix("stated as complete: from ") == true)
    }

    @Test(arguments: [ImportFormat.auto, .mbox]) func anMboxInAnArchive(_ format: ImportFormat) throws {
        let (state, folder) = (try StateDirectory(), try LogFolder())
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        try folder.append("From ann\nMessage-ID: <one@ours.example>\n\ntext\n\nFrom ann\nMessage-ID: <two@ours.example>\n\ntext\n", to: "sent.mbox")
        try folder.compress("sent.mbox")
        let importer = try LogImporter(log, at: noon) { _ in ReadLog.site() }
        let outcome = try importer.read(folder.folder + "/sent.mbox.gz", as: format)
        #expect(outcome.format == .mbox && outcome.counts.mails == 2 && outcome.recorded == 2 && outcome.withoutID == 0)
        #expect(try log.knows("one@ours.example", at: noon) && log.knows("two@ours.example", at: noon))
        try Data([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x0A]).write(to: URL(filePath: folder.folder + "/sent.xz"))
        #expect(throws: SentLogError.unreadable(file: folder.folder + "/sent.xz", reason: "compressed or encrypted, and not by gzip: make a plain copy of it")) {
            try importer.read(folder.folder + "/sent.xz", as: format)
        }
    }

    /// What is guessed from its beginning is read once, so it may come from a pipe.
    @Test func aLogOutOfAPipe() throws {
        let (state, folder) = (try StateDirectory(), try LogFolder())
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        _ = unsafe mkfifo(folder.path, 0o600)
        let line = "Nov 20 03:31:00 mail postfix/qmgr[1]: ABCDEF2: removed\n"
        let text = String(repeating: line, count: 10_000)
            + "Nov 20 03:31:00 mail postfix/pickup[1]: ABCDEF1: uid=0 from=<root>\nNov 20 03:31:00 mail postfix/cleanup[1]: ABCDEF1: message-id=<a@ours.example>\n"
            + "Nov 20 03:31:02 mail postfix/qmgr[1]: ABCDEF1: from=<ann@ours.example>, size=1, nrcpt=1 (queue active)\n"
        let path = folder.path
        let writer = Thread { try? Data(text.utf8).write(to: URL(filePath: path), options: []) }
        writer.start()
        let outcome = try LogImporter(log, at: noon) { _ in ReadLog.site() }.read(path, as: .auto)
        #expect(outcome.format == .postfix && outcome.counts.lines == 10_003 && outcome.recorded == 1)
    }
}
