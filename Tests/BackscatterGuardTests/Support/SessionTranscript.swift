// Sessions as transcripts: what the client says, what the upstream says, and what each of them hears, step by step.
// Runs the session as the daemon's relay does: octets that were not taken are offered again after every event,
// questions are answered from a log in memory, records are durable at once unless the test says otherwise.

import Testing
@testable import BackscatterGuard

final class SessionTranscript {
    struct Setup {
        var identity = UpstreamIdentity.none
        var direction = Direction.auto
        var records = RecordRule.all
        var isExempt = false
        var isOutgoingClient = false
        var recordFailure = RecordFailure.tempfail
        var recordPairs = PairRecording.withoutID
        var refusesBareLineEndings = false
        /// The upstream is a program of guardd's.
        var upstreamIsProgram = false
        var refusalURL: String?
        var holdLimit = 256 * 1024
        var limits = SessionLimits()
        var clientTLS = ClientTLS()
        var upstreamTLS = UpstreamTLS.none
        var authWithoutTLS = true
        var networks = ClientNetworks()
        var policy = Policy(SessionTranscript.exampleOrg)
        var client = PeerAddress("192.0.2.7", port: 4711)
        /// How many upstreams there are to dial, one after the other.
        var upstreams = 1
    }

    /// example.org is protected, nothing else is.
    static var exampleOrg: PolicySettings {
        var settings = PolicySettings()
        settings.protectedDomains = [DomainPattern(Octets("example.org"))].compactMap(\.self)
        return settings
    }

    static let keywords = "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 CHUNKING"

    var session: SMTPSession
    let sink = RecordingSink()
    var log = MemorySentLog()
    var now: Int64 = 1_000
    var pending: Octets = []
    /// Records stay open until the test calls `recorded`.
    var recordsByHand = false
    var recordsAreDurable = true
    /// Questions stay open until the test calls `answerQuestion`.
    var answersByHand = false
    var upstreamsLeft: Int
    private let upstreams: Int
    private let upstreamIsProgram: Bool
    private var clientSaidEnd = false
    private var toldEnd = false

    init(_ change: (inout Setup) -> Void = { _ in }) {
        var setup = Setup()
        change(&setup)
        upstreams = setup.upstreams
        upstreamIsProgram = setup.upstreamIsProgram
        upstreamsLeft = setup.upstreams
        let settings = SessionSettings(
            hostname: "guard.example.org", identity: setup.identity, policy: setup.policy, recordFailure: setup.recordFailure, recordPairs: setup.recordPairs,
            refusesBareLineEndings: setup.refusesBareLineEndings, refusalURL: setup.refusalURL, holdLimit: setup.holdLimit,
            limits: setup.limits, upstreamTLS: setup.upstreamTLS, authWithoutTLS: setup.authWithoutTLS,
            networks: setup.networks
        )
        session = SMTPSession(
            number: 0x2A, settings: settings, client: setup.client ?? .unixSocket,
            server: PeerAddress("192.0.2.25", port: 25) ?? .unixSocket, direction: setup.direction, isExempt: setup.isExempt,
            isOutgoingClient: setup.isOutgoingClient, records: setup.records, clientTLS: setup.clientTLS
        )
        session.opened(at: now, into: sink)
        settle()
    }

    deinit {
        for fault in sink.faults { Issue.record("\(fault)") }
        if sink.isOver, sink.held != 0 { Issue.record("\(sink.held) octets held after the end") }
    }

    // MARK: what comes in

    /// Lines of the client, in one piece.
    func client(_ lines: String...) { clientRaw(lines.map { $0 + "\r\n" }.joined()) }
    func clientRaw(_ text: String) { clientOctets(Octets(text)) }

    func clientOctets(_ octets: Octets) {
        pending += octets
        settle()
    }

    func clientEnds() {
        clientSaidEnd = true
        settle()
    }

    func clientFails() {
        session.clientFailed(into: sink)
        settle()
    }

    /// Lines of the upstream, in one piece.
    func upstream(_ lines: String...) { upstreamRaw(lines.map { $0 + "\r\n" }.joined()) }
    func upstreamRaw(_ text: String) { upstreamOctets(Octets(text)) }

    func upstreamOctets(_ octets: Octets) {
        guard sink.isLinked else { return }
        session.upstreamSent(octets.span, at: now, into: sink)
        settle()
    }

    func upstreamEnds() {
        session.upstreamEnded(at: now, into: sink)
        settle()
    }

    func recorded(_ isDurable: Bool) {
        sink.recordsAwaited -= 1
        session.recorded(isDurable, at: now, into: sink)
        settle()
    }

    func answerQuestion() {
        guard let inquiry = sink.question else { return }
        sink.question = nil
        session.found(log.answer(inquiry), at: now, wallClock: 1_700_000_000, into: sink)
        settle()
    }

    func outgrow() {
        session.outgrew(at: now, into: sink)
        settle()
    }

    func stop() {
        session.stop(into: sink)
        settle()
    }

    /// Time passes; the driver ticks once at its end.
    func after(_ milliseconds: Int64, upstreamStalled: Int64 = 0, commandLimit: Int64 = .max) {
        now += milliseconds
        session.ticked(at: now, upstreamStalled: upstreamStalled, commandLimit: commandLimit, into: sink)
        settle()
    }

    // MARK: the driver's part

    private func settle() {
        while !sink.isOver {
            if sink.wantsDial {
                sink.wantsDial = false
                dial()
            } else if !answersByHand, let inquiry = sink.question {
                sink.question = nil
                session.found(log.answer(inquiry), at: now, wallClock: 1_700_000_000, into: sink)
            } else if !recordsByHand, sink.recordsAwaited > 0 {
                sink.recordsAwaited -= 1
                session.recorded(recordsAreDurable, at: now, into: sink)
            } else if !feed() {
                break
            }
        }
    }

    private func dial() {
        if sink.dials.last == "first" { upstreamsLeft = upstreams }
        guard upstreamsLeft > 0 else { return session.upstreamUnavailable(at: now, into: sink) }
        upstreamsLeft -= 1
        sink.isLinked = true
        session.upstreamConnected(isProgram: upstreamIsProgram, at: now, into: sink)
    }

    private func feed() -> Bool {
        if !pending.isEmpty || session.hasWaitingCommand {
            guard session.takesClientOctets else { return false }
            let octets = pending
            pending = []
            let hadWaiting = session.hasWaitingCommand
            let taken = session.clientSent(octets.span, at: now, into: sink)
            pending = taken == 0 ? octets : Octets(octets[taken...])
            return taken > 0 || hadWaiting != session.hasWaitingCommand || sink.question != nil
        }
        guard clientSaidEnd, !toldEnd, !sink.isOver else { return false }
        toldEnd = true
        session.clientEnded(at: now, into: sink)
        return true
    }
}

// MARK: expectations

extension SessionTranscript {
    /// What the client has heard since the last look, line by line, nothing else.
    func clientHears(_ lines: String..., at location: SourceLocation = #_sourceLocation) {
        #expect(sink.takeClientText() == lines.map { $0 + "\r\n" }.joined(), sourceLocation: location)
    }

    /// What the upstream has heard since the last look.
    func upstreamHears(_ lines: String..., at location: SourceLocation = #_sourceLocation) {
        #expect(sink.takeUpstreamText() == lines.map { $0 + "\r\n" }.joined(), sourceLocation: location)
    }

    func upstreamHearsRaw(_ text: String, at location: SourceLocation = #_sourceLocation) {
        #expect(sink.takeUpstreamText() == text, sourceLocation: location)
    }

    func nobodyHears(at location: SourceLocation = #_sourceLocation) {
        #expect(sink.takeClientText() == "", sourceLocation: location)
        #expect(sink.takeUpstreamText() == "", sourceLocation: location)
    }

    /// Log lines since the last look, without those for debugging.
    func logs(_ lines: String..., at location: SourceLocation = #_sourceLocation) {
        let texts = sink.takeEvents().filter { $0.severity != .debug }.map(\.text)
        #expect(texts == lines.map { "S0000002a " + $0 }, sourceLocation: location)
    }

    func isOver(at location: SourceLocation = #_sourceLocation) {
        #expect(sink.isOver, sourceLocation: location)
        #expect(!sink.isLinked, sourceLocation: location)
    }

    func goesOn(at location: SourceLocation = #_sourceLocation) {
        #expect(!sink.isOver, sourceLocation: location)
    }

    // MARK: beginnings that most tests share

    /// Greeting, EHLO, keywords: both sides have been heard.
    @discardableResult
    func opened(keywords: String = SessionTranscript.keywords) -> SessionTranscript {
        client("EHLO client.example")
        upstream("220 mx.example.org ESMTP")
        upstream(keywords)
        return forgotten()
    }

    /// After MAIL and RCPT of a bounce to the protected domain.
    @discardableResult
    func bounceBegun(to recipients: String...) -> SessionTranscript { begun(from: "", to: recipients.isEmpty ? ["ann@example.org"] : recipients) }

    @discardableResult
    func mailBegun(from sender: String = "bob@sender.example", to recipients: String...) -> SessionTranscript {
        begun(from: sender, to: recipients.isEmpty ? ["ann@example.org"] : recipients)
    }

    private func begun(from sender: String, to recipients: [String]) -> SessionTranscript {
        client("MAIL FROM:<\(sender)>")
        upstream("250 2.1.0 Ok")
        for recipient in recipients {
            client("RCPT TO:<\(recipient)>")
            upstream("250 2.1.5 Ok")
        }
        return forgotten()
    }

    func authenticated() -> SessionTranscript {
        client("AUTH PLAIN AGFubgBzZWNyZXQ=")
        upstream("235 2.7.0 Authentication successful")
        return forgotten()
    }

    @discardableResult
    func forgotten() -> SessionTranscript {
        _ = sink.takeClientText()
        _ = sink.takeUpstreamOctets()
        _ = sink.takeEvents()
        return self
    }
}
