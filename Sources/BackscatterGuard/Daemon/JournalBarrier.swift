// Has the journal been read up to now? What journald puts into it shows to a following journalctl half a second later, and
// a stalled journald lets messages wait in its socket. So a message of our own is sent into the same socket: journald takes
// them in turn, and an entry that shows it, or any message that was sent later, shows that all before are there too.

import Glibc

/// One question whether everything that was logged by now has been read.
struct JournalBarrier: Sendable {
    /// Where syslog(3) messages reach journald; everybody may write to it.
    static let socket = "/run/systemd/journal/dev-log"
    static let identifier = "guardd"

    enum Mark: Equatable {
        /// It waits for room in the socket.
        case unsent
        case sent
        /// There is no such socket, or it may not be used: the journal as it is has to do.
        case impossible
    }

    /// Microseconds since 1970.
    let asked: Int64
    private let token: String
    private(set) var mark = Mark.unsent

    init(asked: Int64, token: UInt64 = .random(in: .min ... .max)) {
        self.asked = asked
        self.token = "journal mark " + String(token, radix: 16)
    }

    var text: Octets { Octets("<22>\(JournalBarrier.identifier): \(token)".utf8) }

    /// Sends the mark unless it was sent. Never waits.
    mutating func send(to path: String = JournalBarrier.socket) {
        guard mark == .unsent else { return }
        guard let address = SocketAddress.unixOrAbstract(path) else { return mark = .impossible }
        let descriptor = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        let text = text
        let count = unsafe address.withPointer { unsafe sendto(descriptor, text, text.count, CInt(MSG_NOSIGNAL), $0, $1) }
        if count == text.count {
            mark = .sent
        } else if errno != EAGAIN, errno != ENOBUFS, errno != ENOMEM, errno != EINTR {
            mark = .impossible
        }
    }

    /// Microseconds since 1970; exact, for it is compared with times of messages.
    static func clock() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    /// Whether this entry stands behind all that had been logged when it was asked.
    func isPassed(by message: JournalMessage) -> Bool {
        if let sent = message.sent, sent >= asked { return true }
        return message.program == Octets(JournalBarrier.identifier.utf8) && message.text == Octets(token.utf8)
    }
}
