// The spool: a folder into which programs of other users put what they could not tell the daemon, which imports it
// before its next lookup. A file is written in tmp/ and moved to new/ when it is whole and on disk; bad/ keeps what was
// refused. Who may write there is the kernel's business: group and mode of tmp/ and new/.

import Glibc

/// The places of one spool.
struct SpoolFolder: Sendable {
    /// Larger files are refused. A hook writes one item, of at most a line of RecordLine and its head.
    static let fileLimit = 1 << 20

    let path: String
    var new: String { path + "/new" }
    var draft: String { path + "/tmp" }
    var bad: String { path + "/bad" }

    // MARK: the daemon

    /// Makes what is missing, and sets group and modes.
    ///
    /// tmp/ and new/ are setgid, so that the daemon's group may read what is put there, and sticky, so that nobody moves
    /// another's file.
    ///
    /// - Parameters:
    ///   - group: that may write; nil: left as it is.
    ///   - isForAll: everybody may write.
    /// - Throws: cannotOpen.
    func make(group: gid_t?, isForAll: Bool) throws(SentLogError) {
        try make(path, isForAll ? 0o2755 : 0o2750, group)
        try make(draft, isForAll ? 0o3777 : 0o3770, group)
        try make(new, isForAll ? 0o3777 : 0o3770, group)
        try make(bad, 0o700, nil)
        guard Descriptor.syncDirectory(path) else { throw .cannotOpen(file: path, reason: systemReason()) }
    }

    private func make(_ folder: String, _ mode: mode_t, _ group: gid_t?) throws(SentLogError) {
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { throw .cannotOpen(file: folder, reason: systemReason()) }
        guard let directory = Descriptor(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else {
            throw .cannotOpen(file: folder, reason: systemReason())
        }
        try SpoolFolder.checkOwner(directory.status.st_uid, of: folder, user: geteuid())
        if let group, fchown(directory.number, uid_t.max, group) != 0 { throw .cannotOpen(file: folder, reason: "chgrp: \(systemReason())") }
        if fchmod(directory.number, mode) != 0 { throw .cannotOpen(file: folder, reason: "chmod: \(systemReason())") }
    }

    static func checkOwner(_ uid: uid_t, of folder: String, user: uid_t) throws(SentLogError) {
        guard uid == user else { throw .cannotOpen(file: folder, reason: "belongs to uid \(uid), not to the user that guardd runs as") }
    }

    // MARK: who puts something in

    /// Puts a file into the spool. It is on disk, under its name, before this returns.
    ///
    /// - Returns: nil, or why it could not be done; then nothing counts as put.
    func put(_ items: [SpoolItem]) -> String? {
        let name = "\(time(nil)).\(getpid()).\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let (from, to) = (draft + "/" + name, new + "/" + name)
        guard let file = Descriptor(from, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640) else { return "\(draft): \(systemReason())" }
        // The daemon reads it as one of the folder's group, whatever the umask is.
        guard fchmod(file.number, 0o640) == 0, file.writeDurably(Octets(items.map(\.octets).joined())), unsafe rename(from, to) == 0 else {
            let reason = systemReason()
            unsafe unlink(from)
            return "\(from): \(reason)"
        }
        return Descriptor.syncDirectory(new) ? nil : "\(new): \(systemReason())"
    }
}
