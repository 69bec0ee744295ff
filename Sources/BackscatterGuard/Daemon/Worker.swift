// One event loop thread: its listeners, its relays, what they share. Other threads reach it through its mailbox.

import Glibc
import Synchronization

/// What another thread tells a worker.
enum WorkerMessage: Sendable {
    /// The sent log's word on a record that session `number` waits for.
    case recorded(number: UInt64, isDurable: Bool)
    case settings(WorkerSettings)
    /// No new clients; sessions go on as ever.
    ///
    /// - Parameter drains: sockets, by index, whose waiting clients are told to come again before they are closed.
    case retire(drains: Set<Int>)
    /// No new clients; sessions end as they become idle.
    case stop(drains: Set<Int>)
    /// Now.
    case abort
}

/// A mailbox with the waker of the loop that empties it.
final class Mailbox: Sendable {
    private let messages = Mutex<[WorkerMessage]>([])
    private let waker: Waker
    /// When the loop has turned last.
    private let turned = Atomic(EventLoop.milliseconds())

    var beat: Int64 {
        get { turned.load(ordering: .relaxed) }
        set { turned.store(newValue, ordering: .relaxed) }
    }

    /// - Parameter waker: closed with the mailbox: letters may still come when the loop has ended.
    init(_ waker: Waker) { self.waker = waker }

    deinit { waker.close() }

    func post(_ message: WorkerMessage) {
        let wasEmpty = messages.withLock { list in
            defer { list.append(message) }
            return list.isEmpty
        }
        if wasEmpty { waker.wake() }
    }

    func take() -> [WorkerMessage] {
        messages.withLock { list in
            defer { list = [] }
            return list
        }
    }
}

/// What a reload replaces.
struct WorkerSettings: Sendable {
    var session: SessionSettings
    var upstreams: [UpstreamTarget]
    var exempt: [Network]
    var outgoing: [Network]
    /// Load balancers, for listeners that name none of their own.
    var proxies: [Network] = []
    var connectTimeout: Int64
    var holdLimit: Int
    var isOwn: @Sendable (PeerAddress) -> Bool
    var limits: ConnectionLimits.Settings
    var milter: MilterWorkerSettings
    /// The certificates; nil without any.
    var tlsServer: TLSServer?
    var tlsClient: TLSClient?
    var upstreamTLSName: String?
    var programs: Programs.Settings
}

/// What the sessions of a listener have in common.
struct Door: Sendable, Equatable {
    var direction: Direction
    var records: RecordRule
    var tls: ClientTLS
    /// Load balancers that send a PROXY header here; nil: those of the settings.
    var proxies: [Network]?
    /// A mail server speaks there, not a client.
    var isMilter = false
}

/// Runs sessions on its own thread.
final class Worker {
    let loop: EventLoop
    let log: LogGatherer
    let mailbox: Mailbox
    let counters: WorkerCounters
    private let sentLog: any SentLog
    let reader: any SentLogReader
    private let connections: ConnectionLimits
    let health: UpstreamHealth
    private let numbers: SessionNumbers
    private let holes: HoleKeeper
    private let enforcement: EnforcementKeeper
    private let events: EventStore
    private var settings: WorkerSettings
    private var listeners: [(listener: Listener, share: ListeningSockets.Share)] = []
    private var relays: [UInt64: Relay] = [:]
    private let refusals = Refusals()
    let programs: Programs
    private let milters: MilterLinks
    private let gate = ProxyGate()
    private var isRetiring = false
    private var isStopping = false
    private var heldOctets = 0
    private var isRelieving = false
    /// Short pieces for the two sides of the relay that is being served, written at the end of its event.
    var clientGather: Octets = []
    var upstreamGather: Octets = []
    /// Milliseconds of the monotonic clock, taken at the beginning of each event.
    private(set) var now = EventLoop.milliseconds()

    var upstreams: [UpstreamTarget] { settings.upstreams }
    var tlsClient: TLSClient? { settings.tlsClient }
    var upstreamTLSName: String? { settings.upstreamTLSName }
    var connectTimeout: Int64 { settings.connectTimeout }
    var programSettings: Programs.Settings { settings.programs }

    init(loop: EventLoop, settings: WorkerSettings, shared: WorkerThread.Shared, reader: any SentLogReader, mailbox: Mailbox, counters: WorkerCounters) {
        self.loop = loop
        self.settings = settings
        sentLog = shared.sentLog
        self.reader = reader
        log = LogGatherer(shared.log, loop: loop)
        connections = shared.connections
        health = shared.health
        numbers = shared.numbers
        holes = shared.holes
        enforcement = shared.enforcement
        events = shared.events
        self.mailbox = mailbox
        self.counters = counters
        milters = MilterLinks(connections: connections, numbers: numbers)
        programs = Programs(loop: loop, log: log, count: shared.programCount)
        programs.emptied = { [unowned self] in endIfDone() }
        loop.ticked = { [unowned self] in tick() }
        loop.woken = { [unowned self] in readMail() }
    }

    /// Nearly all places are taken.
    var isStressed: Bool { connections.isStressed }

    func refreshTime() { now = EventLoop.milliseconds() }

    // MARK: clients

    /// Takes clients from listening descriptors, which it owns from now on.
    func listen(_ shares: [ListeningSockets.Share]) throws(ReactorError) {
        for (index, share) in shares.enumerated() {
            do throws(ReactorError) {
                let listener = try Listener(descriptor: share.descriptor, loop: loop) { [unowned self] client, address in
                    accept(client, from: address, share.door)
                }
                listeners.append((listener, share))
            } catch {
                shares[index...].forEach { _ = Glibc.close($0.descriptor) }
                throw error
            }
        }
    }

    /// Who waits in the queue of a socket that is given up hears that he may come again.
    private func closeListeners(draining sockets: Set<Int>) {
        for (listener, share) in listeners {
            if sockets.contains(share.socket) {
                listener.drain { client in
                    counters.refused(.stopping)
                    refuse(client, Replies.stopping, share.door)
                }
            }
            listener.close()
        }
        listeners = []
    }

    /// The loop has ended: nothing may be left in it.
    func ended() {
        closeListeners(draining: [])
        refusals.closeAll()
        gate.closeAll()
        for relay in relays.values { relay.finish() }
        milters.abort()
        log.flush()
    }

    private func accept(_ descriptor: CInt, from address: SocketAddress, _ door: Door) {
        refreshTime()
        let peer = PeerAddress(address)
        if door.isMilter { return milters.accept(descriptor, from: peer, door.direction, settings, worker: self) }
        guard (door.proxies ?? settings.proxies).contains(where: { $0.contains(peer) }) else { return serve(descriptor, peer, door) }
        gate.take(descriptor, at: now, loop: loop) { [unowned self] outcome in headerRead(outcome, from: peer, door) }
    }

    /// What a load balancer said of its connection, or did not say.
    private func headerRead(_ outcome: ProxyGate.Outcome, from peer: PeerAddress, _ door: Door) {
        refreshTime()
        switch outcome {
        case .came(let descriptor, let connection?): serve(descriptor, connection.client, door, server: connection.server)
        case .came(let descriptor, nil): serve(descriptor, peer, door, isProxy: true)
        case .failed(let descriptor, let reason):
            counters.refused(.proxyHeader)
            let kind = LogRepeat("client=\(peer.text) PROXY header", rest: "PROXY header", .warning, client: peer.text)
            log.write(kind, "client=\(peer.text) PROXY header: \(reason); connection closed (proxy_clients)")
            refuse(descriptor, Replies.noProxyHeader, door)
        case .stopped(let descriptor): refuse(descriptor, Replies.stopping, door)
        case .wentAway: log.write(.debug, "client=\(peer.text) PROXY header: closed before it")
        }
    }

    /// Where TLS comes first nothing can be said without a handshake; and a mail server that asks a milter knows no such word.
    private func refuse(_ descriptor: CInt, _ reply: Octets, _ door: Door) {
        if door.isMilter || door.tls.start == .implicit { return _ = Glibc.close(descriptor) }
        refusals.refuse(descriptor, reply, at: now, loop: loop)
    }

    /// - Parameter server: the address that the client reached; nil for the descriptor's own.
    /// - Parameter isProxy: the client is a load balancer itself: as a mail server that speaks for others it may come often.
    private func serve(_ descriptor: CInt, _ client: PeerAddress, _ door: Door, server: PeerAddress? = nil, isProxy: Bool = false) {
        let (tls, tlsServer) = (door.tls, settings.tlsServer)
        // Its certificates are gone by a reload: better nothing than SMTP in clear where TLS is expected.
        if tls.start == .implicit, tlsServer == nil { return _ = Glibc.close(descriptor) }
        let (isExempt, isOutgoing) = (settings.exempt.contains { $0.contains(client) }, settings.outgoing.contains { $0.contains(client) })
        let isListed = isExempt || isOutgoing || isProxy || settings.session.networks.forwarding.contains { $0.contains(client) }
        let place: ConnectionLimits.Place
        switch connections.admit(client, isListed: isListed, settings.limits, at: now) {
        case .success(let admitted): place = admitted
        case .failure(let reason):
            counters.refused(.init(reason))
            let kind = LogRepeat("client=\(client.text) refused: \(reason.text)", rest: "refused: \(reason.text)", .info, client: client.text)
            log.write(kind, "client=\(client.text) refused: \(reason.text)")
            return refuse(descriptor, Replies.tooManyConnections, door)
        }
        let number = numbers.next()
        let session = SMTPSession(
            number: number, settings: settings.session, client: client, server: server ?? PeerAddress(SocketAddress.local(of: descriptor)),
            direction: door.direction, isExempt: isExempt, isOutgoingClient: isOutgoing, records: door.records,
            clientTLS: tlsServer == nil ? ClientTLS(isRequired: tls.isRequired) : tls
        )
        let relay = Relay(number: number, session: session, worker: self, tlsServer: tlsServer, place: place)
        relays[number] = relay
        counters.opened(.smtp)
        do {
            try relay.start(descriptor)
        } catch {
            log.write(.error, "client=\(client.text): \(error.text)")
            relay.finish()
        }
    }

    /// Whether its connections are still there.
    func serves(_ relay: Relay) -> Bool { relays[relay.number] === relay }

    func remove(_ relay: Relay) {
        guard relays.removeValue(forKey: relay.number) != nil else { return }
        counters.closed(.smtp)
        connections.release(relay.place, settings.limits)
        endIfDone()
    }

    func endIfDone() {
        if isStopping || isRetiring, relays.isEmpty, milters.isEmpty, refusals.isEmpty, gate.isEmpty, programs.isEmpty { loop.stop() }
    }

    // MARK: what relays ask for

    /// - Parameter answered: called within this call, or later by the event loop.
    func ask(_ inquiry: Inquiry, answered: @escaping (Findings) -> Void) {
        let (counters, begun) = (counters, EventLoop.microseconds())
        reader.ask(inquiry, at: EventLoop.seconds()) { findings in
            counters.found(findings, to: inquiry, within: Int(EventLoop.microseconds() - begun))
            answered(findings)
        }
    }

    func record(_ entry: SentEntry, for number: UInt64?) {
        let (mailbox, holes, now) = (mailbox, holes, EventLoop.seconds())
        sentLog.record(entry, at: now) { error in
            if error == nil { holes.recorded(at: now) }
            if let number { mailbox.post(.recorded(number: number, isDurable: error == nil)) }
        }
    }

    func report(_ event: SessionEvent) {
        counters.count(event)
        switch event {
        case .unrecorded(_, passes: true): holes.unrecorded(at: EventLoop.seconds())
        case .transaction(let summary) where summary.judgement != nil:
            enforcement.judged(summary, settings.session.policy, at: EventLoop.seconds())
            events.record(summary, at: EventLoop.seconds())
        default: break
        }
        log.write(event)
    }

    func isOwn(_ address: SocketAddress) -> Bool { settings.isOwn(PeerAddress(address)) }

    /// Octets of all holds of this worker; `relieve` keeps the sum within its limit.
    func holdChanged(by octets: Int) {
        heldOctets += octets
        counters.held(by: octets)
    }

    /// When all holds together are full, the largest streams on: a crowd of slow senders blocks nobody.
    ///
    /// Those that are told to stream and wait for the upstream are as good as gone. `outgrow` comes back here: the flag
    /// makes that a loop.
    func relieve() {
        guard heldOctets > settings.holdLimit, !isRelieving else { return }
        isRelieving = true
        defer { isRelieving = false }
        while true {
            let leaving = relays.values.lazy.filter(\.isOutgrowing).reduce(0) { $0 + $1.heldOctets }
            guard heldOctets - leaving > settings.holdLimit else { return }
            let candidates = relays.values.lazy.filter { !$0.isOutgrowing && $0.heldOctets > 0 }
            guard let largest = candidates.max(by: { $0.heldOctets < $1.heldOctets }) else { return }
            largest.outgrow()
        }
    }

    // MARK: events

    private func tick() {
        refreshTime()
        mailbox.beat = now
        let limit = isStressed ? settings.limits.stressTimeout : .max
        for relay in relays.values { relay.tick(commandLimit: limit) }
        milters.tick()
        refusals.tick(at: now)
        programs.tick(at: now, settings.programs)
        gate.tick(at: now)
        listeners.forEach { $0.listener.resume() }
        endIfDone()
    }

    private func readMail() {
        refreshTime()
        for message in mailbox.take() {
            switch message {
            case .recorded(let number, let isDurable):
                relays[number]?.recorded(isDurable)
                milters.recorded(number, isDurable)
            case .settings(let new):
                settings = new
                loop.forgetNames()
            case .retire(let sockets): retire(draining: sockets)
            case .stop(let sockets): stop(draining: sockets)
            case .abort: abort()
            }
        }
    }

    private func retire(draining sockets: Set<Int>) {
        isRetiring = true
        programs.stop(at: now)
        closeListeners(draining: sockets)
        endIfDone()
    }

    private func stop(draining sockets: Set<Int>) {
        guard !isStopping else { return }
        isStopping = true
        closeListeners(draining: sockets)
        gate.stop()
        programs.stop(at: now)
        for relay in relays.values { relay.stop() }
        milters.stop()
        endIfDone()
    }

    private func abort() {
        stop(draining: [])
        refusals.closeAll()
        gate.closeAll()
        for relay in relays.values { relay.finish() }
        milters.abort()
        programs.kill(at: now)
        endIfDone()
    }
}

extension PeerAddress {
    /// The kernel's address; a Unix socket's when it is none of the internet.
    init(_ address: SocketAddress) {
        self = address.internet.flatMap { PeerAddress(raw: $0.octets, port: $0.port) } ?? .unixSocket
    }
}
