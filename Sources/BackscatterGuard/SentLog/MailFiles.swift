// Goes through mail on disk: single files, mboxes, Maildirs.

import Glibc

enum MailFiles {
    private static let chunk = 65_536

    /// Tells the ids of every mail under a path.
    ///
    /// - Parameter path: an .eml file, an mbox, or a Maildir (a directory with `cur` or `new`; its subfolders are not entered).
    /// - Throws: cannotOpen, unreadable, and what `mail` throws.
    static func read(_ path: String, _ mail: ([MessageID]) throws(SentLogError) -> Void) throws(SentLogError) {
        try read(path) { (ids: [MessageID], _: Int64) throws(SentLogError) in try mail(ids) }
    }

    /// Likewise, with the time at which the mail's file was written last, in seconds since 1970.
    static func read(_ path: String, _ mail: ([MessageID], Int64) throws(SentLogError) -> Void) throws(SentLogError) {
        guard isDirectory(path) else { return try readFile(path, mail) }
        let folders = ["cur", "new"].map { path + "/" + $0 }.filter(isDirectory)
        guard !folders.isEmpty else { throw .unreadable(file: path, reason: "a directory without cur and new is no Maildir; name the Maildirs or files in it") }
        for folder in folders {
            for name in try names(folder) { try readFile(folder + "/" + name, mail) }
        }
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func readFile(_ path: String, _ mail: ([MessageID], Int64) throws(SentLogError) -> Void) throws(SentLogError) {
        guard let file = Descriptor(path, O_RDONLY) else { throw .cannotOpen(file: path, reason: systemReason()) }
        var scanner = MailFileScanner()
        let modified = Int64(file.status.st_mtim.tv_sec)
        var found: [[MessageID]] = []
        var offset = 0
        while true {
            let octets = file.read(chunk, from: offset)
            offset += octets.count
            if octets.isEmpty { scanner.finish { found.append($0) } } else { scanner.read(octets.span) { found.append($0) } }
            for ids in found { try mail(ids, modified) }
            found.removeAll(keepingCapacity: true)
            if octets.isEmpty { return }
        }
    }

    /// Names in a directory, sorted, without those that begin with a dot.
    private static func names(_ path: String) throws(SentLogError) -> [String] {
        guard let directory = unsafe opendir(path) else { throw .cannotOpen(file: path, reason: systemReason()) }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let item = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
