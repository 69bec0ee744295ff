// Which upstream comes next: the configured ones in their order, each with all the addresses of its name.

import Glibc

/// One attempt to reach an upstream, address by address.
final class Dialling {
    enum Next {
        case address(SocketAddress)
        case name(String, UInt16)
        case program(UpstreamProgram)
        case none
    }

    /// Found by the resolver for the name asked last.
    var addresses: [SocketAddress] = []
    /// What went wrong so far, for the log.
    var failures: [String] = []
    private var targets: ArraySlice<UpstreamTarget>
    /// The name or address of the upstream that is tried, as the configuration writes it; nil for a Unix socket.
    private(set) var host: String?
    private let timeout: Int64
    private var began: Int64 = .max
    private var resolution: Resolution?

    init(targets: [UpstreamTarget], timeout: Int64) {
        self.targets = targets[...]
        self.timeout = timeout
    }

    func next() -> Next {
        if !addresses.isEmpty { return .address(addresses.removeFirst()) }
        switch targets.popFirst() {
        case .address(let address):
            let peer = PeerAddress(address)
            host = peer.family == .unixSocket ? nil : peer.text
            return .address(address)
        case .name(let host, let port):
            self.host = host
            return .name(host, port)
        case .program(let program):
            host = nil
            return .program(program)
        case nil: return .none
        }
    }

    func resolve(_ host: String, _ port: UInt16, loop: EventLoop, _ answered: @escaping ([SocketAddress]) -> Void) {
        resolution = Resolution(host: host, port: port, loop: loop) { [weak self] addresses in
            if addresses.isEmpty { self?.failures.append("no address for \(host)") }
            answered(addresses)
        }
    }

    /// connect(2) has had its time; meaningless once the greeting is there.
    func hasTimedOut(at now: Int64) -> Bool { began != .max && now - began > timeout }

    /// The upstream has spoken: connect(2) has succeeded, and from now on other deadlines hold.
    func stands() { began = .max }

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
        case .failure(let error):
            dialling.failures.append(error.text)
            return nil
        }
    }
}

/// An upstream as the configuration names it.
enum UpstreamTarget: Sendable {
    case address(SocketAddress)
    case name(String, UInt16)
    case program(UpstreamProgram)
}
