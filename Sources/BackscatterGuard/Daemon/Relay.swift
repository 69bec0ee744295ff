// One client, its session, and the upstream connection: performs what the session decides. Owned by its worker's table
// until both sockets are closed; everything happens on the worker's thread.
//
// Short pieces (commands, replies) are gathered in the worker's two buffers and written at the end of the event, one
// write a side; content goes from the read buffer straight to the socket.

import Glibc

/// The driver of one SMTP session.
final class Relay: SessionSink {
    /// Longer pieces are written where they lie instead of being gathered.
    private static let gatherLimit = 1024
    /// The client is not read on while so many octets of replies wait for it.
    private static let replyBacklogLimit = 65_536
    /// A closing client gets this long to take its last reply, in milliseconds.
    private static let lingerLimit: Int64 = 5_000
    /// The clock is coarse: a timer that is set by it must not fire too early, in milliseconds.
    private static let clockGrain: Int64 = 10

    let number: UInt64
    /// The worker's table holds the relay, and `finish` takes it out again.
    let worker: Worker
    var session: SMTPSession
    var client: ClientSocket?
    var upstream: UpstreamSocket?
    var dialling: Dialling?
    /// The process behind `upstream`, where that is a program.
    var program: pid_t?
    private var wantsDial = false
    /// TLS begins with a side when what was said to it in clear has been written.
    var wantsTLS = false
    var wantsUpstreamTLS = false
    let tlsServer: TLSServer?
    private var isSettling = false
    /// Octets of the client that the session has not taken yet. At most what one read brings.
    var pending: Octets = []
    private var clientSaidEnd = false
    private var toldEnd = false
    private var question: Inquiry?
    /// Of the question asked last: an answer to an earlier one, of a mail given up since, is of no use.
    private var questionNumber = 0
    private var findings: Findings?
    private var closing = Closing.no
    private enum Closing { case no, flush, now }
    private var saidQuit = false
    /// When closing began the client had sent more than was taken.
    private var hasUntakenInput = false
    private var lingerUntil: Int64 = .max
    private var upstreamStalledSince: Int64 = 0
    private(set) var heldOctets = 0
    /// Since when, in milliseconds.
    var heldSince: Int64 = 0
    /// It was told to stream on and waits for the upstream to take what is held.
    private(set) var isOutgrowing = false
    /// What it takes of the limits; given back at its end.
    let place: ConnectionLimits.Place
    /// For a client whose next command has to wait; made when it is needed.
    private var delay: LoopTimer?
    private var delayedUntil: Int64?

    /// - Parameter tlsServer: the certificates of now; nil without any.
    init(number: UInt64, session: SMTPSession, worker: Worker, tlsServer: TLSServer?, place: ConnectionLimits.Place) {
        self.number = number
        self.tlsServer = tlsServer
        self.session = session
        self.worker = worker
        self.place = place
    }

    func start(_ descriptor: CInt) throws(ReactorError) {
        client = try ClientSocket(descriptor: descriptor, relay: self, loop: worker.loop)
        session.isStressed = worker.isStressed
        session.opened(at: worker.now, into: self)
        settle()
    }

    // MARK: events

    func clientSent(_ octets: Span<UInt8>) {
        guard case .no = closing else { return }              // only its replies are still being flushed
        worker.refreshTime()
        worker.counters.moved(.clientReceived, octets.count)
        guard pending.isEmpty, mayFeed else {
            pending.append(octets)
            return settle()
        }
        let taken = session.clientSent(octets, at: worker.now, into: self)
        if taken < octets.count { pending.append(octets.extracting(taken..<octets.count)) }
        settle()
    }

    func clientEnded() {
        worker.refreshTime()
        clientSaidEnd = true
        settle()
    }

    func clientFailed() {
        worker.refreshTime()
        session.clientFailed(into: self)
        settle()
    }

    func upstreamConnected() {
        worker.refreshTime()
        session.upstreamConnected(at: worker.now, into: self)
        settle()
    }

    func upstreamSent(_ octets: Span<UInt8>) {
        worker.refreshTime()
        worker.counters.moved(.upstreamReceived, octets.count)
        dialling?.stands()
        session.upstreamSent(octets, at: worker.now, into: self)
        if session.hasUpstreamGreeted { dialling?.works() }
        settle()
    }

    func upstreamEnded() {
        worker.refreshTime()
        session.upstreamEnded(at: worker.now, into: self)
        settle()
    }

    func upstreamFailed(_ number: CInt) {
        if upstream?.isConnected == false || session.isAwaitingGreeting { dialling?.fails(number, at: worker.now) }
        upstreamEnded()
    }

    func recorded(_ isDurable: Bool) {
        worker.refreshTime()
        session.recorded(isDurable, at: worker.now, into: self)
        settle()
    }

    func outgrow() {
        isOutgrowing = true
        session.outgrew(at: worker.now, into: self)
        settle()
    }

    func stop() {
        session.stop(into: self)
        settle()
    }

    /// A side has taken all that waited for it.
    func drained() {
        worker.refreshTime()
        settle()
    }

    /// - Parameter commandLimit: milliseconds that a client has for a command while the machine is nearly full.
    func tick(commandLimit: Int64) {
        if worker.now > lingerUntil { return finish() }
        if let upstream, let dialling, dialling.hasTimedOut(at: worker.now), !upstream.isConnected {
            dialling.failures.append("connection timed out")
            dialling.fails(.silent, at: worker.now)
            upstreamEnded()
        }
        session.ticked(at: worker.now, upstreamStalled: upstreamStalledSince > 0 ? worker.now - upstreamStalledSince : 0, commandLimit: commandLimit, into: self)
        settle()
    }

    // MARK: settling

    private var mayFeed: Bool {
        session.takesClientOctets && (upstream?.backlog ?? 0) == 0 && (client?.backlog ?? 0) < Relay.replyBacklogLimit
    }

    /// After every event: questions answered, waiting octets offered again, everything written, reading switched on or off.
    func settle() {
        isSettling = true
        while case .no = closing {
            if wantsDial {
                wantsDial = false
                connect()
            } else if wantsUpstreamTLS {
                wantsUpstreamTLS = false
                secureUpstream()
            } else if let inquiry = question {
                question = nil
                put(inquiry)
            } else if let answer = findings {
                findings = nil
                session.found(answer, at: worker.now, wallClock: EventLoop.seconds(), into: self)
            } else if !feed() {
                break
            }
        }
        flush()
        if wantsTLS { secureClient() }
        isSettling = false
        if session.delayedUntil != delayedUntil { waitOut(session.delayedUntil) }
        switch closing {
        case .no: balance()
        case .flush: linger()
        case .now: finish()
        }
        worker.relieve()
    }

    /// Puts a question to the sent log, which answers at once or as an event of its own.
    private func put(_ inquiry: Inquiry) {
        questionNumber += 1
        findings = nil
        let number = questionNumber
        worker.ask(inquiry) { [weak self] in self?.found($0, to: number) }
    }

    private func found(_ answer: Findings, to number: Int) {
        guard number == questionNumber, worker.serves(self) else { return }
        findings = answer
        guard !isSettling else { return }
        worker.refreshTime()
        settle()
    }

    /// Offers waiting octets, or the end of input, to the session.
    ///
    /// - Returns: false when nothing can be done until the next event.
    private func feed() -> Bool {
        if !pending.isEmpty || session.hasWaitingCommand {
            // Gathered commands count as backlog only once they are written.
            flushUpstream()
            guard mayFeed else { return false }
            let (octets, hadWaiting) = (pending, session.hasWaitingCommand)
            pending = []
            let taken = session.clientSent(octets.span, at: worker.now, into: self)
            if taken < octets.count { pending = taken == 0 ? octets : Octets(octets[taken...]) }
            return taken > 0 || hadWaiting != session.hasWaitingCommand || question != nil || findings != nil
        }
        guard clientSaidEnd, !toldEnd, case .no = closing else { return false }
        toldEnd = true
        session.clientEnded(at: worker.now, into: self)
        return true
    }

    private func balance() {
        let client = client, upstream = upstream, forUpstream = upstream?.backlog ?? 0, forClient = client?.backlog ?? 0
        if forUpstream > 0 {
            if upstreamStalledSince == 0 { upstreamStalledSince = worker.now }
        } else if upstreamStalledSince > 0 {
            session.upstreamPaused(for: worker.now - upstreamStalledSince)
            upstreamStalledSince = 0
        }
        if !clientSaidEnd {
            let mayFeed = session.takesClientOctets && forUpstream == 0 && forClient < Relay.replyBacklogLimit
            if mayFeed && pending.isEmpty && !session.hasWaitingCommand && !wantsTLS { client?.resumeReading() } else { client?.pauseReading() }
        }
        if forClient > 0 { upstream?.pauseReading() } else { upstream?.resumeReading() }
    }

    private func flush() {
        flushUpstream()
        guard !worker.clientGather.isEmpty else { return }
        var gathered: Octets = []
        swap(&gathered, &worker.clientGather)
        // The last reply goes out together with the FIN that `linger` sends.
        client?.send(gathered.span, waitsForMore: closing == .flush)
        gathered.removeAll(keepingCapacity: gathered.count <= 65_536)
        swap(&gathered, &worker.clientGather)
    }

    private func flushUpstream() {
        guard !worker.upstreamGather.isEmpty else { return }
        var gathered: Octets = []
        swap(&gathered, &worker.upstreamGather)
        upstream?.send(gathered.span)
        gathered.removeAll(keepingCapacity: gathered.count <= 65_536)
        swap(&gathered, &worker.upstreamGather)
    }

    private func linger() {
        guard lingerUntil == .max else { return }
        lingerUntil = worker.now + Relay.lingerLimit
        guard let client else { return finish() }
        if saidQuit, client.backlog == 0, !hasUntakenInput, !client.hasUnreadInput {
            client.sayGoodbye()
            return finish()
        }
        client.closeWhenFlushed()
        if self.client?.isOpen != true { finish() }
    }

    /// The client's next command has to wait until then.
    private func waitOut(_ time: Int64?) {
        delayedUntil = time
        guard let time else { return }
        // Without memory for a timer the next tick will do.
        if delay == nil { delay = try? LoopTimer(loop: worker.loop) { [unowned self] in drained() } }
        delay?.set(after: time - worker.now + Relay.clockGrain)
    }

    /// Everything is closed and given back.
    func finish() {
        delay?.close()
        delay = nil
        hangUpUpstream()
        client?.close()
        client?.relay = nil
        client = nil
        worker.remove(self)
    }

    // MARK: SessionSink

    func toClient(_ octets: Span<UInt8>) {
        worker.counters.moved(.clientSent, octets.count)
        worker.clientGather.append(octets)
    }

    func toUpstream(_ octets: Span<UInt8>) {
        worker.counters.moved(.upstreamSent, octets.count)
        guard octets.count > Relay.gatherLimit, let upstream else { return worker.upstreamGather.append(octets) }
        var gathered: Octets = []
        swap(&gathered, &worker.upstreamGather)
        upstream.send(gathered.span, octets)
        gathered.removeAll(keepingCapacity: true)
        swap(&gathered, &worker.upstreamGather)
    }

    func dial(next: Bool) {
        // A bad greeting, a connection that was closed, an EHLO that was put off.
        if next { dialling?.fails(.questionable, at: worker.now) }
        if !next || dialling == nil { dialling = Dialling(targets: worker.upstreams, timeout: worker.connectTimeout, health: worker.health) }
        wantsDial = true
    }

    /// Opens a connection to the next address. That it stands is seen by the greeting: waiting for the socket to become
    /// writable as well would cost four system calls more, and a refused connection shows itself as a read error.
    private func connect() {
        guard let dialling else { return }
        while true {
            switch dialling.next(at: worker.now) {
            case .address(let address):
                guard let descriptor = Dialling.open(address, at: worker.now, dialling),
                      let socket = try? UpstreamSocket(descriptor: descriptor, relay: self, loop: worker.loop)
                else { continue }
                upstream = socket
                return session.upstreamConnected(at: worker.now, into: self)
            case .name(let host, let port):
                return dialling.resolve(host, port, loop: worker.loop) { [weak self] addresses in self?.resolved(addresses) }
            case .program(let program):
                guard let socket = start(program, dialling) else { continue }
                upstream = socket
                return session.upstreamConnected(isProgram: true, at: worker.now, into: self)
            case .none:
                worker.report(.upstreamUnavailable(session: number, reason: dialling.failures))
                return session.upstreamUnavailable(at: worker.now, into: self)
            }
        }
    }

    private func resolved(_ addresses: [SocketAddress]) {
        dialling?.found(addresses.filter { !worker.isOwn($0) }, at: worker.now)
        wantsDial = true
        guard !isSettling else { return }
        worker.refreshTime()
        settle()
    }

    func hangUpUpstream() {
        worker.upstreamGather.removeAll(keepingCapacity: true)
        wantsUpstreamTLS = false
        upstreamStalledSince = 0
        dialling?.cancel()
        upstream?.close()
        upstream?.relay = nil
        upstream = nil
        leaveProgram()
    }

    func startTLS() { wantsTLS = true }
    func startUpstreamTLS() { wantsUpstreamTLS = true }

    func closeClient(saidQuit: Bool) {
        self.saidQuit = saidQuit
        hasUntakenInput = !pending.isEmpty
        pending = []
        if case .no = closing { closing = .flush }
    }

    func dropClient() {
        pending = []
        closing = .now
    }

    func ask(_ inquiry: Inquiry) { question = inquiry }
    func record(_ entry: SentEntry, isAwaited: Bool) { worker.record(entry, for: isAwaited ? number : nil) }

    func holdChanged(by octets: Int) {
        timeHold(before: heldOctets, after: heldOctets + octets)
        heldOctets += octets
        if octets < 0 { isOutgrowing = false }
        worker.holdChanged(by: octets)
    }

    func report(_ event: @autoclosure () -> SessionEvent) { worker.report(event()) }
}
