// From root to the user that guardd serves as: once, for good, after it has bound its ports and read its keys, and before
// it opens the sent log or hears a client. What can't be given up is an error, never a reason to go on.

import Glibc

/// An account, looked up before it is needed.
struct Account: Equatable {
    let name: String
    let uid: uid_t
    let gid: gid_t

    /// - Parameters:
    ///   - user: a name, or a number.
    ///   - group: the same; nil: the user's own.
    /// - Throws: which of them the system does not know, and what to do.
    init(user: String, group: String?) throws(WrongAccount) {
        var ownGroup: gid_t?
        if let known = ConfigurationSystem.user(user) {
            (name, uid, ownGroup) = known
        } else if let number = uid_t(user) {
            (name, uid) = (user, number)
        } else {
            throw WrongAccount(key: "user", problem: "there is no user \"\(user)\"; make one, as: useradd --system \(user)")
        }
        if let group {
            if let known = ConfigurationSystem.group(group) {
                gid = known
            } else if let number = gid_t(group) {
                gid = number
            } else {
                throw WrongAccount(key: "group", problem: "there is no group \"\(group)\"; make one, as: groupadd --system \(group)")
            }
        } else if let ownGroup {
            gid = ownGroup
        } else {
            throw WrongAccount(key: "group", problem: "missing; user \(user) is a number without an account, so write the group as well")
        }
    }
}

/// The key that names an account that is not there.
struct WrongAccount: Error, Equatable {
    let key: String
    let problem: String
}

/// What a process does about its user at the start.
enum Privileges: Equatable {
    /// It serves as who it is.
    case keep
    /// It is root and becomes this account.
    case become(Account)

    /// What the configuration asks of a process.
    ///
    /// - Parameters:
    ///   - user: effective.
    ///   - group: effective.
    /// - Throws: an account that is not there or can't be become; root without being told so, where strangers can reach it.
    static func wanted(by configuration: Configuration, user: uid_t = geteuid(), group: gid_t = getegid()) throws(ConfigurationError) -> Privileges {
        func fault(_ key: String, _ problem: String) -> ConfigurationError {
            ConfigurationError([.init(file: configuration.file, keyPath: key, problem: problem)])
        }
        guard let name = configuration.user else {
            if configuration.group != nil { throw fault("group", "stands without user; write user = \"guardd\" as well, or remove it") }
            if user == 0, let listener = configuration.publicListener { throw fault("user", Privileges.rootRefused(listener)) }
            return .keep
        }
        let account: Account
        do throws(WrongAccount) { account = try Account(user: name, group: configuration.group) } catch { throw fault(error.key, error.problem) }
        if user == 0 { return account.uid == 0 ? .keep : .become(account) }
        guard account.uid == user, configuration.group == nil || account.gid == group else {
            throw fault("user", "guardd was started as uid \(user), gid \(group) and can't become \(account.name); start it as root, or as that user, or remove user and group")
        }
        return .keep
    }

    private static func rootRefused(_ listener: Configuration.Listener) -> String {
        """
        missing, and guardd was started as root with a listener on \(listener.address) that strangers can reach; write user = "guardd" \
        (useradd --system guardd), start it (and guardd check) as another user, or, if it has to be, write user = "root"
        """
    }

    /// Becomes the account, for good. There must be one thread only.
    ///
    /// - Throws: what the system refused, or that a way back is left.
    static func drop(to account: Account) throws(ReactorError) {
        func attempt(_ call: String, _ isDone: Bool) throws(ReactorError) { if !isDone { throw .system(call: call, errno: errno) } }
        // The groups of the account and no other: those of root's login would stay.
        try attempt("initgroups", unsafe initgroups(account.name, account.gid) == 0)
        // As root these set the real, the effective and the saved one.
        try attempt("setgid", setgid(account.gid) == 0)
        try attempt("setuid", setuid(account.uid) == 0)
        try attempt("capset", SystemCalls.dropCapabilities())
        guard SystemCalls.isWholly(user: account.uid, group: account.gid), setuid(0) != 0, !SystemCalls.hasCapabilities
        else { throw .system(call: "dropping root's rights", errno: EPERM) }
        // Nobody else of the same user may look into memory where keys are; no core dump holds them.
        SystemCalls.hideMemory()
    }
}

extension Configuration {
    /// The first listener that is not on loopback, or on a port that is root's to give.
    var publicListener: Listener? { listeners.first { $0.path == nil && (!$0.address.isLoopback || $0.address.port < 1024) } }

    /// What a start would say about the user, as far as it holds for whoever checks.
    ///
    /// - Returns: why this very process could not serve: `guardd check` is often run by another user than `guardd run`.
    /// - Throws: accounts that are not there.
    public func checkAccounts() throws(ConfigurationError) -> [String] {
        if let user {
            do throws(WrongAccount) { _ = try Account(user: user, group: group) } catch {
                throw ConfigurationError([.init(file: file, keyPath: error.key, problem: error.problem)])
            }
        }
        do throws(ConfigurationError) { _ = try Privileges.wanted(by: self) } catch { return error.lines }
        return []
    }
}

/// The folder of the sent log, made for its owner before root is gone.
enum StateDirectory {
    /// Makes it if it is missing; gives it to the account if it is root's and empty.
    ///
    /// Never touches what lies in it: with root's rights a link in a folder of somebody else leads anywhere.
    ///
    /// - Throws: cannotOpen, and the remedy.
    static func prepare(_ path: String, for account: Account) throws(SentLogError) {
        let isNew = unsafe mkdir(path, 0o700) == 0
        if !isNew, errno != EEXIST { throw .cannotOpen(file: path, reason: systemReason()) }
        try check(path, for: account.uid, name: account.name)
        guard let folder = Descriptor(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { throw .cannotOpen(file: path, reason: systemReason()) }
        guard folder.status.st_uid == 0, account.uid != 0 else { return }
        guard fchown(folder.number, account.uid, account.gid) == 0 else { throw .cannotOpen(file: path, reason: systemReason()) }
    }

    /// One that is there: a folder, and root's only if there is nothing in it.
    static func check(_ path: String, for uid: uid_t, name: String) throws(SentLogError) {
        guard let folder = Descriptor(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { throw .cannotOpen(file: path, reason: systemReason()) }
        guard folder.status.st_uid == 0, uid != 0, !isEmpty(path) else { return }
        throw .settings("\(path): belongs to root, and guardd serves as \(name): chown -R \(name): \(path)")
    }

    /// It belongs to root, so `prepare` gives it away.
    static func isRoots(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_uid == 0
    }

    private static func isEmpty(_ path: String) -> Bool {
        guard let folder = unsafe opendir(path) else { return false }
        defer { unsafe _ = closedir(folder) }
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Octets($0.prefix { $0 != 0 }) }
            if name != [ASCII.dot], name != [ASCII.dot, ASCII.dot] { return false }
        }
        return true
    }
}
