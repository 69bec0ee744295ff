// A listening Unix socket at a path of the file system, put there in one step: bound under another name, given its group
// and mode, and then moved, so that nobody ever finds a socket with other permissions, or none at all.

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
    ///   - mayReplace: asked about the process that listens at the path now, if there is one that answers.
    /// - Throws: `.system`; EADDRINUSE when somebody answers there who may not be replaced.
    public init(_ path: String, mode: mode_t, group: gid_t?, mayReplace: (pid_t) -> Bool) throws(ReactorError) {
        if let other = UnixListener.answering(at: path), !mayReplace(other) { throw .system(call: "bind", errno: EADDRINUSE) }
        let draft = path + ".new"
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
            try UnixListener.check(unsafe rename(draft, path), "rename")
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

    /// Removes the path unless another socket stands there by now.
    public func removePath() {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, UInt64(status.st_dev) == device, UInt64(status.st_ino) == inode else { return }
        unsafe unlink(path)
    }

    /// Who listens at the path; nil when nobody does.
    private static func answering(at path: String) -> pid_t? {
        guard let address = SocketAddress.unix(path), case .success(let descriptor) = address.connect() else { return nil }
        defer { _ = Glibc.close(descriptor) }
        // struct ucred: process, user, group.
        var credentials: [CInt] = [0, 0, 0]
        var length = socklen_t(12)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length)
        return credentials[0]
    }
}
