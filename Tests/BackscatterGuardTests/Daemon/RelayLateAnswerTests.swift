// A shared sent log answers when it can. By then the notification may have been given up, the client gone, or another
// answer given: a late word must decide nothing. A whole worker on the test's own loop, over loopback.

import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Relay: answers of the sent log that come too late") struct RelayLateAnswerTests {
    private static let envelope = "MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\n"
    private static let accepted = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"

    private static func bounce(of id: String) -> String {
        """
        From: MAILER-DAEMON@there.example\r
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
        \r
        --b\r
        Content-Type: message/delivery-status\r
        \r
        Final-Recipient: rfc822; eve@there.example\r
        Action: failed\r
        \r
        --b\r
        Content-Type: message/rfc822\r
        \r
        Message-ID: <\(id)>\r
        \r
        text\r
        --b--\r

        """
    }

    @Test func ofANotificationThatWasGivenUp() throws {
        let stage = try LateStage()
        let client = try stage.client()
        let (first, second) = (Self.bounce(of: "known@example.org"), Self.bounce(of: "never@example.org"))
        client.say(Self.envelope + "BDAT \(first.utf8.count)\r\n" + first)
        stage.run(until: { stage.log.questions.count == 1 && client.replies.count == 3 })
        client.say("RSET\r\n" + Self.envelope + "BDAT \(second.utf8.count) LAST\r\n" + second)
        stage.run(until: { stage.log.questions.count == 2 && client.replies.count == 6 })
        // The first mail's id was sent: that says nothing of the second's.
        stage.log.answer(0, isKnown: true)
        #expect(stage.log.questions.count == 2 && client.replies.count == 6)
        stage.log.answer(1, isKnown: false)
        stage.run(until: { client.replies.count == 7 })
        #expect(client.replies.last?.hasPrefix("550 5.7.1 ") == true, "\(client.replies)")
        client.close()
    }

    @Test func ofAClientThatIsGone() throws {
        let stage = try LateStage()
        let client = try stage.client()
        let content = Self.bounce(of: "known@example.org")
        client.say(Self.envelope + "BDAT \(content.utf8.count)\r\n" + content)
        stage.run(until: { stage.log.questions.count == 1 && client.replies.count == 3 })
        client.cut()
        stage.run(until: { stage.worker.counters.open(.smtp) == 0 })
        stage.log.answer(0, isKnown: true)
        // The worker serves on.
        let next = try stage.client()
        next.say("NOOP\r\n")
        stage.run(until: { next.replies.count == 1 })
        #expect(next.replies == ["250 2.0.0 Ok"] && stage.sink.mailbox.messages.isEmpty)
        next.close()
    }

    @Test func afterTheLogWasSaidToBeSilent() throws {
        let stage = try LateStage()
        let client = try stage.client()
        let content = Self.bounce(of: "known@example.org")
        client.say(Self.envelope + "BDAT \(content.utf8.count) LAST\r\n" + content)
        stage.run(until: { stage.log.questions.count == 1 })
        stage.log.fallSilent(0)
        stage.run(until: { client.replies.count == 3 })
        #expect(client.replies.last?.hasPrefix("451 4.7.1 ") == true, "\(client.replies)")
        // What a desk must not do, and what would be no harm if it did.
        stage.log.answer(0, isKnown: true)
        client.say("NOOP\r\n")
        stage.run(until: { client.replies.count == 4 })
        #expect(client.replies.last == "250 2.0.0 Ok" && stage.sink.mailbox.messages.isEmpty)
        client.close()
    }
}

/// Answers when it is told to.
private final class LateLog: SentLogReader {
    private(set) var questions: [(inquiry: Inquiry, answered: (Findings) -> Void)] = []
    private let wasAsked: () -> Void

    init(wasAsked: @escaping () -> Void) { self.wasAsked = wasAsked }

    func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void) {
        questions.append((inquiry, answered))
        wasAsked()
    }

    func close() {}

    func answer(_ index: Int, isKnown: Bool) {
        var findings = Findings(nothingFor: questions[index].inquiry, .answered)
        findings.isCovered = true
        if isKnown { findings.ids = findings.ids.map { _ in SentRecord(time: 0, recipients: 1, reversePath: Octets("ann@example.org".utf8)) } }
        questions[index].answered(findings)
    }

    func fallSilent(_ index: Int) { questions[index].answered(Findings(nothingFor: questions[index].inquiry, .silent)) }
}

private final class NoLog: SentLog {
    func record(_ entry: SentEntry, at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) { whenDurable(nil) }
    func record(past entries: [(entry: SentEntry, sent: Int64)], whenDurable: @escaping @Sendable (SentLogError?) -> Void) { whenDurable(nil) }
    func change(_ change: CoverageChange, whenDurable: @escaping @Sendable (SentLogError?) -> Void) { whenDurable(nil) }
    func keep(at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) { whenDurable(nil) }
    func recordedSince(at now: Int64) -> Int64? { nil }
    func close() {}
}

/// A worker and its clients on one loop; the upstream is the embedded MTA.
private final class LateStage {
    let loop: EventLoop
    let worker: Worker
    let log: LateLog
    let sink: SinkServer
    private let directory: StateDirectory
    private let address: SocketAddress

    init() throws {
        let loopback = try #require(PeerAddress("127.0.0.1"))
        sink = try SinkServer(SinkSettings(), at: loopback)
        directory = try StateDirectory()
        let file = try TemporaryFile("""
            upstream = "\(sink.address.description)"
            upstream_identity = "none"
            protected_domains = ["example.org"]
            mode = "enforce"
            state_dir = "\(directory.path)"

            [[listener]]
            address = "127.0.0.1:2525"
            direction = "inbound"

            """)
        let configuration = try Configuration.load(file: file.path, overrides: .init(), standardFile: "", own: [])
        let blocks = EnforcementBlocks()
        let settings = try configuration.workerSettings(tls: nil, blocks: blocks)
        let (writer, nothing) = (LogWriter(level: .error, tape: LogTape()), NoLog())
        let shared = WorkerThread.Shared(
            sentLog: nothing, log: writer, connections: ConnectionLimits(), health: UpstreamHealth(), numbers: SessionNumbers(),
            holes: HoleKeeper(nothing, log: writer),
            enforcement: EnforcementKeeper(blocks, stateDirectory: directory.path, hosts: OwnHosts(networks: [], addresses: [], names: []), log: writer),
            events: EventStore(EventSettings(folder: "", size: 0, retention: 0), stateDirectory: directory.path, log: writer),
            makeReader: { _ in preconditionFailure("the worker is made with its reader") })
        loop = try EventLoop()
        let log = LateLog { [loop] in loop.stop() }
        self.log = log
        worker = Worker(loop: loop, settings: settings, shared: shared, reader: log, mailbox: Mailbox(loop.waker), counters: WorkerCounters())
        let ticked = loop.ticked
        loop.ticked = { [loop] in
            ticked()
            loop.stop()
        }
        let descriptor = try Listener.open(SocketAddress(loopback), sharesPort: false)
        address = SocketAddress.local(of: descriptor)
        try worker.listen([ListeningSockets.Share(descriptor: descriptor, socket: 0, door: Door(direction: .inbound, records: .all, tls: ClientTLS()))])
    }

    deinit {
        worker.ended()
        loop.close(closesWaker: false)
        sink.stop()
    }

    /// Until it holds; looks after each event of the test's own, and every second.
    func run(until condition: () -> Bool, at location: SourceLocation = #_sourceLocation) {
        let deadline = EventLoop.milliseconds() + 60_000
        while !condition() {
            guard EventLoop.milliseconds() < deadline else {
                Issue.record("not within a minute", sourceLocation: location)
                return
            }
            loop.run()
        }
    }

    /// One that has said EHLO and heard the answer.
    func client() throws -> LateClient {
        let client = LateClient(try HearingSocket(try address.connect().get(), loop: loop))
        client.socket.changed = { [loop] in loop.stop() }
        client.say("EHLO client.example\r\n")
        run(until: { client.replies.count == 2 })
        client.forget()
        return client
    }
}

private final class LateClient {
    let socket: HearingSocket

    init(_ socket: HearingSocket) { self.socket = socket }

    func say(_ text: String) { socket.send(Octets(text.utf8).span) }
    func forget() { socket.heard = [] }
    func close() { socket.close() }

    /// RST.
    func cut() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(socket.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        socket.close()
    }

    /// The last line of each whole reply.
    var replies: [String] {
        socket.text.split(separator: "\r\n").map(String.init).filter { $0.dropFirst(3).first == " " }
    }
}
