// A small HTTP server on a loop: libevent's evhttp, with bounds. It answers GET and HEAD, one request a connection;
// anything else gets 405. evhttp parses; who may connect, how many at a time and for how long is kept here.
//
// evhttp 2.1 tells neither how many connections it has nor when one without a request ends. So each connection's
// bufferevent is made here, and this table keeps a reference of its own: one that has lost its callbacks has been given
// up by evhttp (bufferevent_free), one that is too old is shut down, and while the table is full nobody is accepted.

import CEvent
import Glibc

/// Serves until `close()`, which is idempotent. Belongs to its loop's thread.
@safe public final class HTTPServer {
    /// What one client may take.
    public struct Limits: Sendable {
        public var connections = 64
        /// Octets of the request line and the header fields.
        public var header = 8_192
        /// Milliseconds for a connection, from its first moment to its last.
        public var lifetime: Int64 = 5_000

        public init() {}
    }

    private let loop: EventLoop
    private let http: OpaquePointer
    /// nil when nobody is accepted any more.
    private var listener: OpaquePointer?
    /// The same as evhttp knows it.
    private let bound: OpaquePointer
    private var isClosed = false
    private var lastAccept: LoopTimer?
    private var retired: (() -> Void)?
    private let limits: Limits
    private let answer: (HTTPRequest) -> HTTPResponse
    private var connections: [Connection] = []

    /// This table's reference to a connection, and the time by which it must have ended.
    @safe private struct Connection {
        let buffer: OpaquePointer
        let until: Int64

        /// evhttp has let it go.
        var isGivenUp: Bool {
            var failed: bufferevent_event_cb?
            unsafe bufferevent_getcb(buffer, nil, nil, &failed, nil)
            return unsafe failed == nil
        }

        /// evhttp reads an end, or fails to write, and closes.
        func shut() {
            let descriptor = unsafe bufferevent_getfd(buffer)
            if descriptor >= 0 { _ = shutdown(descriptor, CInt(SHUT_RDWR)) }
        }

        func release() { unsafe _ = bufferevent_decref(buffer) }
    }

    /// - Parameters:
    ///   - descriptor: listens already; the server owns it from now on, also when this throws.
    ///   - answer: called for GET and HEAD, on the loop's thread.
    public init(descriptor: CInt, loop: EventLoop, limits: Limits = Limits(), answer: @escaping (HTTPRequest) -> HTTPResponse) throws(ReactorError) {
        self.limits = limits
        self.answer = answer
        self.loop = loop
        guard let made = unsafe evhttp_new(loop.base) else {
            _ = Glibc.close(descriptor)
            throw .outOfMemory
        }
        unsafe http = made
        let flags = UInt32(LEV_OPT_CLOSE_ON_FREE) | UInt32(LEV_OPT_CLOSE_ON_EXEC)
        guard let listener = unsafe evconnlistener_new(loop.base, nil, nil, flags, 0, descriptor) else {
            unsafe evhttp_free(made)
            _ = Glibc.close(descriptor)
            throw .outOfMemory
        }
        guard let bound = unsafe evhttp_bind_listener(made, listener) else {
            unsafe evconnlistener_free(listener)
            unsafe evhttp_free(made)
            throw .outOfMemory
        }
        unsafe self.listener = listener
        unsafe self.bound = bound
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe evconnlistener_set_error_cb(listener, httpAcceptFailed)
        unsafe evhttp_set_bevcb(made, httpConnected, context)
        unsafe evhttp_set_gencb(made, httpRequested, context)
        unsafe evhttp_set_max_headers_size(made, limits.header)
        // Nobody reads it: as much as a client may say before it hears 405.
        unsafe evhttp_set_max_body_size(made, limits.header)
        // Of a pause; the whole of it is bounded by `tick`.
        unsafe evhttp_set_timeout(made, CInt(max(1, limits.lifetime / 1000)))
        // All that evhttp knows, so that each hears 405; what it does not know hears its 501.
        unsafe evhttp_set_allowed_methods(made, 0x1ff)
        unsafe _ = Unmanaged.passRetained(self)
    }

    deinit { precondition(isClosed, "HTTPServer dropped without close()") }

    /// Connections that are there, as far as is known.
    var count: Int { connections.count }

    /// Every second: ends what takes too long, and accepts again after a shortage.
    public func tick() {
        let now = EventLoop.milliseconds()
        for connection in connections where now > connection.until { connection.shut() }
        sweep()
        if let listener = unsafe listener, connections.count < limits.connections { unsafe evconnlistener_enable(listener) }
        endIfRetired()
    }

    /// Another process answers at the same place: accepts once more who waits in the queue, then nobody, answers those who
    /// are there, and calls `done`, within `lifetime` and a tick or two. Only `close()` may come behind it.
    func retire(_ done: @escaping () -> Void) {
        guard !isClosed, lastAccept == nil else { return done() }
        retired = done
        if let listener = unsafe listener { unsafe evconnlistener_enable(listener) }
        // The loop looks at descriptors before timers: what was in the queue is accepted first.
        guard let timer = try? LoopTimer(loop: loop, fired: { [unowned self] in stopAccepting() }) else { return stopAccepting() }
        lastAccept = timer
        timer.set(after: 1)
    }

    private func stopAccepting() {
        guard unsafe listener != nil else { return }
        unsafe listener = nil
        unsafe evhttp_del_accept_socket(http, bound)
        endIfRetired()
    }

    private func endIfRetired() {
        guard unsafe listener == nil, let done = retired else { return }
        sweep()
        guard connections.isEmpty else { return }
        retired = nil
        done()
    }

    public func close() {
        guard !isClosed else { return }
        isClosed = true
        unsafe listener = nil
        retired = nil
        lastAccept?.close()
        lastAccept = nil
        unsafe evhttp_free(http)
        connections.forEach { $0.release() }
        connections = []
        unsafe Unmanaged.passUnretained(self).release()
    }

    /// Forgets those that evhttp has given up.
    private func sweep() {
        connections.removeAll { connection in
            guard connection.isGivenUp else { return false }
            connection.release()
            return true
        }
    }

    /// - Returns: what carries a new connection; evhttp gives it its descriptor and owns one reference.
    fileprivate func connected(_ base: OpaquePointer?) -> OpaquePointer? {
        sweep()
        guard let buffer = unsafe bufferevent_socket_new(base, -1, CInt(BEV_OPT_CLOSE_ON_FREE.rawValue)) else { return nil }
        unsafe bufferevent_incref(buffer)
        connections.append(unsafe Connection(buffer: buffer, until: EventLoop.milliseconds() + limits.lifetime))
        if connections.count >= limits.connections, let listener = unsafe listener { unsafe evconnlistener_disable(listener) }
        return unsafe buffer
    }

    fileprivate func requested(_ request: OpaquePointer) {
        let response = unsafe reply(to: request)
        guard let headers = unsafe evhttp_request_get_output_headers(request), let body = unsafe evbuffer_new() else {
            return unsafe evhttp_send_error(request, HTTP_INTERNAL, nil)
        }
        defer { unsafe evbuffer_free(body) }
        for (name, value) in response.fields + [("Connection", "close")] { unsafe evhttp_add_header(headers, name, value) }
        if unsafe evhttp_request_get_command(request) == EVHTTP_REQ_HEAD {
            // evhttp would send the body all the same.
            unsafe evhttp_add_header(headers, "Content-Length", String(response.body.count))
        } else {
            unsafe _ = response.body.withUnsafeBytes { unsafe evbuffer_add(body, $0.baseAddress, $0.count) }
        }
        unsafe evhttp_send_reply(request, CInt(response.status), response.phrase, body)
    }

    private func reply(to request: OpaquePointer) -> HTTPResponse {
        let command = unsafe evhttp_request_get_command(request)
        guard command == EVHTTP_REQ_GET || command == EVHTTP_REQ_HEAD else { return .methodNotAllowed }
        guard let uri = unsafe evhttp_request_get_evhttp_uri(request), let fields = unsafe evhttp_request_get_input_headers(request) else { return .badRequest }
        func text(_ pointer: UnsafePointer<CChar>?) -> String? {
            guard let pointer = unsafe pointer else { return nil }
            return unsafe String(cString: pointer)
        }
        return answer(HTTPRequest(
            path: unsafe text(evhttp_uri_get_path(uri)) ?? "/", query: unsafe text(evhttp_uri_get_query(uri)) ?? "",
            accept: unsafe text(evhttp_find_header(fields, "Accept")), host: unsafe text(evhttp_find_header(fields, "Host"))
        ))
    }
}

private func httpConnected(_ base: OpaquePointer?, _ context: UnsafeMutableRawPointer?) -> OpaquePointer? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<HTTPServer>.fromOpaque(context)._withUnsafeGuaranteedRef { unsafe $0.connected(base) }
}

private func httpRequested(_ request: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context, let request = unsafe request else { return }
    unsafe Unmanaged<HTTPServer>.fromOpaque(context)._withUnsafeGuaranteedRef { unsafe $0.requested(request) }
}

/// No descriptor or no memory: the client stays in the queue until the next tick.
private func httpAcceptFailed(_ listener: OpaquePointer?, _: UnsafeMutableRawPointer?) {
    guard let listener = unsafe listener else { return }
    unsafe evconnlistener_disable(listener)
}
