// A log under its name, through rotations: a file that was renamed is read on until it is quiet, one that was copied and
// cut to nothing is read to its end in the copy. After a stop it goes on where it was, in whatever file that is now.

import Glibc

/// The lines of a log, in the order in which they were written. Used by one thread.
final class LogTail: FollowedLog {
    enum Step: Equatable {
        /// Whole lines. Known: an earlier run has told what is in them.
        case lines(Octets, isKnown: Bool)
        /// The same, from the journal.
        case messages([JournalMessage], isKnown: Bool)
        /// Lines may be missing from here.
        case lost(String)
        /// All that was written has been read.
        case end
        /// Nothing to be read now; whether that was all is not known.
        case pending
        /// The log can't be read now.
        case unreadable(String)
    }

    /// Octets before the place of the last run that are read again: the mails that were under way then.
    static let rewind = 16 << 20
    /// A renamed file is given up when it was quiet so long, in milliseconds.
    private static let quiet: Int64 = 60_000
    private static let filesKept = 8

    let path: String
    private var files: [LogFile] = []
    private var archive: ArchiveRest?
    private var losses: [String] = []
    /// Where the archive's rest began, which counts until it was read.
    private var before: LogPosition.Place?

    /// - Parameter position: where an earlier run was; nil: the log is read from its beginning.
    init(path: String, position: LogPosition?) {
        self.path = path
        if let position { resume(position) }
    }

    /// Where it is; without any place while there was no file.
    var places: [LogPosition.Place] { [before].compactMap(\.self) + files.map(\.place) }

    /// Octets that were written and not read.
    var behind: Int { files.reduce(0) { $0 + $1.behind } }

    var wake: CInt? { nil }
    var patience: Int64 { 0 }
    var lateness: Int64 { 0 }

    func look() {}

    func position(caughtUp: Int64) -> String? {
        let places = places
        return places.isEmpty ? nil : LogPosition(places: places, caughtUp: caughtUp).text
    }

    func close() {}

    /// The next lines.
    ///
    /// - Parameter now: milliseconds of the monotonic clock.
    func next(at now: Int64) -> Step {
        if !losses.isEmpty { return .lost(losses.removeFirst()) }
        if let archive {
            if let octets = archive.read() { return .lines(octets, isKnown: false) }
            self.archive = nil
            before = nil
        }
        var index = 0
        while index < files.count {
            let file = files[index]
            let isKnown = file.offset < file.known
            switch file.read() {
            case .lines(let octets):
                if !isKnown { file.grew = now }
                return .lines(octets, isKnown: isKnown)
            case .truncated:
                truncated(file, at: index)
                return next(at: now)                            // once for each truncation: the file is at its beginning now
            case .nothing: index += 1
            }
        }
        if let octets = dropQuiet(now) { return .lines(octets, isKnown: false) }
        return openNewest(now)
    }

    /// The file that has the log's name: opened when it is another than the last.
    private func openNewest(_ now: Int64) -> Step {
        let newest = FileIdentity(path: path)
        if let newest, files.contains(where: { $0.identity == newest }) { return .end }
        guard newest != nil else {
            // Renamed a moment ago: whoever writes it still has the old one.
            if files.isEmpty || errno != ENOENT { return .unreadable("\(path): \(systemReason())") }
            return .end
        }
        guard let file = LogFile(path: path) else {
            let reason = errno == EINVAL ? "no regular file" : systemReason()
            return errno == ENOENT && !files.isEmpty ? .end : .unreadable("\(path): \(reason)")
        }
        files.last?.grew = now
        file.grew = now
        files.append(file)
        return file.behind > 0 ? next(at: now) : .end
    }

    /// Old files that nobody writes any more. Their last line may lack its end.
    private func dropQuiet(_ now: Int64) -> Octets? {
        guard files.count > 1, let oldest = files.first else { return nil }
        guard now - oldest.grew > LogTail.quiet || files.count > LogTail.filesKept else { return nil }
        files.removeFirst()
        let rest = oldest.rest()
        return rest.isEmpty ? nil : rest + [ASCII.lf]
    }

    /// What was not read before the file was cut off stands in a copy of it.
    private func truncated(_ file: LogFile, at index: Int) {
        let (offset, memory) = (file.offset, file.memory)
        file.restart()
        guard offset > 0 else { return }
        let copy = LogSiblings.names(of: path).lazy.reversed().compactMap(LogFile.init).first { $0.identity != file.identity && $0.holds(memory, at: offset) }
        guard let copy else { return losses.append("\(path) was cut off, and no copy of it is there") }
        copy.seek(offset)
        files.insert(copy, at: index)
    }

    // MARK: After a stop

    private func resume(_ position: LogPosition) {
        let names = LogSiblings.names(of: path)
        for place in position.places {
            if let file = LogTail.find(place, path, names) {
                file.resume(at: place.offset, rewind: LogTail.rewind)
                files.append(file)
            } else if let found = ArchiveRest.find(place, names) {
                archive = found
                before = place
            } else if place == position.places.last {
                losses.append("\(path) was rotated away while guardd did not run, and is not to be found")
            }
        }
        let newest = FileIdentity(path: path)
        if files.contains(where: { $0.identity == newest }) { return }
        let since = files.last?.modified ?? archive?.modified ?? position.caughtUp
        for name in names {
            guard let file = LogFile(path: name), file.modified >= since, !files.contains(where: { $0.identity == file.identity }) else { continue }
            guard name != archive?.path, !name.hasSuffix(".gz") else { continue }
            files.append(file)
        }
    }

    /// The file itself, under whatever name, or else a copy of it.
    private static func find(_ place: LogPosition.Place, _ path: String, _ names: [String]) -> LogFile? {
        let candidates = ([path] + names).compactMap(LogFile.init)
        let same = candidates.first { $0.identity.device == place.device && $0.identity.inode == place.inode && $0.holds(place) }
        if let same { return same }
        return place.count > 0 ? candidates.first { $0.holds(place) } : nil
    }
}

/// Rotated files of a log: those beside it whose names begin with its own.
enum LogSiblings {
    /// Their paths, oldest first; not the log itself.
    static func names(of path: String) -> [String] {
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let folder = String(path[...slash])
        let own = path[path.index(after: slash)...]
        var found: [(path: String, modified: Int64, nanoseconds: Int)] = []
        for name in names(in: folder) where name.hasPrefix(own + ".") || name.hasPrefix(own + "-") {
            var status = stat()
            guard unsafe stat(folder + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            found.append((folder + name, Int64(status.st_mtim.tv_sec), status.st_mtim.tv_nsec))
        }
        return found.sorted { ($0.modified, $0.nanoseconds, $0.path) < ($1.modified, $1.nanoseconds, $1.path) }.map(\.path)
    }

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

/// The rest of a file that was compressed while guardd did not run.
final class ArchiveRest {
    private static let chunk = 256 << 10

    let path: String
    let modified: Int64
    private let reader: ZipReader
    private var carried: Octets

    private init(_ path: String, _ modified: Int64, _ reader: ZipReader, carried: Octets) {
        (self.path, self.modified, self.reader, self.carried) = (path, modified, reader, carried)
    }

    /// The archive that holds a place, newest first.
    static func find(_ place: LogPosition.Place, _ names: [String]) -> ArchiveRest? {
        for name in names.reversed() where name.hasSuffix(".gz") {
            guard let reader = ZipReader(path: name), let carried = skip(place, reader) else { continue }
            var status = stat()
            guard unsafe stat(name, &status) == 0 else { continue }
            return ArchiveRest(name, Int64(status.st_mtim.tv_sec), reader, carried: carried)
        }
        return nil
    }

    /// Reads up to the place; nil when it is none of this file.
    private static func skip(_ place: LogPosition.Place, _ reader: ZipReader) -> Octets? {
        var (read, memory) = (0, Octets())
        while read < place.offset {
            guard let octets = reader.read(min(chunk, place.offset - read)), !octets.isEmpty else { return nil }
            read += octets.count
            memory = Octets((memory + octets.suffix(place.count)).suffix(place.count))
        }
        return LogPosition.hash(memory) == place.hash ? [] : nil
    }

    /// The next whole lines; nil at the end.
    func read() -> Octets? {
        guard let octets = reader.read(ArchiveRest.chunk), !octets.isEmpty else {
            defer { carried = [] }
            return carried.isEmpty ? nil : carried + [ASCII.lf]
        }
        var whole = carried + octets
        let end = whole.lastIndex(of: ASCII.lf).map { $0 + 1 } ?? (whole.count > 4 * ArchiveRest.chunk ? whole.count : 0)
        carried = Octets(whole[end...])
        whole.removeLast(whole.count - end)
        return whole
    }
}
