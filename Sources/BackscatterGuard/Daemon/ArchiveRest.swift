// A rotated file that was compressed before all of it had been read: the rest is read from the archive. zlib can't seek, so
// the place is reached by decompressing what stands before it, a slice at a time.

/// What is still to be read of a compressed file. Used by one thread.
final class ArchiveRest {
    enum Reading: Equatable {
        /// Octets in any division. Known: an earlier run has told what is in them.
        case lines(Octets, isKnown: Bool)
        case end
        /// It ends in the middle.
        case damaged
    }

    static let chunk = 256 << 10

    let path: String
    let identity: FileIdentity
    /// When it was last written, before it was compressed if that was told on; nanoseconds since 1970.
    let modified: Int64
    /// Its first octets: a copy of it begins with the same.
    let head: Octets
    private let reader: ZipReader
    /// Read from the archive and not yet told; `known` octets of it are known.
    private var waiting: [Octets]
    private var known: Int
    private var offset: Int
    private var memory: Octets
    private var isInLine = false

    /// The whole of an archive; nil when it can't be read.
    init?(path: String) {
        guard let reader = ZipReader(path: path), let first = reader.read(LogPosition.memory) else { return nil }
        self.path = path
        self.reader = reader
        (identity, modified) = (FileIdentity(reader.status), reader.status.modified)
        (head, waiting, known, offset, memory) = (first, first.isEmpty ? [] : [first], 0, 0, [])
    }

    /// - Parameters:
    ///   - known: what stands directly before `offset` and is to be told again.
    ///   - memory: the octets before `offset`.
    fileprivate init(_ path: String, _ reader: ZipReader, head: Octets, known: [Octets], offset: Int, memory: Octets) {
        self.path = path
        self.reader = reader
        (identity, modified) = (FileIdentity(reader.status), reader.status.modified)
        (self.head, waiting, self.offset, self.memory) = (head, known, offset, memory)
        self.known = known.reduce(0) { $0 + $1.count }
    }

    var place: LogPosition.Place {
        .init(device: identity.device, inode: identity.inode, offset: offset, count: memory.count, hash: LogPosition.hash(memory))
    }

    func read() -> Reading {
        if !waiting.isEmpty, known > 0 {
            let octets = waiting.removeFirst()
            known -= octets.count
            return .lines(octets, isKnown: true)
        }
        guard let octets = waiting.isEmpty ? reader.read(ArchiveRest.chunk) : waiting.removeFirst() else { return .damaged }
        if octets.isEmpty {
            defer { isInLine = false }
            return isInLine ? .lines([ASCII.lf], isKnown: false) : .end
        }
        isInLine = octets.last != ASCII.lf
        offset += octets.count
        memory = Octets((memory + octets.suffix(LogPosition.memory)).suffix(LogPosition.memory))
        return .lines(octets, isKnown: false)
    }
}

/// Looks for the archive that holds a place. Used by one thread.
final class ArchiveSearch {
    enum Step {
        case searching
        case found(ArchiveRest)
        case nowhere
    }

    /// One that is decompressed up to the place.
    private struct Candidate {
        let path: String
        let reader: ZipReader
        var read = 0
        var head: Octets = []
        /// The last of what was read.
        var tail: [Octets] = []
        var kept = 0
    }

    /// Octets that one step decompresses.
    static let slice = 64 << 20
    /// Only so many of the newest archives are looked at.
    static let archives = 8
    private static let turns = 3

    let place: LogPosition.Place
    /// What is lost when it is nowhere.
    let lost: String
    private let log: String
    private let rewind: Int
    private var listed: [String]
    private var names: [String]
    private var turn = 1
    private var candidate: Candidate?

    /// - Parameter rewind: octets before the place that are to be told again.
    init(_ place: LogPosition.Place, of log: String, rewind: Int, lost: String) {
        (self.place, self.log, self.rewind, self.lost) = (place, log, rewind, lost)
        listed = ArchiveSearch.list(log)
        names = listed
    }

    private static func list(_ log: String) -> [String] { LogSiblings.names(of: log).filter(LogSiblings.isArchive).suffix(archives) }

    /// Goes on; takes a fraction of a second.
    func step() -> Step {
        var budget = ArchiveSearch.slice
        while budget > 0 {
            guard var current = candidate ?? next() else { return .nowhere }
            candidate = nil
            if current.read == place.offset {
                if let rest = rest(current) { return .found(rest) }
                continue
            }
            guard let octets = current.reader.read(min(ArchiveRest.chunk, place.offset - current.read)), !octets.isEmpty else { continue }
            budget -= octets.count
            keep(octets, &current)
            candidate = current
        }
        return .searching
    }

    /// The next newest. While it was looked, files may have been compressed or have got other names.
    private func next() -> Candidate? {
        while true {
            while let path = names.popLast() {
                if let reader = ZipReader(path: path) { return Candidate(path: path, reader: reader) }
            }
            let now = ArchiveSearch.list(log)
            guard now != listed, turn < ArchiveSearch.turns else { return nil }
            turn += 1
            (listed, names) = (now, now)
        }
    }

    private func keep(_ octets: Octets, _ candidate: inout Candidate) {
        candidate.read += octets.count
        if candidate.head.count < LogPosition.memory { candidate.head += octets.prefix(LogPosition.memory - candidate.head.count) }
        candidate.tail.append(octets)
        candidate.kept += octets.count
        while let first = candidate.tail.first, candidate.kept - first.count >= max(rewind, LogPosition.memory) {
            candidate.tail.removeFirst()
            candidate.kept -= first.count
        }
    }

    /// What follows the place, if this is the file of it.
    private func rest(_ candidate: Candidate) -> ArchiveRest? {
        var memory = Octets()
        for octets in candidate.tail.reversed() where memory.count < LogPosition.memory { memory = octets + memory }
        memory = Octets(memory.suffix(LogPosition.memory))
        guard LogPosition.hash(memory.suffix(place.count)) == place.hash else { return nil }
        var known = rewind > 0 ? candidate.tail : []
        if candidate.kept < candidate.read, let first = known.first {
            // It begins within a line.
            known[0] = first.firstIndex(of: ASCII.lf).map { Octets(first[($0 + 1)...]) } ?? []
        }
        known.removeAll(where: \.isEmpty)
        return ArchiveRest(candidate.path, candidate.reader, head: candidate.head, known: known, offset: place.offset, memory: memory)
    }
}
