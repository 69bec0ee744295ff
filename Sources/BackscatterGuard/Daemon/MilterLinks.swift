// The milter connections of one worker. An MTA opens one for each of its own clients, so they count among all connections,
// but not by address; and whoever may connect may plant ids into the sent log, so only the MTA may.

import Glibc

/// What a reload replaces, for milter listeners.
struct MilterWorkerSettings: Sendable {
    var session: MilterSettings
    /// MTAs on other machines. Loopback and Unix sockets are always welcome.
    var clients: [Network]

    func admits(_ peer: PeerAddress) -> Bool {
        peer.family == .unixSocket || Network.loopback.contains { $0.contains(peer) } || clients.contains { $0.contains(peer) }
    }
}

/// Runs milter sessions on a worker's thread.
final class MilterLinks {
    private let connections: ConnectionLimits
    private let numbers: SessionNumbers
    private var links: [UInt64: MilterLink] = [:]
    private var places: [UInt64: (ConnectionLimits.Place, ConnectionLimits.Settings)] = [:]

    init(connections: ConnectionLimits, numbers: SessionNumbers) {
        self.connections = connections
        self.numbers = numbers
    }

    var isEmpty: Bool { links.isEmpty }

    /// Owns the descriptor from now on.
    func accept(_ descriptor: CInt, from peer: PeerAddress, _ direction: Direction, _ settings: WorkerSettings, worker: Worker) {
        guard settings.milter.admits(peer) else {
            worker.counters.refused(.milterClient)
            let kind = LogRepeat("milter: connection from \(peer.text) refused", rest: "milter: connection refused", .warning, client: peer.text)
            worker.log.write(kind, "milter: connection from \(peer.text) refused (milter_clients)")
            return _ = Glibc.close(descriptor)
        }
        guard case .success(let place) = connections.admit(.unixSocket, isListed: true, settings.limits, at: worker.now) else {
            worker.counters.refused(.total)
            let kind = LogRepeat("milter: connection refused: too many connections", rest: "milter: too many connections", .warning)
            worker.log.write(kind, "milter: connection refused: too many connections (max_connections)")
            return _ = Glibc.close(descriptor)
        }
        let session = MilterSession(number: numbers.next(), settings: settings.milter.session, direction: direction)
        let link = MilterLink(session: session, worker: worker, links: self)
        links[link.number] = link
        worker.counters.opened(.milter)
        places[link.number] = (place, settings.limits)
        do {
            try link.start(descriptor)
        } catch {
            worker.log.write(.error, "milter: \(error.text)")
            link.finish()
        }
    }

    func remove(_ link: MilterLink, worker: Worker) {
        guard links.removeValue(forKey: link.number) != nil else { return }
        worker.counters.closed(.milter)
        if let (place, limits) = places.removeValue(forKey: link.number) { connections.release(place, limits) }
        worker.endIfDone()
    }

    func recorded(_ number: UInt64, _ isDurable: Bool) { links[number]?.recorded(isDurable) }
    func tick() { for link in links.values { link.tick() } }
    func stop() { for link in links.values { link.stop() } }
    func abort() { for link in links.values { link.finish() } }
}
