// Which listener of the configuration takes its clients from which sockets: those that were passed to this process, where
// their address is the listener's, else new ones, a SO_REUSEPORT socket for each worker. Every socket is accepted from,
// whatever the numbers of sockets and workers: a client in the queue of one that nobody watches would wait for ever.

import Glibc

/// The sockets of all listeners. Used by the main thread.
struct ListeningSockets {
    /// A worker's part: a descriptor that it owns, the index of its socket, and what its sessions have in common.
    struct Share: Sendable {
        let descriptor: CInt
        let socket: Int
        let door: Door
    }

    /// Of all listeners, in the order in which a successor gets them.
    private(set) var all: [ListeningSocket] = []
    private var doors: [Door] = []
    /// For each socket that was passed to this process: whether a listener uses it.
    private(set) var taken: [Bool] = []

    /// - Throws: `.configuration`: a socket of a service manager that no listener names; `.listen`: what the system refused.
    init(_ configuration: Configuration, _ inheritance: Inheritance) throws(ServerError) {
        let passed = inheritance.sockets
        taken = Array(repeating: false, count: passed.count)
        var faults: [ConfigurationError.Fault] = []
        var missing: [Configuration.Listener] = []
        for listener in configuration.listeners {
            let fitting = passed.indices.filter { listener.isBound(to: passed[$0].address) }
            for index in fitting {
                taken[index] = true
                add(passed[index], listener.door)
            }
            if fitting.isEmpty { missing.append(listener) }
        }
        if inheritance.report == nil {
            try ListeningSockets.checkFree(missing.filter { ListeningSockets.dualStack(for: $0, in: passed, configuration) == nil })
        }
        for listener in missing {
            guard let other = ListeningSockets.dualStack(for: listener, in: passed, configuration) else {
                try open(listener, count: configuration.workers)
                continue
            }
            if other.door != listener.door { faults.append(ListeningSockets.differing(listener, other, configuration)) }
        }
        faults += zip(passed, taken).filter { $0.origin == .held && !$1 }.map { socket, _ in ListeningSockets.unnamed(socket, configuration) }
        faults += ListeningSockets.circles(all, configuration)
        guard faults.isEmpty else { throw .configuration(ConfigurationError(faults)) }
        for (socket, isTaken) in zip(passed, taken) where !isTaken { socket.close() }
    }

    private mutating func add(_ socket: ListeningSocket, _ door: Door) {
        all.append(socket)
        doors.append(door)
    }

    /// The workers' sockets share a port, and would share it with another guardd's too: half of the clients each.
    private static func checkFree(_ listeners: [Configuration.Listener]) throws(ServerError) {
        for listener in listeners where listener.path == nil && listener.address.port != 0 {
            do throws(ReactorError) {
                try PortReservation(SocketAddress(listener.address)).close()
            } catch {
                throw .listen(address: listener.text, error)
            }
        }
    }

    private mutating func open(_ listener: Configuration.Listener, count: Int) throws(ServerError) {
        // There is no SO_REUSEPORT for a Unix socket: all workers accept from one.
        for _ in 0..<(listener.path == nil ? count : 1) {
            do throws(ReactorError) {
                add(ListeningSocket(try listener.open(), .own), listener.door)
            } catch {
                throw .listen(address: listener.text, error)
            }
        }
    }

    /// Each worker's descriptors: every socket has a worker at least, and every worker a socket of each listener.
    func shares(workers: Int) throws(ServerError) -> [[Share]] {
        var result: [[Share]] = Array(repeating: [], count: workers)
        let groups = Dictionary(grouping: all.indices) { all[$0].address.storage }
        for group in groups.values {
            for turn in 0..<max(workers, group.count) {
                let index = group[turn % group.count]
                do throws(ReactorError) {
                    result[turn % workers].append(Share(descriptor: try all[index].duplicate(), socket: index, door: doors[index]))
                } catch {
                    for share in result.joined() { _ = Glibc.close(share.descriptor) }
                    throw .reactor(error)
                }
            }
        }
        return result
    }

    /// The descriptors of the main thread; the workers close theirs.
    func close() { all.forEach { $0.close() } }

    // MARK: one socket for IPv6 and IPv4

    /// The listener on `[::]` whose passed socket takes the clients of this one on `0.0.0.0` as well: systemd's
    /// BindIPv6Only=both.
    private static func dualStack(
        for listener: Configuration.Listener, in passed: [ListeningSocket], _ configuration: Configuration
    ) -> Configuration.Listener? {
        guard listener.address.family == .ipv4, listener.address.isWildcard else { return nil }
        return configuration.listeners.first { other in
            other.address.family == .ipv6 && other.address.isWildcard && other.address.port == listener.address.port
                && passed.contains { PeerAddress($0.address) == other.address && $0.isDualStack }
        }
    }

    /// Upstreams that a socket for both makes guardd's own.
    private static func circles(_ all: [ListeningSocket], _ configuration: Configuration) -> [ConfigurationError.Fault] {
        var wider = configuration
        for socket in all where socket.isDualStack {
            guard let any = PeerAddress("0.0.0.0", port: PeerAddress(socket.address).port) else { continue }
            wider.listeners.append(.init(address: any))
        }
        return configuration.upstreams.compactMap { upstream in
            guard case .address(let address) = upstream, wider.isOwnListener(address) else { return nil }
            return .init(
                file: configuration.file, keyPath: "upstream",
                problem: "\(upstream.text) is taken by a passed socket for IPv6 and IPv4: mail would go in a circle; write the mail server's address")
        }
    }

    private static func differing(
        _ listener: Configuration.Listener, _ other: Configuration.Listener, _ configuration: Configuration
    ) -> ConfigurationError.Fault {
        .init(
            file: configuration.file, keyPath: "listener",
            problem: """
                \(other.address) was passed as one socket for IPv6 and IPv4, but \(listener.address) has other settings; give both the same, or \
                write BindIPv6Only=ipv6-only and ListenStream=\(listener.address) in the .socket unit
                """)
    }

    private static func unnamed(_ socket: ListeningSocket, _ configuration: Configuration) -> ConfigurationError.Fault {
        let address = PeerAddress(socket.address)
        guard address.family != .unixSocket else {
            return .init(file: configuration.file, keyPath: "LISTEN_FDS", problem: "a Unix socket was passed that no listener names; remove it from the .socket unit")
        }
        let both = socket.isDualStack ? " (for IPv4 too)" : ""
        return .init(
            file: configuration.file, keyPath: "LISTEN_FDS",
            problem: """
                \(address)\(both) was passed, but no listener names it; write [[listener]] with address = "\(address)", or remove \
                ListenStream=\(address) from the .socket unit
                """)
    }
}

extension ListeningSocket {
    /// IPv4 clients come to it as well.
    var isDualStack: Bool {
        let address = PeerAddress(address)
        return address.family == .ipv6 && address.isWildcard && Listener.option(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY) == 0
    }
}

extension Configuration.Listener {
    /// What sessions that begin here have in common.
    var door: Door { Door(direction: direction, records: records, tls: clientTLS, proxies: proxyClients, isMilter: kind == .milter) }
}
