// The user that guardd would serve as, and what the modes of files let it do. Of another user than the one who asks only
// owner, groups and modes are known: access control lists and the like are not.

import Glibc

struct ServingUser: Equatable {
    let uid: uid_t
    let groups: Set<gid_t>
    /// This very process has its rights.
    let isSelf: Bool

    static let process = ServingUser(uid: geteuid(), groups: ServingUser.ownGroups().union([getegid()]), isSelf: true)

    init(uid: uid_t, groups: Set<gid_t>, isSelf: Bool) {
        (self.uid, self.groups, self.isSelf) = (uid, groups, isSelf)
    }

    /// Whom root becomes: with the groups that initgroups(3) would give it.
    init(_ account: Account) {
        var groups = [gid_t](repeating: 0, count: 1_024)
        var count = CInt(groups.count)
        let isKnown = unsafe getgrouplist(account.name, account.gid, &groups, &count) >= 0
        self.init(uid: account.uid, groups: isKnown ? Set(groups.prefix(Int(count))) : [account.gid], isSelf: false)
    }

    private static func ownGroups() -> Set<gid_t> {
        let count = getgroups(0, nil)
        guard count > 0 else { return [] }
        var groups = [gid_t](repeating: 0, count: Int(count))
        return unsafe Set(groups.prefix(Int(max(0, getgroups(count, &groups)))))
    }

    /// Why it may not do something with a file or folder that is there; nil: it may.
    ///
    /// - Parameter rights: of R_OK, W_OK, X_OK.
    /// - Returns: errno.
    func refusal(_ rights: CInt, _ path: String) -> CInt? {
        // As root this finds what nobody may: a file system that is read-only.
        if unsafe access(path, rights) != 0 { return errno }
        if isSelf || uid == 0 { return nil }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return errno }
        let shift: UInt32 = status.st_uid == uid ? 6 : groups.contains(status.st_gid) ? 3 : 0
        return (UInt32(status.st_mode) >> shift) & UInt32(rights) == UInt32(rights) ? nil : EACCES
    }

    /// Whether it may give a file of its own that group.
    func mayGive(_ group: gid_t?) -> Bool { group.map { uid == 0 || groups.contains($0) } ?? true }
}
