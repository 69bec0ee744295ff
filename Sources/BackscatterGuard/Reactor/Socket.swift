// A connected stream socket on an event loop: plain readiness events, one shared read buffer, `write` at once, and an
// evbuffer only for what the kernel did not take. Measured: bufferevent costs twice the system calls.
//
// Life: the C events hold one retain of the object from `open` to `close()`, which is idempotent. Subclasses get
// `received`, `ended`, `failed`, `drained`; none of them is called after `close()`.
//
// A socket may be upgraded to TLS at any moment (`Socket+TLS.swift`): then the same calls carry what is inside. What is
// not private here is for that file.

import CEvent
import Glibc

@safe open class Socket {
    public let loop: EventLoop
    public private(set) var descriptor: CInt
    var reading: OpaquePointer?
    private var writing: OpaquePointer?
    var backlogBuffer: OpaquePointer?
    private var isReading = false
    final var wantsReading = true
    /// nil in clear.
    final var tls: TLSConnection?
    private var lingering = Lingering.no
    final var isDraining: Bool { if case .draining = lingering { true } else { false } }
    private enum Lingering { case no, flushing, draining(octets: Int) }

    /// Takes over a non-blocking descriptor, connected or connecting: what is sent before connect(2) has succeeded
    /// waits in the backlog, and a connection that fails is reported to `failed(_:)`.
    public init(descriptor: CInt, loop: EventLoop) throws(ReactorError) {
        self.loop = loop
        self.descriptor = descriptor
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let made = unsafe event_new(loop.base, descriptor, Int16(EV_READ | EV_PERSIST), socketReadable, context)
        else {
            _ = Glibc.close(descriptor)
            throw .outOfMemory
        }
        unsafe reading = made
        unsafe _ = Unmanaged.passRetained(self)
        startReading()
    }

    deinit { unsafe precondition(reading == nil, "Socket dropped without close()") }

    // MARK: what subclasses hear

    /// Octets came. The span is the loop's read buffer: valid during the call only.
    open func received(_ octets: Span<UInt8>) {}
    /// The peer will send no more (FIN). Reading has stopped.
    open func ended() {}
    /// Reading, writing or connecting failed; the socket is of no use any more.
    open func failed(_ number: CInt) {}
    /// The backlog that `send` left has gone out.
    open func drained() {}
    /// The TLS handshake that `startTLS` began is done.
    open func secured(version: String, cipher: String) {}
    /// It failed, and with it the connection: nothing may be sent in clear any more.
    open func handshakeFailed(_ reason: String) {}
    /// `closeWhenFlushed` has done its work and the descriptor is closed.
    open func lingeringEnded() {}
    /// Whether what the peer said before it hung up is received first when a write finds that out: a server's last words.
    open var hearsLastWords: Bool { false }

    // MARK: writing

    /// Octets that wait for the kernel.
    public final var backlog: Int {
        guard let buffer = unsafe backlogBuffer else { return 0 }
        return unsafe evbuffer_get_length(buffer)
    }

    /// Writes `first` and then `second`, in one system call where the kernel takes both; the rest waits in the backlog.
    ///
    /// - Parameter waitsForMore: the kernel may keep it back for what follows at once: more octets, or the end (MSG_MORE, tcp(7)). In clear only.
    public final func send(_ first: Span<UInt8>, _ second: Span<UInt8>, waitsForMore: Bool = false) {
        guard isOpen, first.count + second.count > 0 else { return }
        if backlog > 0 { return keep(first, second, from: 0) }
        if let tls { return send(first, second, in: tls) }
        let sent = unsafe first.withUnsafeBufferPointer { one in
            unsafe second.withUnsafeBufferPointer { two in unsafe write(one, two, CInt(MSG_NOSIGNAL) | (waitsForMore ? CInt(MSG_MORE) : 0)) }
        }
        if sent < 0 {
            let number = errno
            // ENOTCONN does not occur: a connecting socket says EAGAIN.
            guard number == EAGAIN || number == EINTR else { return writeFailed(number) }
            keep(first, second, from: 0)
        } else if sent < first.count + second.count {
            keep(first, second, from: sent)
        }
    }

    /// Writes one piece.
    public final func send(_ octets: Span<UInt8>, waitsForMore: Bool = false) { send(octets, Octets().span, waitsForMore: waitsForMore) }

    private func write(_ one: UnsafeBufferPointer<UInt8>, _ two: UnsafeBufferPointer<UInt8>, _ flags: CInt) -> Int {
        if two.isEmpty { return unsafe Glibc.send(descriptor, one.baseAddress, one.count, flags) }
        if one.isEmpty { return unsafe Glibc.send(descriptor, two.baseAddress, two.count, flags) }
        var pieces = unsafe (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: one.baseAddress), iov_len: one.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: two.baseAddress), iov_len: two.count)
        )
        return unsafe withUnsafeMutablePointer(to: &pieces) { pointer in
            var message = unsafe msghdr()
            unsafe message.msg_iov = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: iovec.self)
            unsafe message.msg_iovlen = 2
            return unsafe sendmsg(descriptor, &message, flags)
        }
    }

    final func keep(_ first: Span<UInt8>, _ second: Span<UInt8>, from start: Int) {
        if unsafe backlogBuffer == nil { unsafe backlogBuffer = evbuffer_new() }
        guard let buffer = unsafe backlogBuffer else { return writeFailed(ENOMEM) }
        var skip = start
        for piece in [0, 1] {
            let span = piece == 0 ? first : second
            let from = min(skip, span.count)
            skip -= from
            guard from < span.count else { continue }
            let result = unsafe span.withUnsafeBufferPointer { unsafe evbuffer_add(buffer, $0.baseAddress?.advanced(by: from), $0.count - from) }
            if result != 0 { return writeFailed(ENOMEM) }
        }
        armWriting()
    }

    final func armWriting() {
        if unsafe writing == nil {
            let context = unsafe Unmanaged.passUnretained(self).toOpaque()
            unsafe writing = event_new(loop.base, descriptor, Int16(EV_WRITE | EV_PERSIST), socketWritable, context)
        }
        guard let event = unsafe writing else { return }
        unsafe event_add(event, nil)
    }

    final func disarmWriting() {
        if let event = unsafe writing { unsafe event_del(event) }
    }

    /// The peer has hung up, and what it said last may lie in the kernel still.
    private var mayHaveLastWords: Bool { hearsLastWords && tls == nil && (deferredError == EPIPE || deferredError == ECONNRESET) }

    /// A failed write is reported from the event loop, not from within `send`: no callback re-enters a session.
    final func writeFailed(_ number: CInt) {
        deferredError = number
        activateReading()
    }

    /// Has the loop call `readable` although the descriptor may not be.
    final func activateReading() {
        guard let event = unsafe reading else { return }
        unsafe event_active(event, EV_READ, 1)
    }
    private var deferredError: CInt = 0

    // MARK: reading

    /// Stops taking octets from the kernel: back-pressure. The event is taken off only when it fires in vain, which
    /// saves two system calls for every short pause.
    public final func pauseReading() { wantsReading = false }

    public final func resumeReading() {
        wantsReading = true
        startReading()
        if let tls, tls.mayHoldMore { activateReading() }
    }

    private func startReading() {
        guard !isReading, wantsReading, let event = unsafe reading else { return }
        isReading = true
        unsafe event_add(event, nil)
    }

    final func stopReading() {
        guard isReading, let event = unsafe reading else { return }
        isReading = false
        unsafe event_del(event)
    }

    fileprivate func readable() {
        if deferredError != 0, !mayHaveLastWords { return failed(deferredError) }
        if case .draining(let octets) = lingering { return drain(octets) }
        guard wantsReading else { return stopReading() }
        if let tls { return read(from: tls) }
        let count = unsafe recv(descriptor, loop.readBuffer.baseAddress, loop.readBuffer.count, 0)
        let number = errno
        if count > 0 {
            let octets = unsafe UnsafeBufferPointer(rebasing: loop.readBuffer.bindMemory(to: UInt8.self)[..<count])
            received(unsafe Span(_unsafeElements: octets))
            if deferredError != 0 { activateReading() }
        } else if count == 0 {
            wantsReading = false
            stopReading()
            ended()
        } else if number != EAGAIN && number != EINTR {
            failed(number)
        } else if deferredError != 0 {
            failed(deferredError)
        }
    }

    fileprivate func writable() {
        if let tls { return write(to: tls) }
        guard let buffer = unsafe backlogBuffer else { return }
        let sent = unsafe evbuffer_write(buffer, descriptor)
        let number = errno
        if sent < 0 && number != EAGAIN && number != EINTR {
            disarmWriting()
            return writeFailed(number)
        }
        if unsafe evbuffer_get_length(buffer) == 0 { unsafe backlogIsGone(buffer) }
    }

    final func backlogIsGone(_ buffer: OpaquePointer) {
        disarmWriting()
        unsafe evbuffer_free(buffer)
        unsafe backlogBuffer = nil
        if case .flushing = lingering { return shutDown() }
        drained()
    }

    // MARK: ending

    public final var isOpen: Bool { unsafe reading != nil }

    /// Whether the kernel holds octets that were not read.
    public final var hasUnreadInput: Bool {
        var count: CInt = 0
        return unsafe ioctl(descriptor, UInt(FIONREAD), &count) == 0 && count > 0
    }

    /// Whether connect(2) has succeeded: a connecting socket is not writable.
    public final var isConnected: Bool {
        var query = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&query, 1, 0) == 1 && query.revents & Int16(POLLERR) == 0
    }

    /// Flushes the backlog, says FIN, reads and throws away what the peer still sends (64 KiB at most), then closes:
    /// closing a socket with unread input sends RST and can destroy the reply just written.
    public final func closeWhenFlushed() {
        guard isOpen, case .no = lingering else { return }
        lingering = .flushing
        if backlog == 0 { shutDown() }
    }

    private func shutDown() {
        tls?.sayGoodbye()
        if shutdown(descriptor, CInt(SHUT_WR)) != 0 || !wantsReading && !isReading { return finishLingering() }
        lingering = .draining(octets: 65536)
        wantsReading = true
        startReading()
    }

    private func drain(_ octets: Int) {
        let count = unsafe recv(descriptor, loop.readBuffer.baseAddress, min(octets, loop.readBuffer.count), 0)
        if count > 0 && count < octets { lingering = .draining(octets: octets - count); return }
        if count < 0 && errno == EAGAIN { return }
        finishLingering()
    }

    private func finishLingering() {
        close()
        lingeringEnded()
    }

    /// Closes now. Idempotent; legal inside a callback because the caller's frame keeps `self`.
    public final func close() {
        guard let event = unsafe reading else { return }
        unsafe reading = nil
        unsafe event_free(event)
        if let event = unsafe writing { unsafe event_free(event) }
        unsafe writing = nil
        if let buffer = unsafe backlogBuffer { unsafe evbuffer_free(buffer) }
        unsafe backlogBuffer = nil
        tls = nil
        _ = Glibc.close(descriptor)
        descriptor = -1
        unsafe Unmanaged.passUnretained(self).release()
    }
}

private func socketReadable(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let socket = unsafe Unmanaged<Socket>.fromOpaque(context).takeUnretainedValue()
    socket.readable()
}

private func socketWritable(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let socket = unsafe Unmanaged<Socket>.fromOpaque(context).takeUnretainedValue()
    socket.writable()
}
