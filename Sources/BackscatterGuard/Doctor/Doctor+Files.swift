// Whose are the files that guardd lives by, and who else may read or change them? Good ones are summed up in one line.

import Glibc

/// Owner and mode of a file, as far as they can be seen.
private struct FileFacts {
    let mode: UInt32
    let uid: UInt32
    let gid: UInt32
    let isDirectory: Bool

    /// nil with errno set.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        (mode, uid, gid) = (UInt32(status.st_mode) & 0o7777, status.st_uid, status.st_gid)
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
    }
}

extension Doctor {
    var fileFindings: [Finding] {
        var findings = stateFindings
        if let file = configuration.file { findings += writable(file, "the configuration") }
        for files in configuration.certificates {
            let key = configuration.path(files.key)
            findings += forbidden(key, 0o007, .error, "anybody on this machine may use the private key", "chmod o= \(key)")
            findings += writable(key, "the private key")
        }
        if let file = configuration.sharedLogOptions.passwordFile.map(configuration.path) {
            findings += forbidden(file, 0o007, .error, "anybody on this machine may read the password of Redis", "chmod o= \(file)")
        }
        findings += socketFindings
        if let path = configuration.spoolPath { findings += spoolFindings(path) }
        if !findings.contains(where: { $0.level > .ok }) { findings.insert(Finding(.files, .ok, "owners and modes of what guardd reads and writes"), at: 0) }
        return findings
    }

    /// The account that guardd serves as; nil: whoever starts it.
    private var account: (name: String, uid: UInt32)? {
        configuration.user.flatMap(ConfigurationSystem.user).map { ($0.name, $0.uid) }
    }

    // MARK: the state directory

    private var stateFindings: [Finding] {
        let directory = configuration.stateDirectory
        guard let facts = FileFacts(directory) else {
            return errno == ENOENT
                ? [Finding(.files, .warning, "\(directory): is not there", remedy: "guardd makes it at its start; state_dir names it")]
                : [unseen(directory)]
        }
        guard facts.isDirectory else { return [Finding(.files, .error, "\(directory): is no directory", remedy: "mend state_dir")] }
        var findings = writable(directory, "the state directory")
        if let account, facts.uid != account.uid {
            findings.append(Finding(.files, .error, "\(directory): belongs to uid \(facts.uid), and guardd serves as \(account.name)", remedy: "chown -R \(account.name): \(directory)"))
        }
        let key = configuration.sentLogSettings.keyFile
        findings += forbidden(key, 0o077, .error, "others than its owner may use the key of the sent log, and guardd does not start with it", "chmod 600 \(key)")
        for file in [key, configuration.sentLogSettings.logFile, configuration.sentLogSettings.mapLockFile, configuration.sentLogSettings.guardFile] {
            guard let of = FileFacts(file) else { continue }
            if of.uid != facts.uid {
                findings.append(Finding(.files, .error, "\(file): belongs to uid \(of.uid), the directory to uid \(facts.uid)", remedy: "chown \(facts.uid) \(file): another user's command has left it"))
            }
        }
        return findings + room(directory)
    }

    /// Octets of a file system that are few, and too few.
    private static let (few, tooFew): (UInt64, UInt64) = (256 << 20, 32 << 20)

    private func room(_ directory: String) -> [Finding] {
        var system = statvfs()
        guard unsafe statvfs(directory, &system) == 0 else { return [] }
        let free = UInt64(system.f_bavail) * UInt64(system.f_frsize)
        guard free < Doctor.few else { return [] }
        return [Finding(
            .files, free < Doctor.tooFew ? .error : .warning, "\(directory): \(free >> 20) MiB left on its file system",
            remedy: "make room: when it is full outgoing mail is put off (record_failure)")]
    }

    // MARK: sockets and spool

    private var socketFindings: [Finding] {
        var wanted: [(path: String, mode: UInt32, group: UInt32?)] = configuration.listeners.compactMap { listener in
            listener.path.map { ($0, listener.socketMode ?? 0o660, listener.socketGroup.flatMap(ConfigurationSystem.group)) }
        }
        for place in [configuration.controlPlace, configuration.statusPlace?.place].compactMap(\.self) { wanted.append((place.path, place.mode, place.group)) }
        var findings = wanted.flatMap { path, mode, group -> [Finding] in
            guard let facts = FileFacts(path) else { return [] }             // nobody listens: that is said among the ports
            if facts.mode & 0o777 != mode {
                return [Finding(.files, .warning, "\(path): has mode \(octal(facts.mode)), the configuration says \(octal(mode))", remedy: "restart guardd, or chmod \(octal(mode)) \(path)")]
            }
            if let group, facts.gid != group {
                return [Finding(.files, .warning, "\(path): belongs to group \(facts.gid), the configuration says \(group)", remedy: "restart guardd, or chgrp \(group) \(path)")]
            }
            return []
        }
        if let place = configuration.controlPlace, place.mode & 0o006 != 0 {
            findings.append(Finding(.files, .warning, "\(place.path): anybody on this machine may say of any Message-ID that it was sent from here", remedy: "control_socket_mode = \"0660\" and a control_group"))
        }
        return findings
    }

    private func spoolFindings(_ path: String) -> [Finding] {
        let spool = SpoolFolder(path: path)
        guard FileFacts(path) != nil else {
            return errno == ENOENT ? [Finding(.files, .warning, "\(path): there is no spool", remedy: "guardd makes it at its start")] : [unseen(path)]
        }
        let bad = (FolderNames.first(10_000, in: spool.bad) ?? []).count
        guard bad > 0 else { return [] }
        return [Finding(.files, .warning, "\(spool.bad): \(bad) files that could not be imported", remedy: "mail that they tell of may not be recorded: look at them, then remove them")]
    }

    // MARK: what is asked of any file

    private func writable(_ path: String, _ what: String) -> [Finding] {
        forbidden(path, 0o022, .error, "others than its owner may change \(what)", "chmod go-w \(path)")
    }

    private func forbidden(_ path: String, _ bits: UInt32, _ level: Finding.Level, _ what: String, _ remedy: String) -> [Finding] {
        guard let facts = FileFacts(path) else { return errno == EACCES ? [unseen(path)] : [] }
        return facts.mode & bits == 0 ? [] : [Finding(.files, level, "\(path): \(what) (mode \(octal(facts.mode)))", remedy: remedy)]
    }

    private func unseen(_ path: String) -> Finding { Finding(.files, .unseen, "\(path): \(systemReason())", remedy: Doctor.askRoot) }

    private func octal(_ mode: UInt32) -> String { "0" + String(mode & 0o7777, radix: 8) }
}
