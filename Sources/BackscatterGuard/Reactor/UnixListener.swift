// A listening Unix socket at a path of the file system, put there in one step: bound under another name, given its group
// and mode, and moved when its owner is ready, so that nobody ever finds a socket with other permissions, or none at all.

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
        if !mayReplace, UnixSocketFile.isAnswered(path) { throw .system(call: "bind", errno: EADDRINUSE) }
        let draft = UnixListener.draft(path)
        unsafe unlink(draft)
        var status = stat()
        do throws(ReactorError) {
            descriptor = try Listener.open(UnixSocketFile(path: draft, mode: mode, group: group), backlog: 1024)
        } catch {
            unsafe unlink(draft)
            throw error
        }
        guard unsafe lstat(draft, &status) == 0 else {
            let number = errno
            _ = Glibc.close(descriptor)
            unsafe unlink(draft)
            throw .system(call: "stat", errno: number)
        }
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    private static func draft(_ path: String) -> String { path + ".new" }

    /// From now on clients find it at its path.
    public func takePath() throws(ReactorError) {
        if unsafe rename(UnixListener.draft(path), path) != 0 { throw .system(call: "rename", errno: errno) }
    }

    /// Removes the path, or the one before it, unless another socket stands there by now.
    public func removePath() {
        for path in [path, UnixListener.draft(path)] {
            var status = stat()
            guard unsafe lstat(path, &status) == 0, UInt64(status.st_dev) == device, UInt64(status.st_ino) == inode else { continue }
            unsafe unlink(path)
        }
    }
}
