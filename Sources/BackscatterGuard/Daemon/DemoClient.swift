// The client of the demo: says one mail after another over a blocking socket, each in a session of its own. Every wait has
// a deadline.

import Glibc

/// What came of one mail.
struct DemoAnswer: Sendable, Equatable {
    /// The first refusal, else the reply to the end of content; without its CRLF.
    var reply: String
    var code: Int { Int(reply.prefix(3)) ?? 0 }
}

/// Why a mail could not be played at all.
struct DemoFailure: Error, Equatable, CustomStringConvertible {
    var description: String
}

/// One SMTP session.
struct DemoClient: ~Copyable {
    private static let seconds = 20
    private let descriptor: CInt
    private var input = Octets()

    /// - Parameter source: the address that the connection comes from; the whole of 127.0.0.0/8 is the machine's own.
    init(from source: PeerAddress, to server: PeerAddress) throws(DemoFailure) {
        descriptor = SocketAddress(server).blockingSocket()
        guard descriptor >= 0 else { throw DemoFailure(description: "socket: \(errnoText(errno))") }
        var limit = timeval(tv_sec: DemoClient.seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard unsafe SocketAddress(source.with(port: 0)).withPointer({ unsafe bind(descriptor, $0, $1) }) == 0 else {
            throw DemoFailure(description: "can't use \(source.text): \(errnoText(errno))")
        }
        guard unsafe SocketAddress(server).withPointer({ unsafe connect(descriptor, $0, $1) }) == 0 else {
            throw DemoFailure(description: "can't reach \(server): \(errnoText(errno))")
        }
    }

    deinit { _ = close(descriptor) }

    /// Sends one mail and says QUIT. After its 221 all that guardd has to log of the mail is logged.
    ///
    /// - Parameter content: lines that end in CRLF; the dots are stuffed here.
    mutating func play(hello: String, reversePath: String, forwardPath: String, content: Octets) throws(DemoFailure) -> DemoAnswer {
        var answer = try reply()
        for line in ["EHLO \(hello)", "MAIL FROM:<\(reversePath)>", "RCPT TO:<\(forwardPath)>", "DATA"] where answer.code < 400 {
            answer = try say(Octets("\(line)\r\n".utf8))
        }
        if answer.code == 354 { answer = try say(DotStuffing.stuffed(content) + Octets(".\r\n".utf8)) }
        _ = try say(Octets("QUIT\r\n".utf8))
        return answer
    }

    private mutating func say(_ octets: Octets) throws(DemoFailure) -> DemoAnswer {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets[sent...].withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { throw DemoFailure(description: "guardd took no more: \(errnoText(errno))") }
            sent += count
        }
        return try reply()
    }

    /// The last line of the next reply.
    private mutating func reply() throws(DemoFailure) -> DemoAnswer {
        while true {
            let line = try self.line()
            if line.count < 4 || line[3] != ASCII.hyphen { return DemoAnswer(reply: String(decoding: line, as: UTF8.self)) }
        }
    }

    private mutating func line() throws(DemoFailure) -> Octets {
        while true {
            if let end = input.firstIndex(of: ASCII.lf) {
                let line = input[..<end].prefix { $0 != ASCII.cr }
                defer { input.removeFirst(end + 1) }
                return Octets(line)
            }
            var buffer = Octets(repeating: 0, count: 4_096)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0, input.count < 1 << 20 else {
                throw DemoFailure(description: count < 0 ? "guardd gave no reply: \(errnoText(errno))" : "guardd closed the connection")
            }
            input += buffer[..<count]
        }
    }
}
