// A small file of the state directory that is replaced as a whole: after a crash it is the old one or the new one.

import Glibc

enum SmallFile {
    private static let limit = 1 << 20

    /// nil when there is none or it can't be read.
    static func read(_ path: String) -> String? {
        guard let file = Descriptor(path, O_RDONLY) else { return nil }
        return String(validating: file.read(limit), as: UTF8.self)
    }

    /// Replaces the file, durably.
    ///
    /// - Returns: why not; nil when it is done.
    static func write(_ text: String, to path: String) -> String? {
        let draft = path + ".new"
        guard let file = Descriptor(draft, O_WRONLY | O_CREAT | O_TRUNC), file.writeDurably(Octets(text.utf8)), unsafe rename(draft, path) == 0
        else { return systemReason() }
        return nil
    }
}
