// A listening socket of guardd: opened by itself, handed over by the guardd before it, or by a service manager. The main
// thread owns the descriptor; each worker that accepts from it gets a duplicate of its own, so nobody closes what another
// still uses, and the kernel closes the socket, with the clients in its queue, only when the last of all has gone.

import Glibc

/// One descriptor with the address that it is bound to.
final class ListeningSocket {
    /// Where a socket comes from, as the environment of a new guardd says it.
    enum Origin: Character {
        /// A service manager holds it on: who waits in its queue is served after the next start.
        case held = "h"
        case own = "o"
    }

    private(set) var descriptor: CInt
    let address: SocketAddress
    let origin: Origin

    /// Owns the descriptor.
    init(_ descriptor: CInt, _ origin: Origin) {
        self.descriptor = descriptor
        self.origin = origin
        address = SocketAddress.local(of: descriptor)
    }

    deinit { close() }

    /// Another descriptor of the same socket, closed on exec.
    ///
    /// - Parameter least: the lowest number that it may have.
    func duplicate(from least: CInt = 0) throws(ReactorError) -> CInt {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, least)
        if copy < 0 { throw .system(call: "fcntl", errno: errno) }
        return copy
    }

    /// Idempotent.
    func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }
}
