@testable import BackscatterGuard
import Foundation
import Testing

@Suite("Names: /etc/hosts and /etc/resolv.conf are read anew") struct NameLookupTests {
    private let folder = URL.temporaryDirectory.appending(path: "guardd-names-\(UUID().uuidString)")
    private let files: NameFiles

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        files = NameFiles(hosts: folder.appending(path: "hosts").path, settings: folder.appending(path: "resolv.conf").path)
        try write("127.0.0.1 localhost\n", to: files.hosts)
        // Nobody is there; the answer is the timeout's.
        try write("nameserver 127.0.0.1:1\noptions timeout:1 attempts:1\n", to: files.settings)
    }

    private func write(_ text: String, to path: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }

    private func withLoop(_ body: (EventLoop, NameLookups) throws -> Void) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let loop = try EventLoop()
        let names = unsafe NameLookups(base: loop.base, files: files)
        try body(loop, names)
        names.close()
        loop.close()
    }

    @Test(arguments: [false, true]) func whenAFileHasChanged(_ settings: Bool) throws {
        try withLoop { _, names in
            let first = try names.lookup(at: 5_000)
            #expect(try names.lookup(at: 100_000) === first)
            try write(settings ? "nameserver 127.0.0.1:2\n" : "127.0.0.2 mail.test\n", to: settings ? files.settings : files.hosts)
            // Once a second is enough.
            #expect(try names.lookup(at: 100_999) === first)
            let second = try names.lookup(at: 101_000)
            #expect(second !== first)
            #expect(try names.lookup(at: 200_000) === second)
            try FileManager.default.removeItem(atPath: settings ? files.settings : files.hosts)
            #expect(try names.lookup(at: 300_000) !== second)
        }
    }

    @Test func atAReload() throws {
        try withLoop { _, names in
            let first = try names.lookup(at: 5_000)
            names.forget()
            #expect(try names.lookup(at: 5_001) !== first)
        }
    }

    @Test func afterAFailureButNotOften() throws {
        try withLoop { _, names in
            let first = try names.lookup(at: 5_000)
            names.failed(first)
            #expect(try names.lookup(at: 14_999) === first)
            let second = try names.lookup(at: 16_000)
            #expect(second !== first)
            names.failed(first)                                 // one that is replaced already
            #expect(try names.lookup(at: 100_000) === second)
        }
    }

    /// The answer to a question that was asked before comes, and then the old one is given back.
    @Test func theOldOneAnswersFirst() throws {
        try withLoop { loop, names in
            let first = try names.lookup(at: 5_000)
            let answers = Answers()
            let context = unsafe Unmanaged.passUnretained(answers).toOpaque()
            unsafe _ = first.ask("nobody.test", 25, answered, context)
            names.forget()
            names.tick()
            names.tick()
            #expect(names.oldCount == 1 && answers.count == 0)
            loop.ticked = { if answers.count > 0 { loop.stop() } }
            loop.run()
            first.ended()
            #expect(answers.count == 1)
            names.tick()
            #expect(names.oldCount == 1)
            names.tick()
            #expect(names.oldCount == 0)
        }
    }

    @Test func libeventWritesNothingByItself() throws {
        let tape = LogTape()
        let lines = LibeventLines(LogWriter(level: .info, tape: tape))
        lines.take(isWarning: true, "Nameserver 127.0.0.2:53 has failed\n\u{1B}[31m", at: 1_000)
        lines.take(isWarning: true, "Nameserver 127.0.0.2:53 has failed\n\u{1B}[31m", at: 1_059)
        #expect(tape.lines.count == 1 && tape.lines[0].hasPrefix("libevent: Nameserver 127.0.0.2:53 has failed") && !tape.lines[0].contains("\u{1B}"))
        lines.take(isWarning: true, "Nameserver 127.0.0.2:53 has failed\n\u{1B}[31m", at: 1_060)
        for number in 0..<100 { lines.take(isWarning: false, "\(number)", at: 1_061) }
        #expect(tape.lines.count == 33)
    }
}

private final class Answers {
    var count = 0
}

private func answered(_: CInt, _ list: UnsafeMutablePointer<addrinfo>?, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<Answers>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.count += 1 }
}
