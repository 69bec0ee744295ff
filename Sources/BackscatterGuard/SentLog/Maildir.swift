// A Maildir is read while others use it: a mail that was seen, or flagged, has another name behind `:2,` from one moment to
// the next, and moves from `new` to `cur`. What stands before `:2,` stays (maildir(5)): by it a mail is found again.
// Names are octets; they need not be UTF-8. Only regular files are opened: a FIFO would wait for a writer.

import Glibc

/// Reads the mails of one Maildir, once. Its subfolders are not entered.
struct Maildir {
    private struct Item {
        let folder: Int
        let name: Octets
        /// What stays of the name.
        let unique: Octets
    }

    private enum Opened {
        case reader(ZipReader)
        case vanished
        case failed(String)
    }

    /// Mail goes from the first to the second: listed in this order none is missed.
    private static let folders = ["new", "cur"]
    /// So often what is new, or has another name, is looked for.
    private static let rounds = 5

    private let folders: [MaildirFolder]
    private var done: Set<Octets> = []
    private var vanished: [Octets: String] = [:]
    /// Folders of which it was told that they can't be listed.
    private var unlisted: Set<Int> = []
    private(set) var unread = UnreadMail()

    /// - Throws: cannotOpen; unreadable for a directory that is no Maildir.
    init(_ path: String) throws(SentLogError) {
        let names = Maildir.folders.filter { MailFiles.isDirectory(path + "/" + $0) }
        guard !names.isEmpty else { throw .unreadable(file: path, reason: "a directory without cur and new is no Maildir; name the Maildirs or files in it") }
        var opened: [MaildirFolder] = []
        for name in names {
            guard let folder = MaildirFolder(path, name) else { throw .cannotOpen(file: path + "/" + name, reason: systemReason()) }
            opened.append(folder)
        }
        folders = opened
    }

    mutating func read(_ mail: MailFiles.Taker) throws(SentLogError) {
        for item in list() { try take(item, mail) }
        // While a directory is listed a file that is renamed may be told under neither name.
        for _ in 0..<Maildir.rounds {
            let fresh = list().filter { !done.contains($0.unique) }
            if fresh.isEmpty { break }
            for item in fresh { try take(item, mail) }
        }
        for name in vanished.values.sorted() { unread.add(name, "vanished, and is not there under another name") }
    }

    private mutating func take(_ item: Item, _ mail: MailFiles.Taker) throws(SentLogError) {
        let folder = folders[item.folder]
        let shown = "\(folder.path)/\(ASCII.washed(item.name))"
        switch Maildir.open(item.name, in: folder) {
        case .vanished: vanished[item.unique] = shown
        case .failed(let reason):
            done.insert(item.unique)
            unread.add(shown, reason)
        case .reader(let reader):
            done.insert(item.unique)
            vanished[item.unique] = nil
            if let reason = try MailFiles.read(reader, mail) { unread.add(shown, reason) }
        }
    }

    private mutating func list() -> [Item] {
        var items: [Item] = []
        for (number, folder) in folders.enumerated() {
            guard let names = folder.names() else {
                let reason = systemReason()
                if unlisted.insert(number).inserted { unread.add(folder.path, reason) }
                continue
            }
            items += names.map { Item(folder: number, name: $0, unique: Maildir.unique($0)) }
        }
        return items
    }

    private static func unique(_ name: Octets) -> Octets {
        for index in name.indices.dropLast(2) where name[index] == ASCII.colon && name[index + 1] == UInt8(ascii: "2") && name[index + 2] == ASCII.comma {
            return Octets(name[..<index])
        }
        return name
    }

    private static func open(_ name: Octets, in folder: MaildirFolder) -> Opened {
        guard let status = folder.status(of: name) else {
            let code = errno
            // A link may be there and lead nowhere.
            return code == ENOENT && !folder.has(name) ? .vanished : .failed(systemReason(code))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failed("no regular file") }
        guard let reader = ZipReader(descriptor: folder.open(name)) else { return errno == ENOENT ? .vanished : .failed(systemReason()) }
        // It may have been replaced since.
        return reader.status.st_mode & S_IFMT == S_IFREG ? .reader(reader) : .failed("no regular file")
    }
}

/// A directory whose files are named by octets.
private final class MaildirFolder {
    let path: String
    private let descriptor: Descriptor

    /// nil, with errno set, when it can't be opened.
    init?(_ maildir: String, _ name: String) {
        path = maildir + "/" + name
        guard let opened = Descriptor(path, O_RDONLY | O_DIRECTORY) else { return nil }
        descriptor = opened
    }

    /// Sorted, without those that begin with a dot; nil, with errno set, when it can't be listed to its end.
    func names() -> [Octets]? {
        // Listing moves the place of the descriptor.
        let own = unsafe openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0 else { return nil }
        guard let directory = unsafe fdopendir(own) else {
            Glibc.close(own)
            return nil
        }
        defer { unsafe closedir(directory) }
        var names: [Octets] = []
        errno = 0
        while let item = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &item.pointee.d_name) { unsafe Octets($0.prefix { $0 != 0 }) }
            if name.first != ASCII.dot { names.append(name) }
            errno = 0
        }
        return errno == 0 ? names.sorted { $0.lexicographicallyPrecedes($1) } : nil
    }

    /// Of what the name leads to; nil, with errno set.
    func status(of name: Octets) -> stat? {
        var status = stat()
        return unsafe fstatat(descriptor.number, MaildirFolder.text(name), &status, 0) == 0 ? status : nil
    }

    func has(_ name: Octets) -> Bool {
        var status = stat()
        return unsafe fstatat(descriptor.number, MaildirFolder.text(name), &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// A descriptor that the caller owns; below 0, with errno set, when it can't be opened. Waits for nobody.
    func open(_ name: Octets) -> CInt {
        unsafe openat(descriptor.number, MaildirFolder.text(name), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }

    private static func text(_ name: Octets) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }
}
