// The two sockets of a relay: each hands on what it hears, and nothing once the relay has let it go.

/// The client's side of a relay.
final class ClientSocket: Socket {
    var relay: Relay?

    init(descriptor: CInt, relay: Relay, loop: EventLoop) throws(ReactorError) {
        self.relay = relay
        try super.init(descriptor: descriptor, loop: loop)
    }

    override func received(_ octets: Span<UInt8>) { relay?.clientSent(octets) }
    override func ended() { relay?.clientEnded() }
    override func secured(version: String, cipher: String) { relay?.clientSecured(TLSSummary(version: version, cipher: cipher)) }
    override func handshakeFailed(_ reason: String) { relay?.clientHandshakeFailed(reason) }
    override func failed(_ number: CInt) { relay?.clientFailed() }
    override func drained() { relay?.drained() }
    override func lingeringEnded() { relay?.finish() }
}

/// The upstream's side of a relay.
final class UpstreamSocket: Socket {
    var relay: Relay?

    init(descriptor: CInt, relay: Relay, loop: EventLoop) throws(ReactorError) {
        self.relay = relay
        try super.init(descriptor: descriptor, loop: loop)
    }

    override var hearsLastWords: Bool { true }
    override func received(_ octets: Span<UInt8>) { relay?.upstreamSent(octets) }
    override func ended() { relay?.upstreamEnded() }
    override func secured(version: String, cipher: String) { relay?.upstreamSecured() }
    override func handshakeFailed(_ reason: String) { relay?.upstreamHandshakeFailed(reason) }
    override func failed(_ number: CInt) { relay?.upstreamFailed(number) }
    override func drained() { relay?.drained() }
}
