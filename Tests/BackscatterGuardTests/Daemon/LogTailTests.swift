import Foundation
import Glibc
import Testing
@testable import BackscatterGuard

/// A folder with a log in it.
final class LogFolder {
    let folder: String
    let path: String
    private var now: Int64 = 1_000_000

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "guardd-log-\(UUID().uuidString)").path
        path = folder + "/mail.log"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func append(_ text: String, to name: String = "mail.log") throws {
        let place = folder + "/" + name
        if !FileManager.default.fileExists(atPath: place) { _ = FileManager.default.createFile(atPath: place, contents: nil) }
        let handle = try FileHandle(forWritingTo: URL(filePath: place))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func rename(_ name: String = "mail.log", to other: String) { _ = unsafe Glibc.rename(folder + "/" + name, folder + "/" + other) }

    /// As logrotate's copytruncate.
    func copyAndTruncate(to other: String?) throws {
        if let other { try FileManager.default.copyItem(atPath: path, toPath: folder + "/" + other) }
        _ = unsafe truncate(path, 0)
    }

    func compress(_ name: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = [folder + "/" + name]
        try process.run()
        process.waitUntilExit()
    }

    /// All that is new, as text; `!` for a loss, `?` for a log that can't be read.
    func read(_ tail: LogTail, after milliseconds: Int64 = 0, turns: Int = 100) -> String {
        now += milliseconds
        var text = ""
        for _ in 0..<turns {
            switch tail.next(at: EventLoop.milliseconds() + now) {
            case .lines(let octets, let isKnown): if !isKnown { text += String(decoding: octets, as: UTF8.self) }
            case .lost: text += "!"
            case .end: return text
            case .pending: continue
            case .messages: return text + " not of a file"
            case .unreadable: return text + "?"
            }
        }
        return text + "without end"
    }

    /// A tail that goes on where another was, as after a stop.
    func next(_ tail: LogTail) throws -> LogTail { LogTail(path: path, position: try stop(tail)) }

    /// What a tail leaves behind when it is stopped now.
    func stop(_ tail: LogTail) throws -> LogPosition { try #require(LogPosition(LogPosition(places: tail.places, caughtUp: 0).text)) }
}

@Suite("Following a log through rotations") struct LogTailTests {
    @Test func wholeLinesAsTheyCome() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        #expect(log.read(tail) == "?")
        try log.append("one\ntwo\nthr")
        #expect(log.read(tail) == "one\ntwo\n")
        #expect(log.read(tail) == "")
        try log.append("ee\n")
        #expect(log.read(tail) == "three\n")
        #expect(tail.behind == 0)
    }

    @Test func renamed() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        log.rename(to: "mail.log.1")
        #expect(log.read(tail) == "")
        // The writer has not noticed yet.
        try log.append("two\nhalf", to: "mail.log.1")
        try log.append("three\n")
        #expect(log.read(tail) == "two\nthree\n")
        try log.append(" a line\n", to: "mail.log.1")
        #expect(log.read(tail) == "half a line\n")
        try log.append("last", to: "mail.log.1")
        #expect(log.read(tail) == "")
        #expect(log.read(tail, after: 120_000) == "last\n")
        #expect(tail.places.count == 1)
    }

    @Test(arguments: [true, false]) func copiedAndTruncated(_ growsBeyond: Bool) throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try log.append("two\n")
        try log.copyAndTruncate(to: "mail.log.1")
        try log.append(growsBeyond ? "three, much longer than it was before\n" : "3\n")
        #expect(log.read(tail) == "two\n" + (growsBeyond ? "three, much longer than it was before\n" : "3\n"))
    }

    @Test func truncatedWithoutACopy() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\ntwo\n")
        #expect(log.read(tail) == "one\ntwo\n")
        try log.copyAndTruncate(to: nil)
        try log.append("3\n")
        #expect(log.read(tail).replacing("!", with: "") == "3\n")
        #expect(log.read(tail) == "")
    }

    @Test func goesOnAfterAStop() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\ntwo\n")
        #expect(log.read(tail) == "one\ntwo\n")
        try log.append("three\n")
        let next = try log.next(tail)
        // What was under way is read again, and known to be so.
        #expect(next.next(at: 0) == .lines(Octets("one\ntwo\n"), isKnown: true))
        #expect(log.read(next) == "three\n")
    }

    @Test func renamedWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try log.append("two\n")
        log.rename(to: "mail.log.1")
        try log.append("three\n")
        #expect(log.read(try log.next(tail)) == "two\nthree\n")
    }

    @Test func rotatedTwiceAndCompressedWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        let left = try log.stop(tail)
        try log.append("two\n")
        log.rename(to: "mail.log.2")
        try log.compress("mail.log.2")
        try log.append("three\n", to: "mail.log.1")
        try log.append("four\n")
        #expect(log.read(LogTail(path: log.path, position: left)) == "two\nthree\nfour\n")
    }

    @Test func copiedAndTruncatedWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        try log.append("two\n")
        try log.copyAndTruncate(to: "mail.log-20261122")
        try log.append("three\n")
        #expect(log.read(try log.next(tail)) == "two\nthree\n")
    }

    @Test func goneWhileStopped() throws {
        let log = try LogFolder()
        let tail = LogTail(path: log.path, position: nil)
        try log.append("one\n")
        #expect(log.read(tail) == "one\n")
        let left = try log.stop(tail)
        try FileManager.default.removeItem(atPath: log.path)
        try log.append("two\n")
        #expect(log.read(LogTail(path: log.path, position: left)) == "!two\n")
    }

    @Test func noRegularFile() throws {
        let log = try LogFolder()
        try FileManager.default.createDirectory(atPath: log.path, withIntermediateDirectories: false)
        #expect(log.read(LogTail(path: log.path, position: nil)) == "?")
    }

    @Test(arguments: ["", "guardd log position 1", "guardd log position 1\ntime x", "guardd log position 2\ntime 5\n", "guardd log position 1\ntime 5\n1 2 3\n",
                      "guardd log position 1\ntime 5\n1 2 3 4 5\n", "guardd log position 1\ntime 5\n1 2 3 0 5 2\n", "guardd log position 1\ntime 5\n1 2 -3 0 5\n"])
    func noPosition(_ text: String) { #expect(LogPosition(text) == nil) }
}
