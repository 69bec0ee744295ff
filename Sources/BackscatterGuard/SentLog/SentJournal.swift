// What this machine has recorded for a shared log, in files of its own: all that the log has not acknowledged yet, and in
// any case the last hour, to be said again after the log came back without it. Records are numbered; the shared log
// holds the number up to which it has them.
//
// A file: "guardj01" (8), number of its first record (8), of the last before it (8), when it was begun (8), then frames
// (JournalEntry). A torn tail is dropped, all before it kept. One process, one thread.

import Glibc

final class SentJournal {
    private struct Segment {
        let first: UInt64
        /// The last record of the journal before this file; 0: there was none.
        let previous: UInt64
        let begun: Int64
        let path: String
    }

    private static let magic = Octets("guardj01".utf8)
    private static let headSize = 32
    /// A file takes records for so many seconds, or octets.
    private static let span: Int64 = 1_200
    private static let sizeLimit = 128 << 20
    /// Records are kept for so many seconds at least.
    static let kept: Int64 = 3_600
    private static let chunk = 256 << 10

    private let directory: String
    private let key: SentKey
    private var segments: [Segment] = []
    private final class File {
        let first: UInt64
        let descriptor: Descriptor

        init(first: UInt64, _ descriptor: consuming Descriptor) {
            self.first = first
            self.descriptor = descriptor
        }
    }

    private var output: File?
    private var outputSize = 0
    private var isDirty = false
    private(set) var last: UInt64
    /// Where the next read goes on: record number `next` at `offset` of segment `first`.
    private var cursor: (first: UInt64, offset: Int, next: UInt64)?
    /// The record before the cursor.
    private var cursorAfter: UInt64 = .max
    private var input: File?

    /// Opens the journal, or begins it with the first record.
    init(directory: String, key: SentKey) throws(SentLogError) {
        self.directory = directory
        self.key = key
        last = 0
        if unsafe mkdir(directory, 0o700) != 0, errno != EEXIST { throw .cannotOpen(file: directory, reason: systemReason()) }
        segments = try SentJournal.segments(directory)
        // Numbers that were given to a tail that is lost are never given again.
        if let newest = segments.last { last = ((newest.first >> 32) + 1) << 32 }
    }

    /// Records before this number may be missing; 0: none is.
    var previous: UInt64 { segments.first?.previous ?? 0 }
    /// Since when all records are here; nil: there are none.
    var begun: Int64? { segments.first?.begun }

    /// Appends, in one write; not yet durable.
    ///
    /// - Returns: the number of the last.
    func append(_ entries: [JournalEntry], at now: Int64) throws(SentLogError) -> UInt64 {
        try prepareOutput(now)
        let octets = entries.flatMap(\.frame)
        guard let number = output?.descriptor.number else { throw .closed }
        let written = unsafe pwrite(number, octets, octets.count, off_t(outputSize))
        guard written == octets.count else {
            let reason = systemReason()
            let isFull = errno == ENOSPC || written >= 0
            ftruncate(number, off_t(outputSize))
            throw isFull ? .diskFull(file: directory) : .failed(file: directory, reason: reason)
        }
        outputSize += octets.count
        isDirty = true
        last += UInt64(entries.count)
        return last
    }

    /// Returns when all that was appended is on disk.
    func sync() throws(SentLogError) {
        guard isDirty, let number = output?.descriptor.number else { return }
        guard fdatasync(number) == 0 else { throw errno == ENOSPC ? .diskFull(file: directory) : .failed(file: directory, reason: systemReason()) }
        isDirty = false
    }

    /// The records behind number `after`, oldest first, so many octets at most (at least one record).
    ///
    /// - Returns: the number of the last of them, `after` when there are none; and whether nothing is known to follow.
    func read(after: UInt64, limit: Int) -> (entries: [JournalEntry], through: UInt64, isEnd: Bool) {
        if cursor == nil || cursorAfter != after { seek(after) }
        var entries: [JournalEntry] = []
        var through = after
        var octets = 0
        while octets < limit, let place = cursor {
            let chunk = contents(place.first, place.offset)
            var used = 0
            var number = place.next
            while number <= after, let size = JournalEntry.size(chunk[used...]) {
                used += size
                number += 1
            }
            while number > after, octets < limit, let (entry, size) = JournalEntry.read(chunk[used...], key: key) {
                entries.append(entry)
                through = number
                octets += size
                used += size
                number += 1
            }
            cursor?.next = number
            cursor?.offset = place.offset + used
            if used == 0, !nextSegment(after: place.first) { break }
        }
        cursorAfter = through
        return (entries, through, octets < limit)
    }

    /// Removes files that nobody needs: all in them acknowledged, and older than `kept`.
    func expire(at now: Int64, acknowledged: UInt64) {
        while segments.count > 1, segments[1].begun < now - SentJournal.kept, segments[1].previous <= acknowledged {
            unsafe unlink(segments[0].path)
            segments.removeFirst()
        }
        if let newest = segments.last, now - newest.begun >= SentJournal.span, outputSize > SentJournal.headSize { output = nil }
    }

    /// It is so old that nobody needs it any more, if all in it is acknowledged. For a journal that is not appended to.
    func isOver(at now: Int64) -> Bool {
        segments.last.map { $0.begun < now - SentJournal.kept - SentJournal.span } ?? true
    }

    /// Removes the files of a journal that nobody has open.
    static func remove(directory: String) {
        for segment in (try? segments(directory)) ?? [] { unsafe unlink(segment.path) }
    }

    // MARK: files

    private func prepareOutput(_ now: Int64) throws(SentLogError) {
        if output != nil, outputSize < SentJournal.sizeLimit { return }
        try sync()
        let segment = Segment(first: last + 1, previous: last & 0xFFFF_FFFF == 0 ? lastBefore() : last, begun: now, path: "\(directory)/\(SentJournal.name(last + 1))")
        guard let made = Descriptor(segment.path, O_RDWR | O_CREAT | O_TRUNC) else { throw failure() }
        var head = SentJournal.magic
        head.appendInteger(segment.first)
        head.appendInteger(segment.previous)
        head.appendInteger(segment.begun)
        guard made.writeDurably(head), Descriptor.syncDirectory(directory) else { throw failure() }
        output = File(first: segment.first, made)
        outputSize = head.count
        segments.append(segment)
    }

    /// The last record of the files that were here at the start.
    private func lastBefore() -> UInt64 {
        guard let newest = segments.last else { return 0 }
        return read(after: newest.first - 1, limit: .max).through
    }

    private func failure() -> SentLogError {
        errno == ENOSPC ? .diskFull(file: directory) : .cannotOpen(file: directory, reason: systemReason())
    }

    private func seek(_ after: UInt64) {
        let segment = segments.last { $0.first <= after + 1 } ?? segments.first
        cursor = segment.map { ($0.first, SentJournal.headSize, $0.first) }
    }

    private func nextSegment(after first: UInt64) -> Bool {
        guard let next = segments.first(where: { $0.first > first }) else { return false }
        cursor = (next.first, SentJournal.headSize, next.first)
        return true
    }

    private func contents(_ first: UInt64, _ offset: Int) -> Octets {
        if input?.first != first {
            guard let path = segments.first(where: { $0.first == first })?.path, let file = Descriptor(path, O_RDONLY) else { return [] }
            input = File(first: first, file)
        }
        return input?.descriptor.read(SentJournal.chunk, from: offset) ?? []
    }

    private static func name(_ first: UInt64) -> String {
        let digits = String(first, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The files of a directory, oldest first. One whose head is cut holds nothing.
    private static func segments(_ directory: String) throws(SentLogError) -> [Segment] {
        guard let stream = unsafe opendir(directory) else { throw .cannotOpen(file: directory, reason: systemReason()) }
        defer { unsafe closedir(stream) }
        var found: [Segment] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            let path = "\(directory)/\(name)"
            guard name.count == 16, let first = UInt64(name, radix: 16), let file = Descriptor(path, O_RDONLY) else { continue }
            let head = file.read(headSize)
            var reader = IntegerReader(Octets(head.dropFirst(magic.count)))
            guard head.starts(with: magic), reader.next(UInt64.self) == first, let previous = reader.next(UInt64.self), let begun = reader.next(Int64.self)
            else { continue }
            found.append(Segment(first: first, previous: previous, begun: begun, path: path))
        }
        return found.sorted { $0.first < $1.first }
    }
}
