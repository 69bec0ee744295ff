// A session between the two models, driven as the daemon's relay drives it: octets that were not taken are offered again
// after every event. Every promise of the sink's contract is checked here.

@testable import BackscatterGuard
import Glibc

/// A mail that the upstream took.
struct Mail: Equatable {
    var envelope: Envelope
    var content: Octets
    /// guardd has the whole reply that says so.
    var isTold = false
}

struct StageSettings {
    var identity = UpstreamIdentity.none
    var direction = Direction.inbound
    var recordFailure = RecordFailure.tempfail
    var refusesBareLineEndings = false
    var holdLimit = 256 * 1024
    var hardErrorLimit = 20
    /// Without what puts commands off by time, or 421 where the model does not look for it.
    var limits: SessionLimits {
        var limits = SessionLimits()
        (limits.hardErrors, limits.softErrors, limits.junkCommands) = (hardErrorLimit, 0, 0)
        return limits
    }
    var policy = 0
    var isExempt = false
    var isOutgoingClient = false
    /// In `xforward_clients`.
    var mayForward = false
    var offersPipelining = true
    var offersChunking = true
    var clientTLS = ClientTLS()
    var upstreamTLS = UpstreamTLS.none
    /// Everything is answered well at once.
    var isObliging = false

    var keywords: String {
        let offered = (offersPipelining ? ["PIPELINING"] : []) + (offersChunking ? ["CHUNKING", "BINARYMIME"] : [])
        return (["mx.example.org"] + offered + ["SIZE 1000000", "AUTH PLAIN LOGIN", "XCLIENT NAME ADDR PORT PROTO HELO", "XFORWARD NAME ADDR PORT HELO", "STARTTLS", "8BITMIME"]).joined(separator: "|")
    }
}

final class Stage: SessionSink {
    static let client = PeerAddress("192.0.2.7", port: 4711) ?? .unixSocket
    static let server = PeerAddress("192.0.2.25", port: 25) ?? .unixSocket

    let settings: StageSettings
    private var session: SMTPSession
    private var now: Int64 = 1_000
    private var clientModel: ClientModel?
    private(set) var upstream: UpstreamModel?
    /// Octets of the client that the session has not taken.
    private var offered: Octets = []
    private var hasEnded = false
    private var toldEnd = false
    private(set) var wantsDial = false
    /// Handshakes under way.
    private(set) var isShaking = false
    private(set) var isUpstreamShaking = false
    private(set) var question: Inquiry?
    private(set) var recordsAwaited = 0
    private var isRecorded = false
    private var held = 0
    private(set) var isOver = false
    private(set) var delivered: [Mail] = []
    /// Taken by the upstream, and the client has not heard of it.
    private(set) var unclaimed: [Mail] = []

    var clientCodes: [Int] { clientModel?.codes ?? [] }

    init(_ settings: StageSettings) {
        self.settings = settings
        let shared = SessionSettings(
            hostname: "guard.example.org", identity: settings.identity, policy: Policies.all[settings.policy % Policies.all.count],
            recordFailure: settings.recordFailure, refusesBareLineEndings: settings.refusesBareLineEndings,
            holdLimit: settings.holdLimit, limits: settings.limits, upstreamTLS: settings.upstreamTLS,
            authWithoutTLS: settings.clientTLS.start == .none,
            networks: ClientNetworks(
                exempt: [Network("198.51.100.8")].compactMap { $0 }, outgoing: [Network("198.51.100.6")].compactMap { $0 },
                forwarding: settings.mayForward ? [Network("192.0.2.7")].compactMap { $0 } : [])
        )
        session = SMTPSession(
            number: 1, settings: shared, client: Stage.client, server: Stage.server, direction: settings.direction,
            isExempt: settings.isExempt, isOutgoingClient: settings.isOutgoingClient, clientTLS: settings.clientTLS
        )
        clientModel = ClientModel(self)
        session.opened(at: now, into: self)
        settle()
    }

    /// With FUZZ_TRACE in the environment a session tells its story: to understand a crash.
    private static let isTraced = unsafe getenv("FUZZ_TRACE") != nil

    private func trace(_ who: String, _ what: @autoclosure () -> String) {
        guard Stage.isTraced else { return }
        let line = "\(who): \(what().debugDescription)\n"
        _ = unsafe write(STDERR_FILENO, line, line.utf8.count)         // at once: a crash may follow
    }

    private func trace(_ who: String, _ octets: Octets) { trace(who, String(decoding: octets, as: UTF8.self)) }

    // MARK: events

    func client(_ octets: Octets) {
        guard !isOver, !hasEnded, !isShaking else { return }
        trace("client says", octets)
        clientModel?.says(octets)
        offered += octets
        settle()
        if settings.isObliging { quiesce() }
    }

    func clientEnds() {
        trace("event", "client ended")
        hasEnded = true
        settle()
    }

    func clientFails() {
        guard !isOver else { return }
        trace("event", "client failed")
        session.clientFailed(into: self)
        settle()
    }

    func dialled(_ succeeds: Bool) {
        guard wantsDial, !isOver else { return }
        trace("event", "dialled: \(succeeds)")
        wantsDial = false
        if succeeds {
            upstream = UpstreamModel(self, settings)
            session.upstreamConnected(at: now, into: self)
        } else {
            session.upstreamUnavailable(at: now, into: self)
        }
        settle()
    }

    /// The upstream answers `count` commands in one piece, or each reply in pieces.
    func upstreamAnswers(_ answers: [Answer], cutAt cut: Int?) {
        guard let upstream else { return }
        var octets: Octets = []
        var ends = false
        var isOdd = false
        for answer in answers where !ends && !isOdd {
            guard let (reply, isLast, _) = upstream.reply(answer) else { break }
            octets += reply
            ends = isLast
            isOdd = answer == .odd && !reply.starts(with: Octets("334".utf8))
        }
        guard !octets.isEmpty else { return }
        if let cut, cut < octets.count {
            hears(upstream: Octets(octets[..<cut]))
            octets.removeSubrange(..<cut)
            guard self.upstream === upstream else { return }
        }
        for index in unclaimed.indices { unclaimed[index].isTold = true }
        hears(upstream: octets)
        if isOdd { promise(isOver || self.upstream !== upstream, "lives on after \(octets)") }
        if ends, self.upstream === upstream { upstreamEnds() }
    }

    /// Octets that answer nothing, or are no reply at all.
    func upstreamBabbles(_ octets: Octets) {
        guard let upstream, upstream.pending.isEmpty, !isUpstreamShaking else { return }
        hears(upstream: octets)
        promise(isOver || self.upstream !== upstream, "lives on after \(octets), which answers nothing")
    }

    private func hears(upstream octets: Octets) {
        trace("upstream says", octets)
        session.upstreamSent(octets.span, at: now, into: self)
        settle()
    }

    func upstreamEnds() {
        guard upstream != nil else { return }
        trace("event", "upstream ended")
        if isUpstreamShaking { return upstreamShakes(false) }
        let old = upstream
        session.upstreamEnded(at: now, into: self)
        promise(upstream == nil || upstream !== old, "a connection that broke was kept")
        settle()
    }

    func clientShakes(_ succeeds: Bool) {
        guard isShaking, !isOver else { return }
        trace("event", "client secured: \(succeeds)")
        isShaking = false
        if succeeds {
            session.clientSecured(TLSSummary(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384"), at: now, into: self)
        } else {
            session.clientHandshakeFailed("no shared cipher", into: self)
            promise(isOver, "lives on after a handshake that failed")
        }
        settle()
    }

    func upstreamShakes(_ succeeds: Bool) {
        guard isUpstreamShaking, !isOver, let upstream else { return }
        trace("event", "upstream secured: \(succeeds)")
        isUpstreamShaking = false
        if succeeds {
            upstream.secured()
            session.upstreamSecured(at: now, into: self)
        } else {
            session.upstreamHandshakeFailed("bad certificate", at: now, into: self)
            promise(self.upstream !== upstream, "a connection that broke was kept")
        }
        settle()
    }

    func answersQuestion(_ findings: (Inquiry) -> Findings) {
        guard let inquiry = question, !isOver else { return }
        trace("event", "found")
        question = nil
        session.found(findings(inquiry), at: now, wallClock: 1_795_000_000, into: self)
        settle()
    }

    func recorded(_ isDurable: Bool) {
        guard recordsAwaited > 0, !isOver else { return }
        trace("event", "recorded: \(isDurable)")
        recordsAwaited -= 1
        isRecorded = isRecorded || isDurable || settings.recordFailure == .pass
        session.recorded(isDurable, at: now, into: self)
        settle()
    }

    func passes(_ time: Int64, stalled: Int64 = 0, commandLimit: Int64 = .max) {
        guard !isOver else { return }
        trace("event", "time: \(time), stalled \(stalled)")
        now += time
        session.ticked(at: now, upstreamStalled: stalled, commandLimit: commandLimit, into: self)
        settle()
    }

    func outgrows() {
        guard !isOver else { return }
        trace("event", "outgrown")
        session.outgrew(at: now, into: self)
        settle()
    }

    func stops() {
        guard !isOver else { return }
        trace("event", "stop")
        session.stop(into: self)
        settle()
    }

    /// Everything that is due is answered well, until nothing is.
    func quiesce() {
        for _ in 0..<100_000 {
            if isOver { return }
            if isShaking {
                clientShakes(true)
            } else if isUpstreamShaking {
                upstreamShakes(true)
            } else if wantsDial {
                dialled(true)
            } else if question != nil {
                answersQuestion { Findings(nothingFor: $0, .answered) }
            } else if recordsAwaited > 0 {
                recorded(true)
            } else if upstream?.pending.isEmpty == false {
                upstreamAnswers([.yes], cutAt: nil)
            } else {
                promise(session.takesClientOctets && !session.hasWaitingCommand, "stuck: nothing is due, and nothing is taken")
                return
            }
        }
        promise(false, "no end")
    }

    /// After the end nothing may come of any event that is late.
    func checkSilence() {
        guard isOver else { return }
        _ = session.clientSent(Octets("NOOP\r\n".utf8).span, at: now, into: self)
        session.upstreamSent(Octets("250 ok\r\n".utf8).span, at: now, into: self)
        session.upstreamConnected(at: now, into: self)
        session.upstreamUnavailable(at: now, into: self)
        session.upstreamEnded(at: now, into: self)
        session.recorded(true, at: now, into: self)
        session.found(Findings(), at: now, wallClock: 0, into: self)
        session.outgrew(at: now, into: self)
        session.ticked(at: now + 10_000_000, upstreamStalled: 0, commandLimit: 0, into: self)
        session.clientEnded(at: now, into: self)
        checkState()
    }

    private func settle() {
        while !isOver, feed() {}
        checkState()
    }

    private func feed() -> Bool {
        if isShaking { offered = [] }
        if !offered.isEmpty || session.hasWaitingCommand {
            guard session.takesClientOctets else { return false }
            let octets = offered
            offered = []
            let hadWaiting = session.hasWaitingCommand
            let taken = session.clientSent(octets.span, at: now, into: self)
            promise(taken >= 0 && taken <= octets.count, "took \(taken) of \(octets.count)")
            offered = Octets(octets[taken...])
            return taken > 0 || hadWaiting != session.hasWaitingCommand
        }
        guard hasEnded, !toldEnd else { return false }
        toldEnd = true
        session.clientEnded(at: now, into: self)
        return true
    }

    private func checkState() {
        promise(held >= 0, "\(held) octets held")
        promise(clientModel?.hasHalfReply != true, "half a reply")
        promise(clientModel?.wasDismissed != true || isOver, "goes on after 421")
        if isOver { promise(held == 0 && upstream == nil, "over, but \(held) octets are held, upstream \(upstream == nil ? "gone" : "there")") }
    }

    // MARK: what the models tell

    /// The client got a 2xx for this mail.
    func accepted(_ envelope: Envelope?, _ content: Octets) {
        guard let mail = unclaimed.first, unclaimed.count == 1 else { fatalError("broken: 2xx for a mail that upstream has not taken: \(unclaimed.count)") }
        unclaimed = []
        promise(mail.envelope == envelope, "another envelope: \(mail.envelope) instead of \(String(describing: envelope))")
        promise(isSame(mail.content, content), "other content: \(mail.content) instead of \(content)")
        isRecorded = false
    }

    /// The client was told that its mail was not taken.
    func refused() {
        promise(!unclaimed.contains { $0.isTold }, "refused, though upstream took it")
        unclaimed = []
        isRecorded = false
    }

    /// The upstream heard the end of content.
    func contentArrived(_ envelope: Envelope?, _ content: Octets) {
        checkRecord(envelope)
        guard let clientModel, !clientModel.isLost else { return }
        guard let due = clientModel.contentDue else { fatalError("broken: an end that the client did not send") }
        promise(isSame(content, due), "other content: \(content) instead of \(due)")
    }

    func lastChunkArrived(_ envelope: Envelope?) { checkRecord(envelope) }

    private func checkRecord(_ envelope: Envelope?) {
        guard settings.direction == .outbound, !settings.isExempt, let envelope else { return }
        guard MailArguments(envelope.mail.span)?.isNull == false else { return }
        promise(isRecorded, "left before its record was durable")
    }

    private func isSame(_ arrived: Octets, _ sent: Octets) -> Bool {
        if arrived == sent { return true }
        let field = Octets("X-Guardd-Verdict: guard.example.org; verdict=mark; reason=".utf8)
        guard arrived.starts(with: field), let lf = arrived.firstIndex(of: ASCII.lf) else { return false }
        return Octets(arrived[(lf + 1)...]) == sent
    }

    func delivers(_ mail: Mail) {
        delivered.append(mail)
        unclaimed.append(mail)
    }

    // MARK: SessionSink

    func toClient(_ octets: Span<UInt8>) {
        trace("client hears", octets.copied())
        promise(!isOver && !isShaking, "octets for a client that is gone, or in clear")
        clientModel?.hears(octets)
    }

    func toUpstream(_ octets: Span<UInt8>) {
        guard !octets.isEmpty else { return }
        trace("upstream hears", octets.copied())
        guard let upstream else { fatalError("broken: octets for an upstream that is not there: \(octets.copied())") }
        upstream.hears(octets)
    }

    func dial(next: Bool) {
        trace("guardd", "dials")
        promise(upstream == nil && !wantsDial && !isOver, "dialled twice, or after the end")
        wantsDial = true
    }

    func hangUpUpstream() {
        trace("guardd", "hangs up")
        upstream = nil
        (wantsDial, isUpstreamShaking) = (false, false)
    }

    func startTLS() {
        promise(!isShaking && !isOver && clientModel?.expected.count ?? 0 <= 1, "a handshake in the middle")
        isShaking = true
    }

    func startUpstreamTLS() {
        promise(upstream?.pending.isEmpty == true && !isUpstreamShaking, "a handshake in the middle")
        isUpstreamShaking = true
    }

    func closeClient(saidQuit: Bool) { closeClient() }

    func closeClient() {
        promise(upstream == nil, "the client was closed before the upstream")
        trace("guardd", "closes")
        isOver = true
    }

    func dropClient() {
        trace("guardd", "drops the client")
        isOver = true
    }

    func ask(_ inquiry: Inquiry) {
        promise(question == nil || !isOver, "asks after the end")
        trace("guardd", "asks for \(inquiry.ids.count) ids, counts: \(inquiry.countsReturn)")
        question = inquiry
    }

    func record(_ entry: SentEntry, isAwaited: Bool) {
        promise(!isOver, "records after the end")
        trace("guardd", "records")
        if isAwaited { recordsAwaited += 1 }
    }

    func holdChanged(by octets: Int) { held += octets }

    func report(_ event: @autoclosure () -> SessionEvent) {
        let text = event().text
        promise(text.utf8.allSatisfy { $0 >= ASCII.space && $0 < ASCII.del }, "log line: \(text)")
    }
}
