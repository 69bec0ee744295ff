// A listening socket of one loop. With SO_REUSEPORT each worker has one of its own and the kernel spreads the clients; one
// that several loops accept from works as well, EAGAIN is normal then.

import CEvent
import Glibc

/// Accepts clients and hands over their non-blocking descriptors.
@safe public final class Listener {
    private let loop: EventLoop
    private let descriptor: CInt
    private var event: OpaquePointer?
    private var isPaused = false
    private let accepted: (CInt, SocketAddress) -> Void

    /// Accepted in one callback at most, so that one busy listener does not starve the sessions.
    private static let batch = 16
    /// Clients that the kernel lets wait.
    public static let backlog: CInt = 4096

    /// - Parameter accepted: gets a non-blocking, close-on-exec descriptor with TCP_NODELAY, which it owns, and the peer's address.
    public init(descriptor: CInt, loop: EventLoop, accepted: @escaping (CInt, SocketAddress) -> Void) throws(ReactorError) {
        self.loop = loop
        self.descriptor = descriptor
        self.accepted = accepted
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let made = unsafe event_new(loop.base, descriptor, Int16(EV_READ | EV_PERSIST), listenerReadable, context)
        else { throw .outOfMemory }
        unsafe event = made
        unsafe _ = Unmanaged.passRetained(self)
        unsafe event_add(made, nil)
    }

    deinit { unsafe precondition(event == nil, "Listener dropped without close()") }

    /// A bound and listening descriptor.
    ///
    /// - Throws: `.system` with the call that failed (bind: address in use, permission).
    public static func open(_ address: SocketAddress, backlog: CInt = Listener.backlog, sharesPort: Bool = true) throws(ReactorError) -> CInt {
        let descriptor = socket(address.family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
        if sharesPort { setOption(descriptor, SOL_SOCKET, SO_REUSEPORT) }
        if address.family == AF_INET6 { setOption(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY) }
        // Accepted sockets inherit it; without it replies wait 40 ms for the peer's ACK.
        setOption(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY)
        if unsafe address.withPointer({ unsafe bind(descriptor, $0, $1) }) != 0 {
            let number = errno
            _ = Glibc.close(descriptor)
            throw .system(call: "bind", errno: number)
        }
        if listen(descriptor, backlog) != 0 {
            let number = errno
            _ = Glibc.close(descriptor)
            throw .system(call: "listen", errno: number)
        }
        return descriptor
    }

    static func setOption(_ descriptor: CInt, _ level: CInt, _ option: CInt) {
        var one: CInt = 1
        unsafe setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    /// An option's value; nil for what is no socket, or has no such option.
    static func option(_ descriptor: CInt, _ level: CInt, _ option: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return unsafe getsockopt(descriptor, level, option, &value, &length) == 0 ? value : nil
    }

    /// Takes every client that waits in the queue, for the last time.
    ///
    /// - Parameter refused: owns the descriptor, as `accepted` does.
    public func drain(_ refused: (CInt) -> Void) {
        guard unsafe event != nil else { return }
        // As many as the queue may hold, and some that come meanwhile.
        for _ in 0..<2 * Int(Listener.backlog) {
            let (client, _) = unsafe SocketAddress.filled { unsafe guardd_accept(descriptor, $0, $1) }
            if client >= 0 { refused(client) } else if errno != ECONNABORTED && errno != EINTR { return }
        }
    }

    fileprivate func readable() {
        for _ in 0..<Listener.batch {
            let (client, address) = unsafe SocketAddress.filled { unsafe guardd_accept(descriptor, $0, $1) }
            guard client >= 0 else {
                let number = errno
                // No descriptor or no memory: the client stays in the queue, and the event would fire on and on.
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(number) { pause() }
                return                              // else EAGAIN, or a client that has gone again: the next wake tells
            }
            accepted(client, address)
            guard unsafe event != nil else { return }
        }
    }

    private func pause() {
        guard let event = unsafe event else { return }
        isPaused = true
        unsafe event_del(event)
    }

    /// Accepts again after a shortage; for every tick.
    public func resume() {
        guard isPaused, let event = unsafe event else { return }
        isPaused = false
        unsafe event_add(event, nil)
    }

    /// Stops accepting and closes the descriptor. Idempotent.
    public func close() {
        guard let old = unsafe event else { return }
        unsafe event = nil
        unsafe event_free(old)
        _ = Glibc.close(descriptor)
        unsafe Unmanaged.passUnretained(self).release()
    }
}

private func listenerReadable(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let listener = unsafe Unmanaged<Listener>.fromOpaque(context).takeUnretainedValue()
    listener.readable()
}
