// sd_notify(3) without libsystemd: datagrams to the socket that NOTIFY_SOCKET names. Without it nothing is said; what
// can't be said is lost, because no service depends on it that could be told here.

import Glibc

/// What the service manager is told.
struct SystemdNotify: Sendable {
    enum Word: Equatable {
        case ready
        /// With the time, as Type=notify-reload wants.
        case reloading
        case stopping
        case watchdog
        /// One line for `systemctl status`.
        case status(String)
        case mainPID(pid_t)

        static var mainPID: Word { .mainPID(getpid()) }

        var text: String {
            switch self {
            case .ready: "READY=1"
            case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(SystemdNotify.microseconds())"
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            case .status(let text): "STATUS=\(text)"
            case .mainPID(let process): "MAINPID=\(process)"
            }
        }
    }

    private let address: SocketAddress?

    /// - Parameter path: of a Unix socket; `@` begins a name in the abstract space. nil: nobody wants to hear.
    init(_ path: String? = nil) { address = path.flatMap(SocketAddress.unixOrAbstract) }

    static func ofProcess() -> SystemdNotify { SystemdNotify(ConfigurationSystem.variable("NOTIFY_SOCKET")) }

    func send(_ words: Word...) {
        guard let address else { return }
        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        let text = Octets(words.map(\.text).joined(separator: "\n").utf8)
        unsafe _ = address.withPointer { unsafe sendto(descriptor, text, text.count, CInt(MSG_NOSIGNAL), $0, $1) }
    }

    private static func microseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
