// What commands ask a running guardd over its status socket. Blocking, with a deadline for the whole of it: for the
// command line only, never on an event loop's thread.

import Glibc

/// The answer of a running guardd.
public struct StatusAnswer: Sendable {
    /// 200, 503.
    public let status: Int
    public let body: [UInt8]
}

/// Why there is none.
public enum StatusClientError: Error, Sendable, Equatable {
    /// Nobody listens there: guardd does not run, or was told to have no status socket.
    case notRunning(path: String, reason: String)
    /// The caller may not open it.
    case denied(path: String)
    /// A guardd answers, of another configuration than the one that is asked for.
    case another(path: String, owner: String)
    /// Somebody took the connection, and no answer came in time, or none that is understood.
    case noAnswer(path: String, reason: String)

    public var text: String {
        switch self {
        case .notRunning(let path, let reason): "guardd does not answer at \(path) (\(reason))"
        case .another(let path, let owner):
            "\(path): another guardd answers there, \(ASCII.washed(owner.utf8, limit: 600)); write a status_socket of its own into this configuration, then restart its guardd"
        case .denied(let path): "\(path): no permission (status_socket_mode, status_group)"
        case .noAnswer(let path, let reason): "\(path): \(reason)"
        }
    }
}

/// Asks at one socket.
public struct StatusClient: Sendable {
    /// Octets of an answer at most.
    static let limit = 16 << 20
    let path: String

    /// - Parameter path: of the socket (`Configuration.statusPath`).
    public init(path: String) { self.path = path }

    /// - Parameters:
    ///   - target: `/status.json`.
    ///   - milliseconds: for all of it.
    public func get(_ target: String, within milliseconds: Int64 = 10_000) throws(StatusClientError) -> StatusAnswer {
        let deadline = EventLoop.milliseconds() + milliseconds
        let descriptor = try connect()
        defer { _ = Glibc.close(descriptor) }
        let request = Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        // A short request always fits into the socket's buffer.
        guard unsafe send(descriptor, request, request.count, CInt(MSG_NOSIGNAL)) == request.count else {
            throw .noAnswer(path: path, reason: "send: \(errnoText(errno))")
        }
        return try parse(try receive(descriptor, until: deadline))
    }

    private func connect() throws(StatusClientError) -> CInt {
        guard let address = SocketAddress.unix(path) else { throw .notRunning(path: path, reason: "no path of a socket") }
        switch address.connect() {
        case .success(let descriptor): return descriptor
        case .failure(.system(_, EACCES)): throw .denied(path: path)
        case .failure(let error): throw .notRunning(path: path, reason: error.text)
        }
    }

    private func receive(_ descriptor: CInt, until deadline: Int64) throws(StatusClientError) -> [UInt8] {
        var octets: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while octets.count < Self.limit {
            let left = deadline - EventLoop.milliseconds()
            var query = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard left > 0, unsafe poll(&query, 1, CInt(clamping: left)) > 0 || errno == EINTR else { throw .noAnswer(path: path, reason: "no answer in time") }
            let count = unsafe recv(descriptor, &piece, piece.count, 0)
            if count == 0 { return octets }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                throw .noAnswer(path: path, reason: "recv: \(errnoText(errno))")
            }
            octets += piece[..<count]
        }
        throw .noAnswer(path: path, reason: "the answer is too long")
    }

    /// The server closes after each answer, so its end is the end; Content-Length tells whether it is whole.
    private func parse(_ octets: [UInt8]) throws(StatusClientError) -> StatusAnswer {
        let end = Array("\r\n\r\n".utf8)
        let starts = octets.indices.dropLast(3).first { Array(octets[$0..<$0 + 4]) == end }
        guard let starts else { throw .noAnswer(path: path, reason: "no HTTP answer") }
        let lines = String(decoding: octets[..<starts], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { throw .noAnswer(path: path, reason: "no HTTP answer") }
        let body = Array(octets[(starts + 4)...])
        let length = lines.first { $0.lowercased().hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).trimmingPrefix(" ")) }
        guard length == nil || length == body.count else { throw .noAnswer(path: path, reason: "the answer was cut short") }
        return StatusAnswer(status: status, body: body)
    }
}
