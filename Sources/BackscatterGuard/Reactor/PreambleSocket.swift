// A connected descriptor whose first octets are for someone else than the reader of the rest: a PROXY header before SMTP
// or TLS. What is looked at stays in the kernel until its end is known, so the next reader (OpenSSL reads the descriptor
// by itself) begins exactly behind it.
//
// Life as a Socket's: the C event holds one retain until `close()` or `release()`, both idempotent.

import CEvent
import Glibc

@safe open class PreambleSocket {
    /// Octets that one look takes at most.
    private static let window = 4096

    private let loop: EventLoop
    private var descriptor: CInt
    private var reading: OpaquePointer?

    /// Takes over a non-blocking, connected descriptor, and closes it when there is no memory for it.
    public init(descriptor: CInt, loop: EventLoop) throws(ReactorError) {
        self.loop = loop
        self.descriptor = descriptor
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let made = unsafe event_new(loop.base, descriptor, Int16(EV_READ | EV_PERSIST), preambleReadable, context)
        else {
            _ = Glibc.close(descriptor)
            throw .outOfMemory
        }
        unsafe reading = made
        unsafe _ = Unmanaged.passRetained(self)
        unsafe event_add(made, nil)
    }

    deinit { unsafe precondition(reading == nil, "PreambleSocket dropped without close() or release()") }

    // MARK: what subclasses hear

    /// Octets came. The span is valid during the call only; neither `close` nor `release` is legal in it.
    ///
    /// - Returns: how many of them belong to the preamble; they are taken, and `advanced` follows.
    open func looked(at octets: Span<UInt8>) -> Int { 0 }
    /// What `looked` returned has been taken.
    open func advanced() {}
    /// The peer has sent its FIN, or the connection failed.
    open func ended() {}

    // MARK: ending

    /// Gives the descriptor up, unread behind the preamble; nil when it has been given up or closed before.
    public final func release() -> CInt? {
        guard let event = unsafe reading else { return nil }
        unsafe reading = nil
        unsafe event_free(event)
        defer { unsafe Unmanaged.passUnretained(self).release() }
        return descriptor
    }

    /// Closes now. Idempotent.
    public final func close() {
        if let descriptor = release() { _ = Glibc.close(descriptor) }
    }

    fileprivate func readable() {
        let base = unsafe loop.readBuffer.baseAddress
        let count = unsafe recv(descriptor, base, PreambleSocket.window, Int32(MSG_PEEK))
        let number = errno
        guard count > 0 else {
            if count == 0 || number != EAGAIN && number != EINTR { ended() }
            return
        }
        let octets = unsafe UnsafeBufferPointer(rebasing: loop.readBuffer.bindMemory(to: UInt8.self)[..<count])
        let taken = looked(at: unsafe Span(_unsafeElements: octets))
        // They are there: a stream socket gives what it has shown.
        if taken > 0 { unsafe _ = recv(descriptor, base, taken, 0) }
        advanced()
    }
}

private func preambleReadable(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let socket = unsafe Unmanaged<PreambleSocket>.fromOpaque(context).takeUnretainedValue()
    socket.readable()
}
