// The names under which the files of a log lie beside it when they were rotated: mail.log.1, mail.log-20261122, mail.log.2.gz.

import Glibc

/// Rotated files of a log: those beside it whose names begin with its own.
enum LogSiblings {
    /// Their paths, oldest first; not the log itself.
    static func names(of path: String) -> [String] {
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let folder = String(path[...slash])
        let own = path[path.index(after: slash)...]
        var found: [(path: String, modified: Int64)] = []
        for name in names(in: folder) where name.hasPrefix(own + ".") || name.hasPrefix(own + "-") {
            var status = stat()
            guard unsafe stat(folder + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            found.append((folder + name, status.modified))
        }
        return found.sorted { ($0.modified, $0.path) < ($1.modified, $1.path) }.map(\.path)
    }

    /// Whether a name is one that rotation gives for certain, with a number or a date; others may belong to other programs.
    static func isNumbered(_ name: String, of path: String) -> Bool { name.dropFirst(path.count + 1).first?.isNumber == true }

    static func isArchive(_ name: String) -> Bool { name.hasSuffix(".gz") }

    private static func names(in folder: String) -> [String] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let item = unsafe readdir(directory) {
            names.append(unsafe withUnsafeBytes(of: &item.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }
}

extension FileIdentity {
    /// When the file behind a path was last written, in nanoseconds since 1970; 0 when there is none.
    static func modified(_ path: String) -> Int64 {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status.modified : 0
    }
}

extension stat {
    /// In nanoseconds since 1970.
    var modified: Int64 { Int64(st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(st_mtim.tv_nsec) }
}
