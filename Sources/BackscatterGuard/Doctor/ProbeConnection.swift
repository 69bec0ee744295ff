// A connection of doctor and selftest to an SMTP server: says octets, waits for replies, each wait within a deadline.
// What the server says is bounded by ReplyScanner and washed before anybody sees it.

import Glibc

/// Why a probe came to nothing; for people.
struct ProbeFailure: Error, Equatable, Sendable {
    var text: String
}

/// One reply of a server.
struct ProbeReply: Equatable, Sendable {
    let code: Int
    /// Washed, without codes.
    let lines: [String]
    /// As it came.
    let octets: Octets

    /// Code and last line, as people quote a reply.
    var text: String { lines.last.map { $0.isEmpty ? "\(code)" : "\(code) \($0)" } ?? "\(code)" }
    var isGood: Bool { code < 400 }

    /// - Parameter octets: a whole reply that ReplyScanner has cut.
    init(code: Int, octets: Octets) {
        self.code = code
        self.octets = octets
        lines = octets.split(separator: ASCII.lf).map { line in
            ASCII.washed(line.dropFirst(4).prefix { $0 != ASCII.cr }, limit: 400)
        }
    }
}

/// Owns its descriptor.
final class ProbeConnection {
    private let descriptor: CInt
    private let deadline: ProbeDeadline
    private var input = Octets()
    /// What it is connected to, for messages.
    private let name: String

    /// Connects.
    ///
    /// - Parameters:
    ///   - source: the address that it comes from; nil: the system's choice.
    ///   - name: of the server, for messages.
    init(to address: SocketAddress, from source: PeerAddress? = nil, name: String, until deadline: ProbeDeadline) throws(ProbeFailure) {
        self.deadline = deadline
        self.name = name
        descriptor = socket(address.family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ProbeFailure(text: "\(name): socket: \(systemReason())") }
        if let source {
            guard unsafe SocketAddress(source.with(port: 0)).withPointer({ unsafe bind(descriptor, $0, $1) }) == 0 else {
                throw ProbeFailure(text: "can't use the address \(source.text): \(systemReason())")
            }
        }
        let result = unsafe address.withPointer { unsafe connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw ProbeFailure(text: "\(name): \(systemReason())") }
        try wait(POLLOUT, "the connection")
        if let number = Listener.option(descriptor, SOL_SOCKET, SO_ERROR), number != 0 { throw ProbeFailure(text: "\(name): \(systemReason(number))") }
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// Where the connection comes from.
    var local: PeerAddress { PeerAddress(SocketAddress.local(of: descriptor)) }

    func send(_ octets: Octets) throws(ProbeFailure) {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, CInt(MSG_NOSIGNAL)) }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(POLLOUT, "the server to read")
            } else if errno != EINTR {
                throw ProbeFailure(text: "\(name): \(systemReason())")
            }
        }
    }

    /// Sends a line and waits for its reply.
    func say(_ line: String) throws(ProbeFailure) -> ProbeReply {
        try send(Octets("\(line)\r\n".utf8))
        return try reply()
    }

    /// The next reply.
    func reply() throws(ProbeFailure) -> ProbeReply {
        var scanner = ReplyScanner()
        while true {
            switch scanner.scan(input.span, from: 0) {
            case .reply(let code, let end):
                let octets = scanner.carried + input[..<end]
                input.removeFirst(end)
                return ProbeReply(code: code, octets: octets)
            case .needsMore: input = try receive()
            case .malformed: throw ProbeFailure(text: "\(name): what it says is no SMTP reply: \(ASCII.washed(scanner.carried + input, limit: 80))")
            }
        }
    }

    /// QUIT; what the server says to it does not matter.
    func leave() { _ = try? say("QUIT") }

    private func receive() throws(ProbeFailure) -> Octets {
        var buffer = Octets(repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return Octets(buffer[..<count]) }
            if count == 0 { throw ProbeFailure(text: "\(name): closed the connection") }
            if errno == EAGAIN {
                try wait(POLLIN, "a reply")
            } else if errno != EINTR {
                throw ProbeFailure(text: "\(name): \(systemReason())")
            }
        }
    }

    private func wait(_ event: CInt, _ what: String) throws(ProbeFailure) {
        while true {
            var polled = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let left = deadline.left
            guard left > 0 else { throw ProbeFailure(text: "\(name): waited in vain for \(what)") }
            guard !Interruption.hasCome else { throw ProbeFailure(text: "\(name): interrupted") }
            let count = unsafe poll(&polled, 1, CInt(min(left, Interruption.grain)))
            if count > 0 { return }
            if count < 0, errno != EINTR { throw ProbeFailure(text: "\(name): \(systemReason())") }
        }
    }
}

extension SocketAddress {
    /// Where a host of the configuration is.
    ///
    /// - Throws: that nobody knows, or nobody says so in time.
    static func all(of host: String, port: UInt16, until deadline: ProbeDeadline) throws(ProbeFailure) -> [SocketAddress] {
        if let address = PeerAddress(host, port: port) { return [SocketAddress(address)] }
        var found: [SocketAddress]?
        let loop: EventLoop, timer: LoopTimer
        do {
            loop = try EventLoop()
            timer = try LoopTimer(loop: loop) { [loop] in loop.stop() }
        } catch { throw ProbeFailure(text: "\(host): \(error.text)") }
        timer.set(after: deadline.left)
        let resolution = Resolution(host: host, port: port, loop: loop) {
            found = $0
            loop.stop()
        }
        if found == nil { loop.run() }
        if found == nil { resolution.cancel() }
        timer.close()
        loop.close()
        guard let found, !found.isEmpty else { throw ProbeFailure(text: "\(host): its address can't be found") }
        return found
    }
}
