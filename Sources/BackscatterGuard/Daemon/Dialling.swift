// Which upstream comes next: the configured ones in their order, each with all the addresses of its name; those that are
// known to be down behind the others, those that would cost a client its time for nothing not at all.

import Glibc

/// One attempt to reach an upstream, address by address.
final class Dialling {
    enum Next {
        case address(SocketAddress)
        case name(String, UInt16)
        case program(UpstreamProgram)
        case none
    }

    private struct Candidate {
        let address: SocketAddress
        /// As the configuration writes it; nil for a Unix socket.
        let host: String?
    }

    /// What went wrong so far, for the log.
    var failures: [String] = []
    private var targets: ArraySlice<UpstreamTarget>
    private var addresses: [Candidate] = []
    /// Known to be down.
    private var later: [Candidate] = []
    /// The name or address of the upstream that is tried; nil for a Unix socket.
    private(set) var host: String?
    /// What is tried, as long as it has neither failed nor shown that it works.
    private var open: UpstreamHealth.Key?
    private let health: UpstreamHealth
    private let timeout: Int64
    private var began: Int64 = .max
    private var resolution: Resolution?

    /// - Parameter timeout: for connect(2), in milliseconds.
    init(targets: [UpstreamTarget], timeout: Int64, health: UpstreamHealth = UpstreamHealth()) {
        self.targets = targets[...]
        self.timeout = timeout
        self.health = health
    }

    func next(at now: Int64) -> Next {
        while true {
            if !addresses.isEmpty {
                let candidate = addresses.removeFirst()
                if isToTry(candidate, at: now) { return tries(candidate) }
                continue
            }
            switch targets.popFirst() {
            case .address(let address):
                let peer = PeerAddress(address)
                addresses = [Candidate(address: address, host: peer.family == .unixSocket ? nil : peer.text)]
            case .name(let host, let port):
                let key = UpstreamHealth.Key.name(host, port)
                if health.standing(key, at: now) != .up {
                    failures.append("no address for \(host)")
                    continue
                }
                (self.host, open) = (host, key)
                return .name(host, port)
            case .program(let program):
                (host, open) = (nil, nil)
                return .program(program)
            case nil:
                guard !later.isEmpty else { return .none }
                return tries(later.removeFirst())
            }
        }
    }

    private func tries(_ candidate: Candidate) -> Next {
        (host, open) = (candidate.host, .address(candidate.address))
        return .address(candidate.address)
    }

    private func isToTry(_ candidate: Candidate, at now: Int64) -> Bool {
        switch health.standing(.address(candidate.address), at: now) {
        case .up: return true
        case .down: later.append(candidate)
        case .silent: failures.append("\(candidate.address.text) is down")
        }
        return false
    }

    /// Something is left to try.
    private var hasMore: Bool { !targets.isEmpty || !addresses.isEmpty || !later.isEmpty }

    func resolve(_ host: String, _ port: UInt16, loop: EventLoop, _ answered: @escaping ([SocketAddress]) -> Void) {
        resolution = Resolution(host: host, port: port, loop: loop, answered: answered)
    }

    /// The addresses of the name that was asked for last.
    func found(_ found: [SocketAddress], at now: Int64) {
        if found.isEmpty, let host {
            failures.append("no address for \(host)")
            fails(.refused("no address for \(host)"), at: now)
        }
        if !found.isEmpty, let open { health.resolved(open, to: found) }
        open = nil
        addresses = found.map { Candidate(address: $0, host: host) }
    }

    /// connect(2) has had its time; meaningless once the greeting is there. Where there is another upstream, less time:
    /// then it is enough that the prober has no answer either.
    func hasTimedOut(at now: Int64) -> Bool {
        guard began != .max else { return false }
        if now - began > timeout { return true }
        guard now - began > 1_000, let open else { return false }
        health.failed(open, .questionable, at: now)
        return hasMore && health.standing(open, at: now) == .silent
    }

    /// The upstream has spoken: connect(2) has succeeded, and from now on other deadlines hold.
    func stands() { began = .max }

    /// The upstream has said 220.
    func works() {
        guard let key = open else { return }
        open = nil
        health.works(key)
    }

    /// What was tried is of no use. Later calls for the same attempt mean nothing.
    func fails(_ fault: UpstreamHealth.Fault, at now: Int64) {
        guard let key = open else { return }
        open = nil
        health.failed(key, fault, at: now)
    }

    /// The socket failed.
    func fails(_ number: CInt, at now: Int64) {
        failures.append(errnoText(number))
        switch number {
        case ECONNRESET, EPIPE, EPROTO: fails(.questionable, at: now)
        case ETIMEDOUT, EHOSTUNREACH: fails(.silent, at: now)
        // What this machine lacks is not the upstream's fault.
        case EADDRNOTAVAIL, ENOBUFS, ENOMEM, EMFILE, ENFILE: open = nil
        default: fails(.refused(errnoText(number)), at: now)
        }
    }

    /// The connection was given up.
    func cancel() {
        resolution?.cancel()
        resolution = nil
        began = .max
    }

    /// A descriptor that is connected or connecting; nil after noting why not.
    static func open(_ address: SocketAddress, at now: Int64, _ dialling: Dialling) -> CInt? {
        switch address.connect() {
        case .success(let descriptor):
            dialling.began = now
            return descriptor
        case .failure(.system(_, let number)): dialling.fails(number, at: now)
        case .failure(let error): dialling.failures.append(error.text)
        }
        return nil
    }
}

/// An upstream as the configuration names it.
enum UpstreamTarget: Sendable {
    case address(SocketAddress)
    case name(String, UInt16)
    case program(UpstreamProgram)
}
