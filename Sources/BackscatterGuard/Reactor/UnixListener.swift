// A listening Unix socket at a path of the file system, put there in one step: bound under another name, given its group
// and mode, and moved when its owner is ready, so that nobody ever finds a socket with other permissions, or none at all.

import CEvent
import Glibc

/// The descriptor and what is needed to take its path away again.
public struct UnixListener: Sendable {
    public let descriptor: CInt
    private let path: String
    private let device: UInt64
    private let inode: UInt64

    /// - Parameters:
    ///   - path: at most 100 octets, in a folder that this process may write.
    ///   - mode: permission bits.
    ///   - group: nil: the process's own.
    ///   - mayReplace: whether somebody who answers at the path may be there.
    /// - Throws: `.system`; EADDRINUSE when somebody answers there who may not.
    public init(_ path: String, mode: mode_t, group: gid_t?, mayReplace: Bool) throws(ReactorError) {
        if !mayReplace, UnixListener.isAnswered(path) { throw .system(call: "bind", errno: EADDRINUSE) }
        let draft = UnixListener.draft(path)
        guard let address = SocketAddress.unix(draft) else { throw .system(call: "bind", errno: ENAMETOOLONG) }
        unsafe unlink(draft)
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
        var status = stat()
        do throws(ReactorError) {
            try UnixListener.check(unsafe address.withPointer { unsafe bind(descriptor, $0, $1) }, "bind")
            if let group { try UnixListener.check(unsafe chown(draft, uid_t.max, group), "chgrp") }
            try UnixListener.check(unsafe chmod(draft, mode), "chmod")
            try UnixListener.check(listen(descriptor, 1024), "listen")
            try UnixListener.check(unsafe lstat(draft, &status), "stat")
        } catch {
            _ = Glibc.close(descriptor)
            unsafe unlink(draft)
            throw error
        }
        self.descriptor = descriptor
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    private static func check(_ result: CInt, _ call: String) throws(ReactorError) {
        if result != 0 { throw .system(call: call, errno: errno) }
    }

    private static func draft(_ path: String) -> String { path + ".new" }

    /// From now on clients find it at its path.
    public func takePath() throws(ReactorError) {
        try UnixListener.check(unsafe rename(UnixListener.draft(path), path), "rename")
    }

    /// Removes the path, or the one before it, unless another socket stands there by now.
    public func removePath() {
        for path in [path, UnixListener.draft(path)] {
            var status = stat()
            guard unsafe lstat(path, &status) == 0, UInt64(status.st_dev) == device, UInt64(status.st_ino) == inode else { continue }
            unsafe unlink(path)
        }
    }

    static func isAnswered(_ path: String) -> Bool {
        guard let address = SocketAddress.unix(path), case .success(let descriptor) = address.connect() else { return false }
        _ = Glibc.close(descriptor)
        return true
    }
}
