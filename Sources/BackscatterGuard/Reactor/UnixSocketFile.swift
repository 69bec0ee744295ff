// A listening Unix socket. Its file outlives the process that made it; one that is left over, and that nobody answers on
// any more, is replaced. Clients come only when owner and mode are as wanted: before that it does not listen.

import CEvent
import Glibc

/// What is to become of the socket's file.
public struct UnixSocketFile: Sendable, Equatable {
    /// Absolute, at most 107 octets.
    public var path: String
    /// Permission bits; connecting needs the right to write.
    public var mode: UInt32
    /// Group id; nil leaves the process' own.
    public var group: UInt32?

    public init(path: String, mode: UInt32, group: UInt32? = nil) {
        self.path = path
        self.mode = mode
        self.group = group
    }

    /// Whether a process listens at the path, as far as this one can see. A full queue is somebody's.
    static func isAnswered(_ path: String) -> Bool { [0, EAGAIN].contains(knock(path)) }

    /// Why connect(2) fails there; 0 when it does not.
    fileprivate static func knock(_ path: String) -> CInt {
        guard let address = SocketAddress.unix(path) else { return ENAMETOOLONG }
        switch address.connect() {
        case .success(let descriptor):
            _ = Glibc.close(descriptor)
            return 0
        case .failure(.system(_, let number)): return number
        case .failure: return ENOMEM
        }
    }
}

extension Listener {
    /// A bound and listening Unix socket, non-blocking, closed on exec. There is no SO_REUSEPORT here: loops share it.
    ///
    /// - Throws: `.system` with the call that failed: `bind` with EADDRINUSE when another process answers on it or the file
    ///   is no socket; `chown`, `chmod`; `unlink` of a left-over file.
    public static func open(_ file: UnixSocketFile, backlog: CInt = 4096) throws(ReactorError) -> CInt {
        guard let address = SocketAddress.unix(file.path) else { throw .system(call: "bind", errno: ENAMETOOLONG) }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
        do throws(ReactorError) {
            try bind(descriptor, address, file)
            try check("chown", file.group.map { unsafe chown(file.path, uid_t.max, $0) } ?? 0)
            try check("chmod", unsafe chmod(file.path, file.mode))
            try check("listen", listen(descriptor, backlog))
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func bind(_ descriptor: CInt, _ address: SocketAddress, _ file: UnixSocketFile) throws(ReactorError) {
        func attempt() -> CInt { unsafe address.withPointer { unsafe Glibc.bind(descriptor, $0, $1) } == 0 ? 0 : errno }
        let number = attempt()
        if number == 0 { return }
        // Anything but a plain refusal may be somebody.
        guard number == EADDRINUSE, isSocket(file.path), UnixSocketFile.knock(file.path) == ECONNREFUSED else { throw .system(call: "bind", errno: number) }
        try check("unlink", unsafe unlink(file.path))
        let again = attempt()
        if again != 0 { throw .system(call: "bind", errno: again) }
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & 0o170000 == 0o140000              // S_IFMT, S_IFSOCK: Swift sees two of each
    }

    private static func check(_ call: String, _ result: CInt) throws(ReactorError) {
        if result != 0 { throw .system(call: call, errno: errno) }
    }
}
