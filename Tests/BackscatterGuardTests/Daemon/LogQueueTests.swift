import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Log lines: nobody waits for standard error") struct LogQueueTests {
    /// The two ends of a pipe, the writing one with room for a page.
    private static func pipe() throws -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [-1, -1]
        try #require(unsafe Glibc.pipe(&ends) == 0)
        _ = fcntl(ends[1], 1031, 4096)                           // F_SETPIPE_SZ
        return (ends[0], ends[1])
    }

    @Sendable private static func droppedLine(_ count: Int) -> Octets { Octets("log: \(count) lines dropped: x\n".utf8) }

    private static func read(_ descriptor: CInt, until isEnough: (String) -> Bool) -> String {
        var text: Octets = []
        var buffer = Octets(repeating: 0, count: 65_536)
        while !isEnough(String(decoding: text, as: UTF8.self)) {
            var query = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&query, 1, 30_000) == 1 else { break }
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    @Test func aStuckReaderStopsNobodyAndIsToldWhatItMissed() throws {
        let (reading, writing) = try Self.pipe()
        let queue = try #require(LogQueue(.descriptor(writing), limit: 10_000, droppedLine: Self.droppedLine))
        #expect(queue.start())
        let line = Octets(repeating: 0x61, count: 99) + [ASCII.lf]
        // Without a thread this would never return.
        for _ in 0..<1_000 { queue.add(line) }
        func count(_ text: String) -> (whole: Int, dropped: Int) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            return (
                lines.filter { $0.count == 99 }.count,
                lines.compactMap { Int($0.wholeMatch(of: /log: (\d+) lines dropped: .*/)?.1 ?? "") }.reduce(0, +)
            )
        }
        let (whole, dropped) = count(Self.read(reading) { count($0).whole + count($0).dropped >= 1_000 })
        #expect(whole + dropped == 1_000 && dropped > 0, "\(whole) + \(dropped)")
        queue.add(line)
        queue.close()
        #expect(Self.read(reading) { $0.contains("\n") } == String(decoding: line, as: UTF8.self))
        _ = (close(reading), close(writing))
    }

    @Test func theEndWaitsForWhatWaitsButNotForEver() throws {
        let (reading, writing) = try Self.pipe()
        let queue = try #require(LogQueue(.descriptor(writing), droppedLine: Self.droppedLine))
        queue.add(Octets("before\n".utf8))
        queue.start()
        for number in 0..<100 { queue.add(Octets("\(number)\n".utf8)) }
        queue.close()
        queue.add(Octets("after\n".utf8))
        let text = Self.read(reading) { $0.contains("after") }
        #expect(text == (["before"] + (0..<100).map(String.init) + ["after"]).joined(separator: "\n") + "\n")
        let stuck = try #require(LogQueue(.descriptor(writing), droppedLine: Self.droppedLine))
        stuck.start()
        stuck.add(Octets(repeating: ASCII.lf, count: 1 << 20))
        stuck.close(within: 50)
        stuck.add([ASCII.lf])                                   // queued behind what is stuck, not written by the caller
        _ = close(reading)                                      // EPIPE lets the thread go
    }

    @Test func withoutAThreadLinesAreWrittenAtOnce() throws {
        let (reading, writing) = try Self.pipe()
        let queue = try #require(LogQueue(.descriptor(writing), droppedLine: Self.droppedLine))
        queue.add(Octets("one\n".utf8))
        #expect(Self.read(reading) { $0.contains("\n") } == "one\n")
        queue.close()
        _ = (close(reading), close(writing))
    }
}
