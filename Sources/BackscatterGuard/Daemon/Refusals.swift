// Clients that get a 421 and no session, because there are too many or guardd stops: they hear it, and have a few seconds to hang up.
// They are not counted among the clients, so their number and their time are bounded here.

/// The refused clients of one worker that have not hung up yet.
final class Refusals {
    /// More are closed at once, on the risk that the reply is lost with them.
    private static let limit = 256
    /// Milliseconds to take the reply and hang up.
    private static let patience: Int64 = 5_000

    private var clients: [ObjectIdentifier: RefusedClient] = [:]

    /// Says `reply` and closes; owns the descriptor from now on.
    func refuse(_ descriptor: CInt, _ reply: Octets, at now: Int64, loop: EventLoop) {
        guard let client = try? RefusedClient(descriptor: descriptor, until: now + Refusals.patience, refusals: self, loop: loop) else { return }
        client.send(reply.span)
        guard clients.count < Refusals.limit else { return client.close() }
        clients[ObjectIdentifier(client)] = client
        client.closeWhenFlushed()
    }

    var isEmpty: Bool { clients.isEmpty }

    func tick(at now: Int64) {
        for client in clients.values where now > client.until { forget(client) }
    }

    func closeAll() {
        for client in clients.values { forget(client) }
    }

    fileprivate func forget(_ client: RefusedClient) {
        clients[ObjectIdentifier(client)] = nil
        client.close()
    }
}

/// One of them.
private final class RefusedClient: Socket {
    let until: Int64
    private weak var refusals: Refusals?

    init(descriptor: CInt, until: Int64, refusals: Refusals, loop: EventLoop) throws(ReactorError) {
        self.until = until
        self.refusals = refusals
        try super.init(descriptor: descriptor, loop: loop)
    }

    override func failed(_ number: CInt) { refusals?.forget(self) }
    override func lingeringEnded() { refusals?.forget(self) }
}
