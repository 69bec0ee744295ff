// What a session tells its driver to do, in order. The driver only performs; tests use one that records.
// No sink method calls back into the session: what it brings about arrives later as an event.

/// The sockets, the sent log and the log lines behind one SMTP session.
public protocol SessionSink: AnyObject {
    /// Octets for the client; the span is valid during the call only.
    func toClient(_ octets: Span<UInt8>)
    /// Octets for the upstream; the span is valid during the call only.
    func toUpstream(_ octets: Span<UInt8>)
    /// Connects to the first upstream, or with `next` to the one after that which failed last. `upstreamConnected`
    /// or, when none is left, `upstreamUnavailable` follows.
    func dial(next: Bool)
    /// Goes on in TLS with the client when all replies have been written; `clientSecured` or `clientHandshakeFailed` follows.
    /// What the client has sent in clear until then is thrown away.
    func startTLS()
    /// Goes on in TLS with the upstream; `upstreamSecured` or `upstreamHandshakeFailed` follows.
    func startUpstreamTLS()
    /// Closes the upstream connection at once. What was not yet written is dropped.
    func hangUpUpstream()
    /// Closes the client's connection when all replies have been written.
    ///
    /// - Parameter saidQuit: the client asked for it and sends no more: no need to wait for its FIN.
    func closeClient(saidQuit: Bool)
    /// Closes the client's connection at once.
    func dropClient()
    /// Puts a question to the sent log; `found` follows.
    func ask(_ inquiry: Inquiry)
    /// Makes a record durable; `recorded` follows when `isAwaited`.
    func record(_ entry: SentEntry, isAwaited: Bool)
    /// The held octets of this session have changed by so many.
    func holdChanged(by octets: Int)
    /// A fact for the log and the counters.
    func report(_ event: @autoclosure () -> SessionEvent)
}

extension SessionSink {
    func toClient(_ octets: Octets) { toClient(octets.span) }
    func toUpstream(_ octets: Octets) { toUpstream(octets.span) }
}
