// Connections from load balancers whose PROXY header is not whole yet. No greeting, no session and no count by address
// before it is: the client is not known. Their number and their time are bounded here.

import Glibc

/// The connections of one worker that wait for their header.
final class ProxyGate {
    enum Outcome {
        /// The descriptor, unread behind the header; nil for the connection's own addresses.
        case came(CInt, ProxiedConnection?)
        /// The descriptor, and what was wrong.
        case failed(CInt, String)
        /// The descriptor: guardd stops.
        case stopped(CInt)
        /// It went away, having said nothing: how a load balancer looks whether the port is open.
        case wentAway
    }

    /// More than any balancer opens within the time that a header needs.
    private static let limit = 4096
    /// Milliseconds. The header comes with the connection: Postfix waits 5 s for it (smtpd_upstream_proxy_timeout).
    private static let patience: Int64 = 10_000

    private var waiting: [ObjectIdentifier: ProxiedSocket] = [:]

    /// Owns the descriptor from now on, until `done`, which is called once and owns the descriptor in its argument.
    func take(_ descriptor: CInt, at now: Int64, loop: EventLoop, _ done: @escaping (Outcome) -> Void) {
        guard waiting.count < ProxyGate.limit else { return done(.failed(descriptor, "too many connections wait for theirs")) }
        guard let socket = try? ProxiedSocket(descriptor: descriptor, until: now + ProxyGate.patience, gate: self, loop: loop, done)
        else { return }
        waiting[ObjectIdentifier(socket)] = socket
    }

    func tick(at now: Int64) {
        for socket in waiting.values where now > socket.until { socket.fail("not whole within \(ProxyGate.patience / 1000) s") }
    }

    var isEmpty: Bool { waiting.isEmpty }

    func stop() {
        for socket in waiting.values { socket.finish { .stopped($0) } }
    }

    func closeAll() {
        for socket in waiting.values { socket.close() }
        waiting = [:]
    }

    fileprivate func forget(_ socket: ProxiedSocket) { waiting[ObjectIdentifier(socket)] = nil }
}

/// One of them.
private final class ProxiedSocket: PreambleSocket {
    let until: Int64
    private weak var gate: ProxyGate?
    private let done: (ProxyGate.Outcome) -> Void
    private var reader = ProxyHeaderReader()
    private var step = ProxyHeaderReader.Step.needsMore
    private var hasBegun = false

    init(
        descriptor: CInt, until: Int64, gate: ProxyGate, loop: EventLoop, _ done: @escaping (ProxyGate.Outcome) -> Void
    ) throws(ReactorError) {
        self.until = until
        self.gate = gate
        self.done = done
        try super.init(descriptor: descriptor, loop: loop)
    }

    override func looked(at octets: Span<UInt8>) -> Int {
        hasBegun = true
        step = reader.read(octets)
        return switch step {
        case .needsMore: octets.count
        case .ended(let end, _): end
        case .malformed: 0
        }
    }

    override func advanced() {
        switch step {
        case .needsMore: return
        case .malformed: fail("there is none, or it is malformed")
        case .ended(_, let connection): finish { .came($0, connection) }
        }
    }

    override func ended() {
        if hasBegun { return fail("cut short") }
        gate?.forget(self)
        close()
        done(.wentAway)
    }

    func fail(_ reason: String) { finish { .failed($0, reason) } }

    func finish(_ outcome: (CInt) -> ProxyGate.Outcome) {
        gate?.forget(self)
        guard let descriptor = release() else { return }
        done(outcome(descriptor))
    }
}
