// Where the status is told: HTTP on a Unix socket, and on a loopback port where the configuration wants one. On the main
// thread's loop, so that a reader, however slow, never costs a worker anything.

import Glibc

/// The two doors to the same answers.
final class StatusSocket {
    private var socket: UnixListener?
    private var servers: [HTTPServer] = []
    /// Doors behind which somebody still waits for an answer, after `retire`.
    private var retiring = 0

    /// Who listens at start and what answers later: the numbers do not exist yet when the sockets are made.
    var answer: (HTTPRequest) -> HTTPResponse = { _ in .line(503, "Service Unavailable", "starting") }

    /// - Parameter isSuccessor: another guardd answers at the path and the port until `open`.
    /// - Throws: what keeps a socket from being made that the configuration names.
    init(_ configuration: Configuration, isSuccessor: Bool, loop: EventLoop, log: LogWriter) throws(ServerError) {
        if let (place, isWritten) = configuration.statusPlace {
            do throws(ReactorError) {
                // A successor takes its predecessor's place, and nobody else's: another guardd with the same state directory
                // may have the socket.
                let mayReplace = isSuccessor && UnixPeer.listener(at: place.path)?.pid == getppid()
                let made = try UnixListener(place.path, mode: mode_t(place.mode), group: place.group, mayReplace: mayReplace)
                socket = made
                servers.append(try HTTPServer(descriptor: made.descriptor, loop: loop) { [unowned self] in answer($0) })
            } catch {
                socket?.removePath()
                socket = nil
                guard !isWritten else { throw .listen(address: place.path, error) }
                log.write(.warning, "status socket: \(place.path): \(StatusSocket.reason(error)): there is none (status_socket)")
            }
        }
        guard let address = configuration.statusListen else { return }
        do throws(ReactorError) {
            let descriptor = try StatusSocket.listen(SocketAddress(address), isShared: isSuccessor)
            servers.append(try HTTPServer(descriptor: descriptor, loop: loop) { [unowned self] request in
                // A page of a stranger whose name was made to point here (DNS rebinding) says his name.
                guard StatusSocket.isOwnName(request.host) else { return .line(421, "Misdirected Request", "ask for localhost or the address") }
                return answer(request)
            })
        } catch {
            close()
            throw .listen(address: address.description, error)
        }
    }

    /// For people.
    static func reason(_ error: ReactorError) -> String {
        guard case .system(_, EADDRINUSE) = error else { return error.text }
        return "another guardd answers there; write a status_socket of its own, or guardd status can't ask this one"
    }

    /// A port that another guardd holds is shared with the one that takes its place only.
    private static func listen(_ address: SocketAddress, isShared: Bool) throws(ReactorError) -> CInt {
        if !isShared { try PortReservation(address).close() }
        return try Listener.open(address, backlog: 64, sharesPort: true)
    }

    /// - Parameter host: `localhost:9725`, `127.0.0.1`, `[::1]:9725`; nil: HTTP/1.0, no browser.
    static func isOwnName(_ host: String?) -> Bool {
        guard var name = host else { return true }
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") { name = String(name[..<colon]) }
        if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        return name.lowercased() == "localhost" || PeerAddress(name, port: 1)?.isLoopback == true
    }

    /// From now on readers find this process at the socket's path.
    func open(_ log: LogWriter) {
        do throws(ReactorError) {
            try socket?.takePath()
        } catch {
            log.write(.error, "status socket: \(error.text): nobody can reach it")
        }
    }

    /// Every second.
    func tick() { servers.forEach { $0.tick() } }

    /// Whoever asked this process before its successor was there may still wait for an answer.
    var isRetiring: Bool { retiring > 0 }

    /// The successor answers from now on; who already asked here is answered first.
    ///
    /// - Parameter done: called once, at once where nobody can ask.
    func retire(_ done: @escaping () -> Void) {
        retiring = servers.count
        guard isRetiring else { return done() }
        for server in servers {
            server.retire { [unowned self] in
                retiring -= 1
                if !isRetiring { done() }
            }
        }
    }

    /// Idempotent.
    func close() {
        retiring = 0
        socket?.removePath()
        socket = nil
        servers.forEach { $0.close() }
        servers = []
    }
}
