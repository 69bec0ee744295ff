// syslog without syslog(3): datagrams to /dev/log, facility mail, in the form that syslog(3) sends (RFC 3164, with the local
// time). The library's function would fall silent, or write to the console, while nobody listens there; here the lines go
// to standard error until somebody does again.

import Glibc
import Synchronization

/// The local syslog daemon.
final class SyslogSocket: Sendable {
    /// LOG_MAIL
    private static let facility = 2
    /// Milliseconds between two tries to reach it.
    private static let patience: Int64 = 1_000

    private struct State {
        var descriptor: CInt = -1
        var tried: Int64 = .min / 2
        var isLost = false
    }

    private let path: String
    private let fallback: CInt
    private let state = Mutex(State())

    /// - Parameter fallback: where lines go while nobody listens.
    init(_ path: String = "/dev/log", fallback: CInt = STDERR_FILENO) {
        (self.path, self.fallback) = (path, fallback)
    }

    deinit { state.withLock { if $0.descriptor >= 0 { _ = close($0.descriptor) } } }

    /// - Parameter lines: each with `<N>` before it.
    func write(_ lines: Octets) {
        state.withLock { state in
            for line in lines.split(separator: ASCII.lf) { send(Octets(line), &state) }
        }
    }

    private func send(_ line: Octets, _ state: inout State) {
        let head = "<\(SyslogSocket.facility << 3 | SyslogSocket.severity(line))>\(SyslogSocket.stamp(time(nil))) guardd[\(getpid())]: "
        let datagram = Octets(head.utf8) + line.dropFirst(3)
        for _ in 0..<2 {
            if state.descriptor < 0, !open(&state) { break }
            if unsafe Glibc.send(state.descriptor, datagram, datagram.count, CInt(MSG_NOSIGNAL)) == datagram.count { return }
            // A syslog daemon that was started anew has a new socket.
            _ = close(state.descriptor)
            state.descriptor = -1
        }
        writeToFallback(line)
    }

    private func open(_ state: inout State) -> Bool {
        let now = EventLoop.milliseconds()
        guard now - state.tried >= Self.patience || !state.isLost, let address = SocketAddress.unix(path) else { return false }
        state.tried = now
        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        if descriptor >= 0, unsafe address.withPointer({ unsafe connect(descriptor, $0, $1) }) == 0 {
            (state.descriptor, state.isLost) = (descriptor, false)
            return true
        }
        let reason = systemReason()
        if descriptor >= 0 { _ = close(descriptor) }
        if !state.isLost { writeToFallback(Octets("<\(Severity.warning.rawValue)>log: \(path): \(reason): log_to = \"syslog\" goes to standard error until it is there".utf8)) }
        state.isLost = true
        return false
    }

    private func writeToFallback(_ line: Octets) {
        let sink = LogSink.descriptor(fallback)
        sink.write((sink.hasPriorities ? line : Octets(line.dropFirst(3))) + [ASCII.lf])
    }

    private static func severity(_ line: Octets) -> Int {
        guard line.count > 2, line[0] == ASCII.less, ASCII.isDigit(line[1]), line[2] == ASCII.greater else { return Severity.info.rawValue }
        return Int(line[1] - ASCII.zero)
    }

    /// `Nov  2 05:23:00`
    static func stamp(_ time: time_t) -> String {
        var seconds = time
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        let (month, day) = unsafe (Int(parts.tm_mon), parts.tm_mday)
        let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func padded(_ number: CInt, _ filler: Character = "0") -> String { number < 10 ? "\(filler)\(number)" : String(number) }
        return "\(months[max(0, min(11, month))]) \(padded(day, " ")) \(padded(hour)):\(padded(minute)):\(padded(second))"
    }
}
