// Whether the sent log's folder and the spool can be made or opened by guardd, for StartProspect.

import Glibc

struct StateDirectoryProspect {
    private(set) var faults: [SentLogError] = []

    private let configuration: Configuration
    private let user: ServingUser
    private var settings: SentLogSettings { configuration.sentLogSettings }

    init(_ configuration: Configuration, _ user: ServingUser) {
        (self.configuration, self.user) = (configuration, user)
        do throws(SentLogError) {
            try lookAtFolder()
            try lookAtSpool()
        } catch { faults.append(error) }
    }

    private func lookAtFolder() throws(SentLogError) {
        let path = settings.stateDirectory
        guard ConfigurationSystem.exists(path) else { return try lookAtParent(path) }
        if user.isSelf {
            try SentLogOpener.checkOwner(of: path)
        } else if let name = configuration.user {
            try StateDirectory.check(path, for: user.uid, name: name)
        }
        // Root's and empty: it will be given away.
        if StateDirectory.isRoots(path), !user.isSelf { return }
        try lookAt(settings.guardFile, R_OK | W_OK)
        try lookAtKey()
        if configuration.sharedLog == nil, ConfigurationSystem.exists(settings.logFile) { try lookAt(settings.logFile, R_OK | W_OK) }
    }

    /// Makes a folder beside the one that would be made, for a moment: /proc takes none, whatever its mode says.
    private func lookAtParent(_ path: String) throws(SentLogError) {
        var end = path[...]
        while end.count > 1, end.hasSuffix("/") { end = end.dropLast() }
        let folder = end.lastIndex(of: "/").map { String(end[...$0]) } ?? ""
        let draft = "\(folder).guardd-check.\(getpid())"
        guard unsafe mkdir(draft, 0o700) == 0 else { throw .cannotOpen(file: path, reason: systemReason()) }
        unsafe rmdir(draft)
    }

    private func lookAt(_ file: String, _ rights: CInt) throws(SentLogError) {
        let isThere = ConfigurationSystem.exists(file)
        if let reason = isThere ? user.refusal(rights, file) : user.refusalToMake(file) { throw .cannotOpen(file: file, reason: systemReason(reason)) }
    }

    private func lookAtKey() throws(SentLogError) {
        let file = settings.keyFile
        guard ConfigurationSystem.exists(file) else {
            let isBegun = FileIdentity.size(of: settings.logFile) ?? 0 > 0
            if configuration.sharedLog == nil, isBegun { throw .keyMissing(file: file, log: settings.logFile) }
            return
        }
        if let reason = user.refusal(R_OK, file) { throw .cannotOpen(file: file, reason: systemReason(reason)) }
        _ = try SentKeyFile(path: file, directory: settings.stateDirectory).load()
    }

    private func lookAtSpool() throws(SentLogError) {
        guard let path = configuration.spoolPath else { return }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            if let reason = refusalToMake(path) { throw .cannotOpen(file: path, reason: systemReason(reason)) }
            return try checkGroup(path)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .cannotOpen(file: path, reason: systemReason(ENOTDIR)) }
        try SpoolFolder.checkOwner(status.st_uid, of: path, user: user.uid)
        try checkGroup(path)
    }

    private func checkGroup(_ path: String) throws(SentLogError) {
        if !user.mayGive(configuration.controlGroup?.number) { throw .cannotOpen(file: path, reason: "chgrp: \(systemReason(EPERM))") }
    }

    /// Why guardd's user can't make a file there when it serves; nil: it can. A state directory that is still to be made, or
    /// root's and empty, is the user's own by then.
    func refusalToMake(_ path: String) -> CInt? {
        let state = settings.stateDirectory
        let isComing = !ConfigurationSystem.exists(state) || !user.isSelf && StateDirectory.isRoots(state)
        return isComing && path.hasPrefix(state + "/") && !path.dropFirst(state.count + 1).contains("/") ? nil : user.refusalToMake(path)
    }
}
