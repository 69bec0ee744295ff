// The other end of the control socket: says lines, and waits until all of them are answered.

import Glibc

/// One connection to the daemon. Blocking, within a deadline.
public struct ControlClient: ~Copyable {
    public enum Failure: Error, Equatable, Sendable {
        /// Nobody listens, or the daemon did not answer in time: nothing is known about what was said.
        case unreachable(String)
        /// The daemon answered `error`.
        case refused(String)

        public var text: String {
            switch self {
            case .unreachable(let reason), .refused(let reason): reason
            }
        }
    }

    /// Lines that are said before their answers are read; fewer than the daemon lets wait.
    public static let group = 500

    private let path: String
    private let descriptor: CInt
    private let deadline: Int64
    private var answers: Octets = []

    /// - Parameter deadline: milliseconds from now, for everything.
    public init(_ path: String, deadline: Int64) throws(Failure) {
        self.path = path
        self.deadline = ControlClient.clock() + deadline
        guard let address = SocketAddress.unix(path) else { throw .unreachable("\(path): too long for a socket") }
        switch address.connect() {
        case .success(let made): descriptor = made
        case .failure(let error): throw .unreachable("\(path): \(error.text)")
        }
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Says lines, without their ends, and returns when the daemon has answered `ok` to all of them.
    ///
    /// - Parameter lines: at most `group`.
    /// - Throws: `.refused` with the first `error`.
    public mutating func say(_ lines: [Octets]) throws(Failure) {
        try send(Octets(lines.flatMap { $0 + [ASCII.lf] }))
        var refusal: Octets?
        for _ in lines {
            let answer = try nextAnswer()
            if answer != Octets("ok".utf8), refusal == nil { refusal = answer }
        }
        if let refusal { throw .refused(ASCII.washed(refusal.dropFirst(refusal.starts(with: Octets("error ".utf8)) ? 6 : 0))) }
    }

    private func send(_ octets: Octets) throws(Failure) {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, CInt(MSG_NOSIGNAL)) }
            if count > 0 { sent += count } else { try wait(POLLOUT, errno) }
        }
    }

    private mutating func nextAnswer() throws(Failure) -> Octets {
        var buffer = Octets(repeating: 0, count: 4096)
        while true {
            if let end = answers.firstIndex(of: ASCII.lf) {
                defer { answers.removeFirst(end + 1) }
                return Octets(answers[..<end])
            }
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { throw .unreachable("\(path): closed before it answered") }
            if count > 0 { answers += buffer[..<count] } else { try wait(POLLIN, errno) }
        }
    }

    private func wait(_ event: CInt, _ number: CInt) throws(Failure) {
        if number == EINTR { return }
        guard number == EAGAIN else { throw .unreachable("\(path): \(systemReason(number))") }
        while true {
            let left = deadline - ControlClient.clock()
            guard left > 0 else { throw .unreachable("\(path): no answer in time") }
            var polled = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let count = unsafe poll(&polled, 1, CInt(clamping: left))
            if count > 0 { return }
            if count < 0, errno != EINTR { throw .unreachable("\(path): \(systemReason())") }
        }
    }

    private static func clock() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
