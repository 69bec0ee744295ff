// A port that nobody else gets while its listener is still to be made: a socket that is bound with SO_REUSEPORT and never
// listens, so the kernel sends no client to it.

import CEvent
import Glibc

/// Holds a port of one address until `close()`.
public struct PortReservation: Sendable {
    /// With the port that is held.
    public let address: SocketAddress
    private let descriptor: CInt

    /// - Parameter wanted: port 0 means a free one.
    /// - Throws: `.system` when somebody listens on the port, one that shares it included.
    public init(_ wanted: SocketAddress) throws(ReactorError) {
        // Without SO_REUSEPORT the kernel refuses a port that another listener shares.
        let first = try PortReservation.bound(wanted, sharesPort: false)
        let address = SocketAddress.local(of: first)
        _ = Glibc.close(first)
        descriptor = try PortReservation.bound(address, sharesPort: true)
        self.address = address
    }

    /// Once.
    public func close() { _ = Glibc.close(descriptor) }

    private static func bound(_ address: SocketAddress, sharesPort: Bool) throws(ReactorError) -> CInt {
        let descriptor = address.blockingSocket()
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
        Listener.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
        if address.family == AF_INET6 { Listener.setOption(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY) }
        if sharesPort { Listener.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT) }
        guard unsafe address.withPointer({ unsafe bind(descriptor, $0, $1) }) == 0 else {
            let number = errno
            _ = Glibc.close(descriptor)
            throw .system(call: "bind", errno: number)
        }
        return descriptor
    }
}

extension SocketAddress {
    /// A new blocking stream socket of the address's family, closed on exec; negative with errno when there is none.
    func blockingSocket() -> CInt { socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0) }
}
