// Milter sessions as transcripts: what the MTA says, what it hears, what is recorded and logged. Runs the session as the
// daemon's link does: octets that were not taken are offered again after every event, questions are answered from a log
// in memory, records are durable at once unless the test says otherwise.

import Testing
@testable import BackscatterGuard

/// An MTA's packets.
enum MTA {
    static func packet(_ letter: Character, _ data: Octets = []) -> Octets {
        let count = UInt32(data.count + 1)
        return [UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)] + Octets(String(letter)) + data
    }

    static func texts(_ texts: [String]) -> Octets { texts.flatMap { Octets($0) + [0] } }

    static func offer(version: UInt32 = 6, actions: UInt32 = 0x1FF, steps: UInt32 = 0x1FFFFF) -> Octets {
        packet("O", [version, actions, steps].flatMap { number in [24, 16, 8, 0].map { UInt8(number >> $0 & 255) } })
    }

    static func macros(_ letter: Character, _ pairs: [(String, String)]) -> Octets {
        packet("D", Octets(String(letter)) + texts(pairs.flatMap { [$0.0, $0.1] }))
    }

    static func connect(_ address: String = "192.0.2.7", port: UInt16 = 4711) -> Octets {
        let family: Character = address.contains(":") ? "6" : "4"
        return packet("C", Octets("client.example") + [0] + Octets(String(family)) + [UInt8(port >> 8), UInt8(port & 255)] + Octets(address) + [0])
    }

    static func mail(_ path: String) -> Octets { packet("M", texts([path, "SIZE=100"])) }
    static func rcpt(_ path: String) -> Octets { packet("R", texts([path])) }
    static func header(_ name: String, _ body: String) -> Octets { packet("L", texts([name, body])) }
    static func body(_ text: String) -> Octets { packet("B", Octets(text)) }
    static func end(_ text: String = "", queueID: String? = "4TESTQUEUEID") -> Octets {
        (queueID.map { macros("E", [("i", $0)]) } ?? []) + packet("E", Octets(text))
    }
    static let abort = packet("A"), quit = packet("Q")

    /// Takes the whole answers out of what was heard: `c`, `a`, `s`, `p`, `t`, or with data `y550 5.7.1 ...`, `iNAME: BODY`, `O`.
    static func takeAnswers(_ heard: inout Octets) -> [String] {
        var answers: [String] = []
        var rest = heard[...]
        while rest.count >= 5 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4 + length else { break }
            let packet = rest.dropFirst(4).prefix(length)
            rest = rest.dropFirst(4 + length)
            let letter = String(decoding: packet.prefix(1), as: UTF8.self)
            let data = packet.dropFirst(letter == "i" ? 5 : 1)
            let text = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ":")
            answers.append(letter == "O" ? "O" : letter + text)
        }
        heard = Octets(rest)
        return answers
    }
}

final class MilterTranscript: MilterSink {
    var session: MilterSession
    var log = MemorySentLog()
    var now: Int64 = 1_000
    var recordsByHand = false, recordsAreDurable = true, answersByHand = false
    private(set) var isClosed = false
    private(set) var records: [SentEntry] = []
    private(set) var question: Inquiry?
    private(set) var inquiries: [Inquiry] = []
    private var heard: Octets = []
    private var events: [SessionEvent] = []
    private var recordsOpen = 0
    private var pending: Octets = []

    struct Setup {
        var direction = Direction.auto
        var recordFailure = RecordFailure.tempfail
        var recordPairs = PairRecording.withoutID
        var policy = SessionTranscript.exampleOrg
        var outgoing = ["192.0.2.128/25"]
        var exempt = ["198.51.100.9/32"]
    }

    init(_ change: (inout Setup) -> Void = { _ in }) {
        var setup = Setup()
        change(&setup)
        let settings = SessionSettings(
            hostname: "guard.example.org", identity: .none, policy: Policy(setup.policy), recordFailure: setup.recordFailure, recordPairs: setup.recordPairs,
            networks: ClientNetworks(exempt: setup.exempt.compactMap { Network($0) }, outgoing: setup.outgoing.compactMap { Network($0) }))
        session = MilterSession(
            number: 0x2A,
            settings: MilterSettings(session: settings, outgoingDaemons: [Octets("ORIGINATING")], timeout: 60_000),
            direction: setup.direction)
        session.opened(at: now)
    }

    // MARK: MilterSink

    func toMTA(_ octets: Octets) {
        if isClosed { Issue.record("an answer after the end") }
        heard += octets
    }
    func closeMTA() {
        if isClosed { Issue.record("closed twice") }
        isClosed = true
    }
    func ask(_ inquiry: Inquiry) {
        if question != nil { Issue.record("two questions at once") }
        question = inquiry
        inquiries.append(inquiry)
    }
    func record(_ entry: SentEntry) {
        records.append(entry)
        recordsOpen += 1
    }
    func report(_ event: @autoclosure () -> SessionEvent) { events.append(event()) }

    // MARK: what comes in

    @discardableResult
    func says(_ packets: Octets...) -> MilterTranscript {
        for packet in packets { pieces([packet]) }
        return self
    }

    func pieces(_ pieces: [Octets]) {
        for piece in pieces {
            pending += piece
            settle()
        }
    }

    func recorded(_ isDurable: Bool) {
        recordsOpen -= 1
        session.recorded(isDurable, at: now, into: self)
        settle()
    }

    func answerQuestion() {
        guard let inquiry = question else { return }
        question = nil
        session.found(log.answer(inquiry), at: now, wallClock: 1_700_000_000, into: self)
        settle()
    }

    func after(_ milliseconds: Int64) {
        now += milliseconds
        session.ticked(at: now, into: self)
        settle()
    }

    func stop() {
        session.stop(into: self)
        settle()
    }

    func ends() { session.ended(into: self) }

    private func settle() {
        while !isClosed {
            if !answersByHand, question != nil {
                let inquiry = question
                question = nil
                if let inquiry { session.found(log.answer(inquiry), at: now, wallClock: 1_700_000_000, into: self) }
            } else if !recordsByHand, recordsOpen > 0 {
                recordsOpen -= 1
                session.recorded(recordsAreDurable, at: now, into: self)
            } else if !pending.isEmpty, session.takesOctets {
                let octets = pending
                pending = []
                let taken = session.received(octets.span, at: now, into: self)
                pending = Octets(octets[taken...])
            } else {
                break
            }
        }
    }

    // MARK: expectations

    /// The answers since the last look.
    func takeAnswers() -> [String] {
        let answers = MTA.takeAnswers(&heard)
        defer { heard = [] }
        return heard.isEmpty ? answers : answers + ["\(heard.count) octets"]
    }

    func hears(_ answers: String..., at location: SourceLocation = #_sourceLocation) { #expect(takeAnswers() == answers, sourceLocation: location) }

    func logs(_ lines: String..., at location: SourceLocation = #_sourceLocation) {
        let texts = events.map(\.text)
        events = []
        #expect(texts == lines.map { "S0000002a " + $0 }, sourceLocation: location)
    }

    // MARK: beginnings

    /// Negotiated with all that Postfix offers, and a client connected.
    @discardableResult
    func connected(_ address: String = "192.0.2.7", port: UInt16 = 4711, daemon: String = "mx.example.org", offer: Octets = MTA.offer()) -> MilterTranscript {
        says(offer, MTA.macros("C", [("{daemon_name}", daemon), ("{daemon_port}", port == 0 ? "0" : "25")]), MTA.connect(address, port: port))
        _ = takeAnswers()
        return self
    }

    /// A client of our own network has begun a mail.
    func outgoing() -> MilterTranscript {
        connected("192.0.2.200").says(MTA.mail("<ann@example.org>"), MTA.rcpt("<eve@there.example>"), MTA.rcpt("<joe@there.example>"))
        _ = takeAnswers()
        return self
    }

    /// A stranger has begun a bounce.
    func bounce(to recipient: String = "<ann@example.org>") -> MilterTranscript {
        connected().says(MTA.mail("<>"), MTA.rcpt(recipient))
        _ = takeAnswers()
        return self
    }
}
