// A worker on the test's own loop with a sent log that answers when it is told to: for answers that come too late.

import Glibc
import Testing
@testable import BackscatterGuard

/// Answers when it is told to.
final class LateLog: SentLogReader {
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
final class LateStage {
    let loop: EventLoop
    let worker: Worker
    let log: LateLog
    let sink: SinkServer
    private let directory: StateDirectory
    private let address: SocketAddress

    /// - Parameter isMilter: its listener is for an MTA that asks it as a milter.
    /// - Parameter change: of the worker's settings.
    init(isMilter: Bool = false, _ change: (inout WorkerSettings) -> Void = { _ in }) throws {
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
        var settings = try configuration.workerSettings(tls: nil, blocks: blocks)
        change(&settings)
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
        try worker.listen([ListeningSockets.Share(descriptor: descriptor, socket: 0, door: Door(direction: .inbound, records: .all, tls: ClientTLS(), isMilter: isMilter))])
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

    /// A socket that has connected to the worker; its events stop the loop.
    func connect() throws -> HearingSocket {
        let socket = try HearingSocket(try address.connect().get(), loop: loop)
        socket.changed = { [loop] in loop.stop() }
        return socket
    }
}

extension HearingSocket {
    /// RST.
    func cut() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}
