// One file that was put into the spool, read with the care that another user's file wants.

import Glibc

/// What became of reading it.
enum SpoolFile: Equatable {
    /// It was whole.
    case items([SpoolItem])
    /// Something put it there that is no program of guardd's: not read.
    case refused(String)
    /// A program of guardd's wrote it and a crash or the disk spoilt it, or it can't be read: what was in it left
    /// unrecorded, at `since` or later.
    case damaged(kept: [SpoolItem], since: Int64, String)
    /// It is no more.
    case gone

    /// - Parameter folder: status of the folder that it lies in.
    static func read(_ path: String, in folder: stat) -> SpoolFile {
        // O_NONBLOCK: a FIFO must not hold up the daemon.
        guard let file = Descriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else {
            switch errno {
            case ENOENT: return .gone
            case ELOOP: return .refused("a symbolic link")
            case ENXIO: return .refused("no regular file")
            case let number:
                var status = stat()
                guard unsafe lstat(path, &status) == 0 else { return .gone }
                guard status.st_mode & S_IFMT == S_IFREG else { return .refused("no regular file") }
                return .damaged(kept: [], since: Int64(status.st_mtim.tv_sec), systemReason(number))
            }
        }
        let status = file.status
        if let reason = fault(status, folder) { return .refused(reason) }
        let octets = file.read(SpoolFolder.fileLimit + 1)
        let (items, isDamaged) = SpoolItem.read(octets)
        guard isDamaged || octets.count != Int(status.st_size) || octets.isEmpty else { return .items(items) }
        return .damaged(kept: items, since: Int64(status.st_mtim.tv_sec), "torn, of \(octets.count) octets")
    }

    private static func fault(_ status: stat, _ folder: stat) -> String? {
        guard status.st_mode & S_IFMT == S_IFREG else { return "no regular file" }
        guard status.st_nlink == 1 else { return "it has \(status.st_nlink) names" }
        guard status.st_mode & 0o022 == 0 else { return "others than its owner may write it (mode \(String(status.st_mode & 0o7777, radix: 8)))" }
        // Files made in the folder have its group; one that was brought from elsewhere may be anybody's.
        guard status.st_gid == folder.st_gid || status.st_uid == folder.st_uid || status.st_uid == 0 else {
            return "uid \(status.st_uid), gid \(status.st_gid): it was not made here"
        }
        guard status.st_size <= SpoolFolder.fileLimit else { return "larger than \(SpoolFolder.fileLimit) octets" }
        return nil
    }
}
