import Foundation
import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Rotated logs: what is still written, what was compressed, what nobody saw") struct LogRotationTests {
    private func following(_ body: (LogFolder, LogTail) throws -> Void) throws {
        let log = try LogFolder()
        try log.append("one\n")
        let tail = LogTail(path: log.path, position: nil)
        #expect(log.read(tail) == "one\n")
        try body(log, tail)
    }

    // MARK: Copied, cut off, compressed

    @Test(arguments: ["", "3\n", "three, much longer than all that was there before\n"]) func copyThatWasCompressed(_ new: String) throws {
        try following { log, tail in
            try log.append("two\nhalf")
            try log.copyAndTruncate(to: "mail.log.1")
            try log.compress("mail.log.1")
            try log.append(new)
            #expect(log.read(tail) == "two\nhalf\n" + new)
            #expect(tail.places.count == 1)
        }
    }

    @Test func nothingUnreadInTheCopy() throws {
        try following { log, tail in
            for turn in 1...3 {
                try log.copyAndTruncate(to: "mail.log-\(turn)")
                try log.compress("mail.log-\(turn)")
                try log.append("turn \(turn)\n")
                #expect(log.read(tail) == "turn \(turn)\n")
            }
        }
    }

    @Test func aLargeCopyIsReachedInSlices() throws {
        try following { log, tail in
            let line = String(repeating: "x", count: 99) + "\n"
            let much = String(repeating: line, count: 700_000)
            try log.append(much)
            #expect(log.read(tail, turns: 1_000).utf8.count == much.utf8.count)
            try log.append("last\n")
            try log.copyAndTruncate(to: "mail.log.1")
            try log.compress("mail.log.1")
            try log.append("new\n")
            #expect(tail.next(at: 0) == .pending)
            #expect(tail.places.first?.offset == much.utf8.count + 4)
            #expect(log.read(tail) == "last\nnew\n")
        }
    }

    @Test func cutOffWhileNobodyLookedTwice() throws {
        try following { log, tail in
            try log.append("two\n")
            try log.copyAndTruncate(to: "mail.log.2")
            try log.compress("mail.log.2")
            try log.append("three\n")
            try log.copyAndTruncate(to: "mail.log.1")
            try log.compress("mail.log.1")
            try log.append("four\n")
            #expect(log.read(tail) == "two\nthree\nfour\n")
        }
    }

    @Test(arguments: [false, true]) func archivesOfOtherFilesAreNoCopy(_ isDamaged: Bool) throws {
        try following { log, tail in
            try log.append("eno\n", to: "mail.log.1")
            try log.compress("mail.log.1")
            if isDamaged { _ = unsafe truncate(log.folder + "/mail.log.1.gz", 12) }
            try log.copyAndTruncate(to: nil)
            try log.append("2\n")
            #expect(log.read(tail) == "!2\n")
        }
    }

    @Test func aDamagedArchiveIsALoss() throws {
        try following { log, tail in
            var text = ""
            for number in 0..<20_000 { text += "\(number) \(number &* 2_654_435_761)\n" }
            try log.append(text)
            try log.copyAndTruncate(to: "mail.log.1")
            try log.compress("mail.log.1")
            _ = unsafe truncate(log.folder + "/mail.log.1.gz", 50_000)
            try log.append("new\n")
            let read = log.read(tail)
            #expect(read.hasPrefix("0 0\n1 2654435761\n") && read.hasSuffix("!new\n"), "\(read.prefix(40)) … \(read.suffix(40))")
        }
    }

    // MARK: Renamed, and still written

    @Test func theOldFileIsReadUntilTheNewOneShowsALine() throws {
        try following { log, tail in
            log.rename(to: "mail.log.1")
            try log.append("")
            #expect(log.read(tail) == "")
            for _ in 0..<3 {
                try log.append("late\n", to: "mail.log.1")
                #expect(log.read(tail, after: 7_200_000) == "late\n")
            }
            try log.append("new\n")
            #expect(log.read(tail, after: 7_200_000) == "new\n")
            try log.append("a little later\n", to: "mail.log.1")
            #expect(log.read(tail, after: 50_000) == "a little later\n")
            #expect(tail.places.count == 2)
            #expect(log.read(tail, after: 70_000) == "")
            // No new start looks for it; it is still read.
            #expect(tail.places.count == 1 && tail.files.count == 2)
            try log.append("after all\n", to: "mail.log.1")
            #expect(log.read(tail, after: 7_200_000) == "after all\n")
            #expect(tail.places.count == 2)
        }
    }

    @Test func anOldFileThatWasDeleted() throws {
        try following { log, tail in
            let writer = try FileHandle(forWritingTo: URL(filePath: log.path))
            try writer.seekToEnd()
            try FileManager.default.removeItem(atPath: log.path)
            try log.append("")
            #expect(log.read(tail) == "")
            try writer.write(contentsOf: Data("late\n".utf8))
            #expect(log.read(tail, after: 7_200_000) == "late\n")
            try log.append("new\n")
            #expect(log.read(tail, after: 7_200_000) == "new\n")
            try writer.write(contentsOf: Data("later\n".utf8))
            #expect(log.read(tail, after: 50_000) == "later\n")
            // Held on, it would keep its room on the disk.
            #expect(log.read(tail, after: 70_000) == "")
            #expect(tail.files.count == 1)
        }
    }

    @Test func goesOnInAnOldFile() throws {
        try following { log, tail in
            log.rename(to: "mail.log.1")
            try log.append("")
            #expect(log.read(tail, after: 120_000) == "")
            let next = try log.next(tail)
            #expect(log.read(next) == "")
            try log.append("late\n", to: "mail.log.1")
            #expect(log.read(next, after: 120_000) == "late\n")
            try log.append("later\n", to: "mail.log.1")
            log.rename("mail.log.1", to: "mail.log.2")
            log.rename(to: "mail.log.1")
            try log.append("new\n")
            #expect(log.read(try log.next(next)) == "later\nnew\n")
        }
    }

    @Test func aDeletedFileIsNotFoundAgain() throws {
        try following { log, tail in
            log.rename(to: "mail.log.1")
            try log.append("")
            #expect(log.read(tail) == "")
            try log.compress("mail.log.1")
            // Its writer has it open, and what is written after the stop can't be read.
            #expect(tail.places.map(\.isNameless) == [true, false])
            #expect(log.read(try log.next(tail)) == "!")
            try log.append("new\n")
            #expect(log.read(tail) == "new\n")
            #expect(tail.places.map(\.isNameless) == [false, false])
            try log.append("two\n")
            #expect(log.read(try log.next(tail)) == "two\n")
        }
    }

    @Test(arguments: [true, false]) func manyRotationsBeforeTheWriterIsTold(_ isWritten: Bool) throws {
        try following { log, tail in
            var names = ["mail.log.a"]
            log.rename(to: "mail.log.a")
            var lost = false
            for turn in 0..<20 {
                try log.append("")
                if isWritten { try log.append("turn \(turn)\n", to: "mail.log.a") }
                let read = log.read(tail, after: 90_000)
                #expect(read == (isWritten ? "turn \(turn)\n" : "") || !isWritten && read == "!")
                lost = lost || read == "!"
                names.append("mail.log.\(turn)")
                log.rename(to: "mail.log.\(turn)")
            }
            #expect(tail.files.count <= LogTail.filesKept && lost == !isWritten)
            try log.append("new\n")
            #expect(log.read(tail, after: 90_000) == "new\n")
        }
    }

    // MARK: Rotated while nobody looked

    @Test(arguments: [false, true]) func renamedTwice(_ isCompressed: Bool) throws {
        try following { log, tail in
            try log.append("two\n")
            log.rename(to: "mail.log.2")
            try log.append("three\n")
            log.rename(to: "mail.log.1")
            if isCompressed { try log.compress("mail.log.1") }
            try log.append("four\n")
            #expect(log.read(tail) == "two\nthree\nfour\n")
        }
    }

    @Test func rotatedOftenAndCompressedWhileStopped() throws {
        try following { log, tail in
            let left = try log.stop(tail)
            try log.append("two\n")
            log.rename(to: "mail.log.4")
            for (name, text) in [("4", ""), ("3", "three\n"), ("2", "four\n"), ("1", "five\n")] {
                if !text.isEmpty { try log.append(text, to: "mail.log.\(name)") }
                if name != "1" { try log.compress("mail.log.\(name)") }
            }
            try log.append("six\n")
            let next = LogTail(path: log.path, position: left)
            #expect(log.read(next) == "two\nthree\nfour\nfive\nsix\n")
            #expect(log.read(try log.next(next)) == "")
        }
    }

    @Test func stoppedInAnArchive() throws {
        try following { log, tail in
            let left = try log.stop(tail)
            try log.append("two\n")
            log.rename(to: "mail.log.2")
            try log.append("three\n", to: "mail.log.1")
            try log.compress("mail.log.2")
            try log.compress("mail.log.1")
            try log.append("four\n")
            let next = LogTail(path: log.path, position: left)
            #expect(next.next(at: 0) == .lines(Octets("one\n"), isKnown: true))
            #expect(next.next(at: 0) == .lines(Octets("two\n"), isKnown: false))
            #expect(log.read(try log.next(next)) == "three\nfour\n")
        }
    }

    @Test func bothFilesOfARotationWereCompressed() throws {
        try following { log, tail in
            log.rename(to: "mail.log.2")
            try log.append("new\n")
            #expect(log.read(tail) == "new\n")
            let left = try log.stop(tail)
            try log.append("late\n", to: "mail.log.2")
            try log.append("two\n")
            log.rename(to: "mail.log.1")
            try log.compress("mail.log.2")
            try log.compress("mail.log.1")
            try log.append("three\n")
            #expect(log.read(LogTail(path: log.path, position: left)) == "late\ntwo\nthree\n")
        }
    }

    @Test func anOldFileThatIsGoneIsALoss() throws {
        try following { log, tail in
            log.rename(to: "mail.log.1")
            try log.append("new\n")
            #expect(log.read(tail) == "new\n")
            let left = try log.stop(tail)
            try FileManager.default.removeItem(atPath: log.folder + "/mail.log.1")
            try log.append("two\n")
            #expect(log.read(LogTail(path: log.path, position: left)) == "!two\n")
        }
    }

    @Test(arguments: [false, true]) func aFileThatWasEmptyAtTheStop(_ isThere: Bool) throws {
        try following { log, tail in
            log.rename(to: "mail.log.2")
            try log.append("")
            #expect(log.read(tail) == "")
            let left = try log.stop(tail)
            try log.append("new\n")
            log.rename(to: "mail.log.1")
            try log.compress("mail.log.1")
            if !isThere { try FileManager.default.removeItem(atPath: log.folder + "/mail.log.1.gz") }
            #expect(log.read(LogTail(path: log.path, position: left)).replacing("?", with: "") == (isThere ? "new\n" : "!"))
        }
    }
}
