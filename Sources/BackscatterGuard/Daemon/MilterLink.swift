// One connection of an MTA to a milter listener: the socket of a milter session, and what the session asks of the worker.
// Owned by its worker's `MilterLinks` until the socket is closed; everything happens on the worker's thread.

import Glibc

/// The driver of one milter session.
final class MilterLink: MilterSink {
    /// The MTA is not read on while so many octets of answers wait for it.
    private static let backlogLimit = 65_536
    /// A closing connection gets this long to take its last answer, in milliseconds.
    private static let lingerLimit: Int64 = 5_000

    let number: UInt64
    private let worker: Worker
    private let links: MilterLinks
    private var session: MilterSession
    private var socket: MilterSocket?
    /// Octets of the MTA that the session has not taken yet. At most what one read brings.
    private var pending: Octets = []
    private var answers: Octets = []
    private var question: Inquiry?
    private var findings: Findings?
    /// Of the question asked last: an answer to an earlier one is of no use.
    private var questionNumber = 0
    /// The question is being put: its answer is taken up where it was asked.
    private var isAsking = false
    private var isClosing = false
    private var lingerUntil: Int64 = .max

    init(session: MilterSession, worker: Worker, links: MilterLinks) {
        number = session.number
        self.session = session
        self.worker = worker
        self.links = links
    }

    func start(_ descriptor: CInt) throws(ReactorError) {
        socket = try MilterSocket(descriptor: descriptor, link: self, loop: worker.loop)
        session.opened(at: worker.now)
    }

    // MARK: events

    fileprivate func received(_ octets: Span<UInt8>) {
        guard !isClosing else { return }
        worker.refreshTime()
        worker.counters.moved(.mtaReceived, octets.count)
        if pending.isEmpty, session.takesOctets {
            let taken = session.received(octets, at: worker.now, into: self)
            if taken < octets.count { pending.append(octets.extracting(taken..<octets.count)) }
        } else {
            pending.append(octets)
        }
        if answers.isEmpty { socket?.acknowledge() }
        settle()
    }

    fileprivate func ended() {
        worker.refreshTime()
        session.ended(into: self)
        settle()
    }

    fileprivate func drained() {
        worker.refreshTime()
        settle()
    }

    func recorded(_ isDurable: Bool) {
        session.recorded(isDurable, at: worker.now, into: self)
        settle()
    }

    func tick() {
        if worker.now > lingerUntil { return finish() }
        session.ticked(at: worker.now, into: self)
        settle()
    }

    func stop() {
        session.stop(into: self)
        settle()
    }

    // MARK: settling

    /// After every event: questions answered, waiting octets offered again, everything written, reading switched on or off.
    private func settle() {
        while !isClosing {
            if let inquiry = question {
                question = nil
                put(inquiry)
            } else if let answer = findings {
                findings = nil
                session.found(answer, at: worker.now, wallClock: EventLoop.seconds(), into: self)
            } else if !pending.isEmpty, session.takesOctets {
                let octets = pending
                pending = []
                let taken = session.received(octets.span, at: worker.now, into: self)
                if taken < octets.count { pending = Octets(octets[taken...]) }
            } else {
                break
            }
        }
        if !answers.isEmpty {
            worker.counters.moved(.mtaSent, answers.count)
            socket?.send(answers.span)
            answers.removeAll(keepingCapacity: true)
        }
        guard !isClosing else { return linger() }
        if session.takesOctets, pending.isEmpty, (socket?.backlog ?? 0) < MilterLink.backlogLimit {
            socket?.resumeReading()
        } else {
            socket?.pauseReading()
        }
    }

    /// Puts a question to the sent log, which answers at once or as an event of its own.
    private func put(_ inquiry: Inquiry) {
        questionNumber += 1
        isAsking = true
        defer { isAsking = false }
        let number = questionNumber
        worker.ask(inquiry) { [weak self] in self?.found($0, to: number) }
    }

    private func found(_ answer: Findings, to number: Int) {
        guard number == questionNumber, !isClosing else { return }
        findings = answer
        guard !isAsking else { return }
        worker.refreshTime()
        settle()
    }

    private func linger() {
        guard lingerUntil == .max else { return }
        lingerUntil = worker.now + MilterLink.lingerLimit
        pending = []
        socket?.closeWhenFlushed()
        if socket?.isOpen != true { finish() }
    }

    /// Everything is closed and given back.
    func finish() {
        session.ended(into: self)
        socket?.close()
        socket?.link = nil
        socket = nil
        links.remove(self, worker: worker)
    }

    // MARK: MilterSink

    func toMTA(_ octets: Octets) { answers += octets }
    func closeMTA() { isClosing = true }
    func ask(_ inquiry: Inquiry) { question = inquiry }
    func record(_ entry: SentEntry) { worker.record(entry, for: number) }
    func report(_ event: @autoclosure () -> SessionEvent) { worker.report(event()) }
}

/// The MTA's side.
private final class MilterSocket: Socket {
    var link: MilterLink?

    init(descriptor: CInt, link: MilterLink, loop: EventLoop) throws(ReactorError) {
        self.link = link
        try super.init(descriptor: descriptor, loop: loop)
    }

    /// Much of what an MTA says has no answer (macros, header fields), and it says it in pieces: Postfix lets a piece wait until
    /// the one before is acknowledged (RFC 896), and the kernel lets that wait 40 ms for an answer to carry it. tcp(7).
    func acknowledge() { Listener.setOption(descriptor, CInt(IPPROTO_TCP), TCP_QUICKACK) }

    override func received(_ octets: Span<UInt8>) { link?.received(octets) }
    override func ended() { link?.ended() }
    override func failed(_ number: CInt) { link?.finish() }
    override func drained() { link?.drained() }
    override func lingeringEnded() { link?.finish() }
}
