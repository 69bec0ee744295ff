// Where log lines end: a descriptor or syslog.

import Glibc

/// Takes whole lines, and may block: only the log's own thread and the start of the program write to it.
enum LogSink: Sendable {
    case descriptor(CInt)
    case syslog(SyslogSocket)

    init(_ place: Configuration.LogPlace) {
        self = switch place {
        case .stderr: .descriptor(STDERR_FILENO)
        case .syslog: .syslog(SyslogSocket())
        }
    }

    /// Lines have to begin with `<N>`.
    var hasPriorities: Bool {
        switch self {
        case .descriptor: unsafe getenv("JOURNAL_STREAM") != nil
        case .syslog: true
        }
    }

    var name: String {
        switch self {
        case .descriptor: "standard error"
        case .syslog: "syslog"
        }
    }

    func write(_ lines: Octets) {
        switch self {
        case .descriptor(let descriptor): LogSink.write(lines, to: descriptor)
        case .syslog(let socket): socket.write(lines)
        }
    }

    /// A descriptor that somebody made non-blocking: waits until it takes something.
    private static func isReady(_ descriptor: CInt) -> Bool {
        var query = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&query, 1, -1) >= 0 || errno == EINTR
    }

    /// All of it, whatever a pipe takes at once; what the descriptor refuses is lost.
    static func write(_ lines: Octets, to descriptor: CInt) {
        var sent = 0
        while sent < lines.count {
            let count = unsafe lines.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: sent), lines.count - sent) }
            if count > 0 { sent += count } else if count < 0, errno == EINTR || errno == EAGAIN && isReady(descriptor) { continue } else { return }
        }
    }
}
