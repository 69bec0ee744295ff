// Who is at the other end of a Unix socket, by the kernel.

import Glibc

/// Who made a Unix socket listen: SO_PEERCRED, unix(7).
enum UnixPeer {
    /// The process that listens at a path; nil: nobody, or it can't be told.
    static func listener(at path: String) -> (pid: Int32, uid: UInt32)? {
        guard let address = SocketAddress.unix(path), case .success(let descriptor) = address.connect() else { return nil }
        defer { _ = Glibc.close(descriptor) }
        return listener(of: descriptor)
    }

    static func listener(of descriptor: CInt) -> (pid: Int32, uid: UInt32)? {
        // struct ucred: pid, uid, gid.
        var words: [UInt32] = [0, 0, 0]
        var length = socklen_t(12)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &length) == 0, length == 12, words[0] > 0 else { return nil }
        return (Int32(bitPattern: words[0]), words[1])
    }
}
