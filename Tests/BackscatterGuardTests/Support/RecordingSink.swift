// The driver behind a session without sockets: keeps what the session tells it, and holds it to the driver's contract.

import Testing
@testable import BackscatterGuard

/// Records, in order, what a session does.
final class RecordingSink: SessionSink {
    private(set) var clientOctets: Octets = []
    private(set) var upstreamOctets: Octets = []
    private(set) var dials: [String] = []
    private(set) var hangUps = 0
    private(set) var hasClosedClient = false
    private(set) var hasDroppedClient = false
    private(set) var saidQuit = false
    private(set) var events: [SessionEvent] = []
    private(set) var records: [SentEntry] = []
    private(set) var inquiries: [Inquiry] = []
    /// Octets that this session says it holds.
    private(set) var held = 0
    private(set) var mostHeld = 0
    /// What broke the contract; checked at the end of every transcript.
    private(set) var faults: [String] = []

    var wantsDial = false
    var isLinked = false
    var question: Inquiry?
    var recordsAwaited = 0

    var isOver: Bool { hasClosedClient || hasDroppedClient }

    func toClient(_ octets: Span<UInt8>) {
        if isOver { faults.append("octets for a client that is gone") }
        clientOctets.append(octets)
    }

    func toUpstream(_ octets: Span<UInt8>) {
        if !isLinked, !octets.isEmpty { faults.append("octets for an upstream that is not there") }
        upstreamOctets.append(octets)
    }

    func dial(next: Bool) {
        if isLinked || wantsDial { faults.append("dialled twice") }
        dials.append(next ? "next" : "first")
        wantsDial = true
    }

    func hangUpUpstream() {
        isLinked = false
        wantsDial = false
        hangUps += 1
    }

    private(set) var handshakes = 0
    private(set) var upstreamHandshakes = 0
    func startTLS() { handshakes += 1 }
    func startUpstreamTLS() { upstreamHandshakes += 1 }

    func closeClient(saidQuit: Bool) {
        hasClosedClient = true
        self.saidQuit = saidQuit
        if isLinked { faults.append("client closed before its upstream") }
    }

    func dropClient() { hasDroppedClient = true }

    func ask(_ inquiry: Inquiry) {
        if question != nil { faults.append("two questions at once") }
        question = inquiry
        inquiries.append(inquiry)
    }

    func record(_ entry: SentEntry, isAwaited: Bool) {
        records.append(entry)
        if isAwaited { recordsAwaited += 1 }
    }

    func holdChanged(by octets: Int) {
        held += octets
        mostHeld = max(mostHeld, held)
        if held < 0 { faults.append("fewer than no octets held") }
    }

    func report(_ event: @autoclosure () -> SessionEvent) { events.append(event()) }

    // MARK: taking what is there

    func takeClientText() -> String {
        defer { clientOctets = [] }
        return String(decoding: clientOctets, as: UTF8.self)
    }

    func takeUpstreamText() -> String { String(decoding: takeUpstreamOctets(), as: UTF8.self) }

    func takeUpstreamOctets() -> Octets {
        defer { upstreamOctets = [] }
        return upstreamOctets
    }

    func takeEvents() -> [SessionEvent] {
        defer { events = [] }
        return events
    }
}
