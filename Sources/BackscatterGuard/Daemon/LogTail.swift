// A log under its name, through rotations: a file that was renamed is read on for as long as somebody may still write it,
// one that was copied and cut to nothing is read to its end in the copy, or in the archive that was made of the copy. After
// a stop it goes on where it was, in whatever file that is now (LogTail+Resuming).

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
    /// Nobody is expected to write a renamed file any more when it was quiet so long after the first line in a newer one,
    /// in milliseconds.
    private static let quiet: Int64 = 60_000
    /// Files that are held open at most: whoever writes to a renamed one after all is still read.
    static let filesKept = 8

    let path: String
    var files: [LogFile] = []
    /// Read before the files.
    var archives: [ArchiveRest] = []
    /// Archives that are looked for: nothing else is read meanwhile.
    var searches: [ArchiveSearch] = []
    var losses: [String] = []
    /// The first octets of files that were read and closed.
    private var past: [Octets] = []
    /// What was rotated since then and never seen has to be taken up, once the searches are over; nanoseconds since 1970.
    var missing: Int64?
    /// A file that was empty is not there any more: lost, if nothing else is found in its place.
    var misses: String?
    /// A file was found to have been cut off: where the rest stands comes first.
    private var isCut = false
    /// When the log's name was last seen to be the last file's; nanoseconds since 1970.
    private var seen = EventLoop.seconds() * 1_000_000_000

    /// - Parameter position: where an earlier run was; nil: the log is read from its beginning.
    init(path: String, position: LogPosition?) {
        self.path = path
        if let position { resume(position) }
    }

    /// Where it is; without any place while there was no file.
    var places: [LogPosition.Place] {
        searches.map(\.place) + archives.map(\.place) + files.filter { !$0.isSettled }.map { file in
            var place = file.place
            place.isNameless = file.isNameless && !file.isCopy && !isSuperseded(file)
            return place
        }
    }

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
        while true {
            if !losses.isEmpty { return .lost(losses.removeFirst()) }
            guard search() else { return .pending }
            if !losses.isEmpty { continue }
            if let step = readArchives() ?? readFiles(now) { return step }
            if isCut {
                isCut = false
                continue
            }
            if let step = settle(now) { return step }
            if losses.isEmpty, let step = openNewest(now) { return step }
        }
    }

    /// Goes on looking for archives.
    ///
    /// - Returns: whether all were found, or given up.
    private func search() -> Bool {
        if let search = searches.first {
            switch search.step() {
            case .searching: break
            case .found(let archive):
                searches.removeFirst()
                archives.append(archive)
                missing = min(missing ?? .max, archive.modified + 1)
            case .nowhere:
                searches.removeFirst()
                losses.append(search.lost)
            }
            if !searches.isEmpty { return false }
        }
        if let since = missing {
            missing = nil
            if takeMissed(since: since) > 0 { misses = nil }
        }
        if let what = misses {
            misses = nil
            losses.append(what)
        }
        return true
    }

    private func readArchives() -> Step? {
        while let archive = archives.first {
            switch archive.read() {
            case .lines(let octets, let isKnown): return .lines(octets, isKnown: isKnown)
            case .end: close(archives.removeFirst().head)
            case .damaged:
                close(archives.removeFirst().head)
                return .lost("\(archive.path) is damaged")
            }
        }
        return nil
    }

    /// - Returns: nil when nothing is new, or `isCut`.
    private func readFiles(_ now: Int64) -> Step? {
        for (index, file) in files.enumerated() {
            let isKnown = file.offset < file.known, isFirst = file.offset == 0
            switch file.read() {
            case .lines(let octets):
                if !isKnown { file.grew = now }
                file.isSettled = false
                if isFirst { for older in files[..<index] { older.grew = now } }
                return .lines(octets, isKnown: isKnown)
            case .truncated:
                truncated(file, at: index)
                isCut = true
                return nil                                      // once for each truncation: the file is at its beginning now
            case .nothing: break
            }
        }
        return nil
    }

    /// The file that has the log's name: opened when it is another than the last.
    ///
    /// - Returns: nil when there is more to read.
    private func openNewest(_ now: Int64) -> Step? {
        let newest = FileIdentity(path: path)
        if let newest, let index = files.firstIndex(where: { $0.identity == newest }) {
            seen = EventLoop.seconds() * 1_000_000_000
            files.append(files.remove(at: index))               // it may have got its old name back
            files.last?.isSettled = false
            return .end
        }
        // Renamed a moment ago: whoever writes it still has the old one.
        if newest == nil { return files.isEmpty || errno != ENOENT ? .unreadable("\(path): \(systemReason())") : .end }
        guard let file = LogFile(path: path) else {
            let code = errno
            if code == EMFILE || code == ENFILE { for file in files where file.isSettled { drop(file) } }
            if code == ENOENT, !files.isEmpty { return .end }
            return .unreadable("\(path): \(code == EINVAL ? "no regular file" : systemReason(code))")
        }
        if !files.isEmpty { _ = takeMissed(since: seen) }
        file.grew = now
        files.append(file)
        return nil
    }

    // MARK: Old files

    /// Decides which files nobody is expected to write any more; their last line may lack its end.
    ///
    /// A settled file is still held while there is room, but no new start looks for it.
    private func settle(_ now: Int64) -> Step? {
        for file in files.dropLast() where !file.isSettled {
            guard file.isCopy || now - file.grew > LogTail.quiet && isSuperseded(file) else { continue }
            file.isSettled = true
            let rest = file.rest()
            if !rest.isEmpty { return .lines(rest + [ASCII.lf], isKnown: false) }
        }
        // A deleted file would keep its room on the disk.
        for file in files where file.isSettled && (file.isCopy || file.isNameless) { drop(file) }
        while files.count > LogTail.filesKept { dropOne() }
        return nil
    }

    /// Whether whoever writes the log is seen to write another file: a newer one has shown a line, or an older one since.
    private func isSuperseded(_ file: LogFile) -> Bool {
        guard let index = files.firstIndex(where: { $0 === file }) else { return false }
        return files.enumerated().contains { $0 > index && $1.offset > 0 || $0 < index && $1.offset > 0 && $1.grew > file.grew }
    }

    /// The one that is least likely to be written again; the last stays.
    private func dropOne() {
        let old = files.dropLast()
        guard let file = old.first(where: \.isSettled) ?? old.first(where: isSuperseded) ?? old.first(where: { $0.offset == 0 }) ?? old.first else { return }
        if !file.isSettled, !isSuperseded(file) {
            losses.append("\(path) was rotated \(LogTail.filesKept) times and nothing written, and an old file is not followed any more")
        }
        drop(file)
    }

    private func drop(_ file: LogFile) {
        close(file.head)
        files.removeAll { $0 === file }
    }

    private func close(_ head: Octets) { past = Array((past + [head]).suffix(2 * LogTail.filesKept)) }

    // MARK: What was not seen in its place

    /// What was not read before the file was cut off stands in a copy of it.
    private func truncated(_ file: LogFile, at index: Int) {
        let place = file.place, memory = file.memory
        file.restart()
        guard place.offset > 0 else { return }
        let names = LogSiblings.names(of: path).filter { !LogSiblings.isArchive($0) }
        let copy = names.lazy.reversed().compactMap(LogFile.init).first { $0.identity != file.identity && $0.holds(memory, at: place.offset) }
        guard let copy else {
            let lost = "\(path) was cut off, and no copy of it is there, plain or .gz"
            return searches.append(ArchiveSearch(place, of: path, rewind: 0, lost: lost))
        }
        copy.seek(place.offset)
        copy.isCopy = true
        files.insert(copy, at: index)
        missing = copy.modified + 1
    }

    /// Files that came and were rotated away while nobody looked: several rotations in a row.
    ///
    /// - Returns: how many there were.
    private func takeMissed(since: Int64) -> Int {
        let newest = FileIdentity(path: path)
        var known = KnownFiles(files, archives, past, besides: newest), taken = 0
        func isNew(_ identity: FileIdentity, _ head: Octets) -> Bool {
            let isNew = known.add(identity, head)
            if isNew { taken += 1 }
            return isNew
        }
        let names = LogSiblings.names(of: path)
        for name in names where FileIdentity.modified(name) >= since && !known.has(FileIdentity(path: name)) {
            if archives.count + files.count > 4 * LogTail.filesKept {
                losses.append("\(path) was rotated too often while guardd did not look")
                break
            }
            if LogSiblings.isArchive(name) {
                if let archive = ArchiveRest(path: name) {
                    if isNew(archive.identity, archive.head) { archives.append(archive) }
                } else if !names.contains(String(name.dropLast(3))), LogSiblings.isNumbered(name, of: path) {      // else it is just being written
                    losses.append("\(name) can't be read")
                }
            } else if let file = LogFile(path: name) {
                if isNew(file.identity, file.head) { files.insert(file, at: files.firstIndex { $0.identity == newest } ?? files.endIndex) }
            } else if errno != ENOENT, LogSiblings.isNumbered(name, of: path) {
                losses.append("\(name) can't be read: \(systemReason())")
            }
        }
        return taken
    }
}

/// Tells files that were never seen from those that are read already, and from copies of them.
private struct KnownFiles {
    private var identities: [FileIdentity]
    private var heads: [Octets]

    init(_ files: [LogFile], _ archives: [ArchiveRest], _ past: [Octets], besides newest: FileIdentity?) {
        identities = files.map(\.identity) + archives.map(\.identity) + [newest].compactMap(\.self)
        heads = files.map(\.head) + archives.map(\.head) + past
    }

    func has(_ identity: FileIdentity?) -> Bool { identities.contains { $0 == identity } }

    /// - Returns: whether it was new. A copy begins as what it is a copy of, one that is just being written likewise.
    mutating func add(_ identity: FileIdentity, _ head: Octets) -> Bool {
        let isCopy = heads.contains { !$0.isEmpty && !head.isEmpty && ($0.starts(with: head) || head.starts(with: $0)) }
        guard !isCopy, !identities.contains(identity) else { return false }
        identities.append(identity)
        heads.append(head)
        return true
    }
}
