import Foundation
import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Log lines: priorities, JSON, syslog, folding") struct LogWriterTests {
    private static func summary(_ judgement: Judgement?, to: String = "ann@example.org", client: String = "192.0.2.7", reply: String? = "550 5.7.1 no") -> SessionEvent {
        .transaction(TransactionSummary(
            session: 1, client: PeerAddress(client, port: 25) ?? .unixSocket, reversePath: [], forwardPaths: [Octets(to.utf8)], recipientCount: 2,
            isOutgoing: false, hasContent: true, size: 7, judgement: judgement, evidence: nil, reply: reply.map { Octets($0.utf8) }))
    }

    private static let refused = Judgement(verdict: .refuse, reason: .neverSent)

    /// What a worker writes, all within the interval, and what is told after it.
    private func told(_ events: [SessionEvent], limit: Int = 10, format: Configuration.LogFormat = .text) throws -> [String] {
        let tape = LogTape()
        let writer = LogWriter(.init(level: .info, format: format, repeatLimit: limit), tape: tape)
        let loop = try EventLoop()
        defer { loop.close() }
        let gatherer = LogGatherer(writer, loop: loop)
        for event in events { gatherer.write(event) }
        gatherer.flush()
        writer.tellRepeats(at: EventLoop.seconds(), isLast: true)
        return tape.lines
    }

    // MARK: Folding

    @Test func aFloodOfTheSameRefusalIsFolded() throws {
        let lines = try told((0..<1_000).map { Self.summary(Self.refused, client: "192.0.2.\($0 % 50)") })
        #expect(lines.count == 11)
        #expect(lines.first == "S00000001 refuse: verdict=refuse reason=never_sent client=192.0.2.0 from=<> to=<ann@example.org> nrcpt=2 size=7 reply=\"550 5.7.1 no\"")
        let last = try #require(lines.last)
        #expect(last.wholeMatch(of: /repeated: count=990 clients=50 nrcpt=1980 since=\S+Z refuse: reason=never_sent to=<ann@example.org>/) != nil, "\(last)")
    }

    @Test func anotherVictimOrReasonIsAnotherKind() throws {
        let events = ["a@x", "b@x"].flatMap { to in (0..<12).map { _ in Self.summary(Self.refused, to: to) } }
            + (0..<12).map { _ in Self.summary(Judgement(verdict: .defer, reason: .logSilent), to: "a@x") }
        #expect(try told(events).count == 33)
    }

    /// R24: what was delivered has its queue id in its line, and what was only relayed too.
    @Test func whatIsDeliveredAlwaysHasItsLine() throws {
        let delivered = Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true)
        let events = (0..<300).flatMap { _ in [Self.summary(delivered, reply: "250 2.0.0 Ok: queued as A"), Self.summary(nil, reply: "250 2.0.0 Ok: queued as B"), Self.summary(nil, reply: "554 5.7.1 upstream's own")] }
        #expect(try told(events).count == 900)
    }

    @Test func withoutALimitAllHaveTheirLine() throws {
        #expect(try told((0..<1_000).map { _ in Self.summary(Self.refused) }, limit: 0).count == 1_000)
    }

    @Test func faultsOfClientsAndUpstreamAreFolded() throws {
        let client = try #require(PeerAddress("192.0.2.9", port: 25))
        let faults: [SessionEvent] = [
            .identityRefused(session: 1), .unlistedClient(session: 1, client: client), .upstreamGarbled(session: 1), .upstreamUnavailable(session: 1, reason: ["a"]),
            .upstreamTimedOut(session: 1), .clientTimedOut(session: 1), .clientHandshakeFailed(session: 1, client: client, reason: "r"),
            .upstreamHandshakeFailed(session: 1, reason: "r", goesOnInClear: true), .unrecorded(session: 1, passes: false), .milterClosed(session: 1, reason: .order),
            Self.summary(nil, reply: nil),
        ]
        for fault in faults {
            let lines = try told(Array(repeating: fault, count: 100))
            #expect(lines.count == 11 && lines.last?.hasPrefix("repeated: count=90 ") == true, "\(lines.last ?? "")")
        }
        #expect(try told(faults.flatMap { Array(repeating: $0, count: 10) }).count == 110)
    }

    /// A flood from everywhere, each client a kind of its own: bounded too, and every one counts.
    @Test func aFloodOfDifferentClientsIsBounded() throws {
        let events = try (0..<5_000).map { number -> SessionEvent in
            let client = try #require(PeerAddress("10.0.\(number / 250).\(number % 250)", port: 25))
            return .clientHandshakeFailed(session: 1, client: client, reason: "r")
        }
        let lines = try told(events)
        let repeated = lines.filter { $0.hasPrefix("repeated: ") }
        let counts = repeated.compactMap { $0.firstMatch(of: /count=(\d+)/).flatMap { Int($0.1) } }
        #expect(lines.count - repeated.count == 200 && repeated.count <= 257 && counts.reduce(0, +) == 4_800)
    }

    // MARK: Forms

    @Test func jsonLinesParse() throws {
        let hostile = Octets("\"}\n{\\".utf8) + (0...255).map { UInt8($0) }
        var summary = TransactionSummary(
            session: 0x2A, client: PeerAddress("2001:db8::7", port: 25) ?? .unixSocket, tls: TLSSummary(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384"),
            reversePath: hostile, forwardPaths: [hostile], recipientCount: 1, isOutgoing: false, hasContent: true, size: 7,
            judgement: Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true, decidingID: MessageID(scanned: hostile)), evidence: Evidence(),
            queueID: hostile, reply: hostile)
        summary.evidence?.kind = .bounce
        let line = try #require(try told([.transaction(summary)], format: .json).first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(line.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
        #expect(object.keys.sorted() == ["cipher", "client", "event", "from", "kind", "msgid", "nrcpt", "queue_id", "reason", "reply", "session", "severity", "size", "time", "tls", "to", "verdict", "would"])
        #expect(object["event"] as? String == "deliver" && object["session"] as? String == "S0000002a" && object["severity"] as? String == "info")
        #expect(object["from"] as? String == ASCII.washed(hostile) && object["to"] as? [String] == [ASCII.washed(hostile)])
    }

    @Test func jsonOfOtherLines() throws {
        let client = try #require(PeerAddress("192.0.2.9", port: 25))
        let lines = try told([.upstreamTimedOut(session: 1), .clientHandshakeFailed(session: 2, client: client, reason: "a\"\u{1}b")], format: .json)
        let objects = try lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String]) }
        #expect(objects.map { $0["event"] } == ["upstream", "client"] && objects.map { $0["session"] } == ["S00000001", "S00000002"])
        #expect(objects.map { $0["text"] } == ["timed out", "TLS handshake failed: client=192.0.2.9 reason=\"a\"\\x01b\""])
        let repeated = try #require(try told(Array(repeating: .upstreamTimedOut(session: 1), count: 12), format: .json).last)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(repeated.utf8)) as? [String: Any])
        #expect(object["event"] as? String == "repeated" && object["count"] as? Int == 2 && object["text"] as? String == "upstream: timed out" && object["severity"] as? String == "warning")
        let tape = LogTape()
        LogWriter(.init(level: .info, format: .json), tape: tape).write(.error, "it \"broke\"")
        let own = try #require(try JSONSerialization.jsonObject(with: Data((tape.lines.first ?? "").utf8)) as? [String: String])
        #expect(own["text"] == "it \"broke\"" && own["severity"] == "error" && UTC.time(own["time"] ?? "", now: 0) != nil)
    }

    // MARK: syslog

    /// A syslog daemon that takes datagrams.
    private final class Daemon {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("guardd-log-\(UUID().uuidString.prefix(8))").path
        let descriptor: CInt

        init() throws {
            descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
            let address = try #require(SocketAddress.unix(path))
            let outcome = unsafe address.withPointer { unsafe bind(descriptor, $0, $1) }
            try #require(outcome == 0)
        }

        func receive() -> String? {
            var query = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&query, 1, 30_000) == 1 else { return nil }
            var buffer = Octets(repeating: 0, count: 65_536)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
        }

        deinit {
            _ = close(descriptor)
            unsafe unlink(path)
        }
    }

    @Test func linesGoToSyslogWithFacilityMail() throws {
        let daemon = try Daemon()
        let writer = LogWriter(.init(level: .info), to: .syslog(SyslogSocket(daemon.path)))
        writer.write(.error, "one")
        writer.write(.info, "two")
        writer.write(.debug, "not this")
        // RFC 3164: facility 2 (mail) × 8 + severity.
        let form = try Regex("<(\\d+)>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d guardd\\[\(getpid())\\]: (.*)")
        for (priority, text) in [("19", "one"), ("22", "two")] {
            let datagram = try #require(daemon.receive())
            let match = try #require(try form.wholeMatch(in: datagram))
            #expect(match[1].substring.map(String.init) == priority && match[2].substring.map(String.init) == text)
        }
    }

    @Test func aSyslogThatWasStartedAnewIsFoundAgain() throws {
        var ends: [CInt] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { _ = (close(ends[0]), close(ends[1])) }
        let daemon = try Daemon()
        let socket = SyslogSocket(daemon.path, fallback: ends[1])
        socket.write(Octets("<6>one\n<6>two\n".utf8))
        #expect(daemon.receive()?.hasSuffix("]: one") == true && daemon.receive()?.hasSuffix("]: two") == true)
        // Its place is taken: the old one hears no more.
        unsafe unlink(daemon.path)
        let again = try Daemon()
        try #require(unsafe rename(again.path, daemon.path) == 0)
        shutdown(daemon.descriptor, CInt(SHUT_RDWR))
        socket.write(Octets("<6>three\n".utf8))
        #expect(again.receive()?.hasSuffix("]: three") == true)
    }

    @Test func withoutSyslogLinesGoToStandardError() throws {
        var ends: [CInt] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { _ = (close(ends[0]), close(ends[1])) }
        let socket = SyslogSocket("/nonexistent/log", fallback: ends[1])
        socket.write(Octets("<6>one\n<3>two\n".utf8))
        var buffer = Octets(repeating: 0, count: 4_096)
        let count = unsafe read(ends[0], &buffer, buffer.count)
        #expect(String(decoding: buffer[..<max(0, count)], as: UTF8.self) == "log: /nonexistent/log: No such file or directory: log_to = \"syslog\" goes to standard error until it is there\none\ntwo\n")
    }

    /// RFC 3164 4.1.2: a day below ten has a blank before it.
    @Test(arguments: [1_793_600_000, 1_795_324_980] as [time_t]) func stampsArePadded(_ time: time_t) {
        #expect(SyslogSocket.stamp(time).wholeMatch(of: /(Oct|Nov) ( \d|[1-3]\d) \d\d:\d\d:\d\d/) != nil, "\(SyslogSocket.stamp(time))")
    }
}
