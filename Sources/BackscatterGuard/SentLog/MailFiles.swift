// Goes through mail on disk: single files, mboxes, Maildirs; all of them plain or compressed by gzip.

import Glibc

/// What of a mailbox could not be read.
public struct UnreadMail: Sendable, Equatable {
    private static let named = 5

    public private(set) var count = 0
    private var first: [String] = []

    mutating func add(_ file: String, _ reason: String) {
        count += 1
        if first.count < UnreadMail.named { first.append("\(file): \(reason)") }
    }

    /// For people: the first of them by name, and how many more there are.
    var lines: [String] { first + (count > first.count ? ["\(count - first.count) files more"] : []) }
}

enum MailFiles {
    /// Hears the ids of a mail, and when its file was written last, in seconds since 1970.
    typealias Taker = ([MessageID], Int64) throws(SentLogError) -> Void

    private static let chunk = 65_536
    /// How files begin that only other programs than gzip can read: xz, zstd, bzip2, and Dovecot's LZ4 and mail_crypt.
    private static let otherForms = [
        [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], [0x28, 0xB5, 0x2F, 0xFD], Octets("BZh".utf8), Octets("Dovecot-LZ4".utf8), Octets("CRYPTED".utf8) + [0x03, 0x07],
    ]

    /// Tells the ids of every mail under a path.
    ///
    /// - Parameter path: an .eml file, an mbox, or a Maildir (a directory with `cur` or `new`; its subfolders are not entered).
    /// - Returns: what could not be read; all the rest was told.
    /// - Throws: cannotOpen for the path itself, and what `mail` throws.
    static func read(_ path: String, _ mail: Taker) throws(SentLogError) -> UnreadMail {
        if isDirectory(path) {
            var maildir = try Maildir(path)
            try maildir.read(mail)
            return maildir.unread
        }
        guard let file = ZipReader(path: path) else { throw .cannotOpen(file: path, reason: systemReason()) }
        return try read(file, path, mail)
    }

    /// Likewise, of a file that is open.
    static func read(_ file: ZipReader, _ path: String, _ mail: Taker) throws(SentLogError) -> UnreadMail {
        var unread = UnreadMail()
        if let reason = try read(file, mail) { unread.add(path, reason) }
        return unread
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Why a file that begins so can't be read; nil when that is not known.
    static func otherForm(_ start: Octets) -> String? {
        otherForms.contains { start.starts(with: $0) } ? "compressed or encrypted, and not by gzip: make a plain copy of it" : nil
    }

    /// - Returns: why it could not be read to its end; nil when it was.
    static func read(_ file: ZipReader, _ mail: Taker) throws(SentLogError) -> String? {
        let modified = Int64(file.status.st_mtim.tv_sec)
        var scanner = MailFileScanner()
        var found: [[MessageID]] = []
        var isFirst = true
        while true {
            // A mail that ends in the middle is not told: its id may be cut.
            guard let octets = file.read(chunk) else { return "damaged: it ends in the middle" }
            if isFirst, let reason = otherForm(octets) { return reason }
            isFirst = false
            if octets.isEmpty { scanner.finish { found.append($0) } } else { scanner.read(octets.span) { found.append($0) } }
            for ids in found { try mail(ids, modified) }
            found.removeAll(keepingCapacity: true)
            if octets.isEmpty { return nil }
        }
    }
}
