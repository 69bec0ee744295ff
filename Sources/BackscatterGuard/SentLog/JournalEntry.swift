// One recorded mail as it stands in the journal and goes to a shared log: hashes only, as in every log.

/// What is to be put into a shared log.
struct JournalEntry: Sendable, Equatable {
    /// More names of one kind than this go into several entries.
    static let nameLimit = 1_000

    var time: Int64
    /// Message-IDs and queue ids.
    var ids: [Hash128]
    var pairs: [Hash128]
    /// What is kept of each id.
    var record: SentRecord

    static func == (left: JournalEntry, right: JournalEntry) -> Bool {
        left.time == right.time && left.ids == right.ids && left.pairs == right.pairs && left.record == right.record
    }

    /// - Returns: empty when there is nothing in it that could be looked up.
    static func entries(of entry: SentEntry, at time: Int64, key: SentKey) -> [JournalEntry] {
        guard !entry.isEmpty else { return [] }
        let sender = SenderHashes(entry.reversePath, key: key)
        let record = SentRecord(
            time: time, recipients: entry.recipients ?? max(1, entry.forwardPaths.count), senders: sender.map { [$0] } ?? [],
            isOpen: sender == nil && !entry.isBound, key: key)
        var ids = entry.names(key)
        // A shared log keeps what is bound under names of its own: it never meets what counts everywhere.
        if entry.isBound { ids = ids.flatMap { [key.bound($0), key.bound($0, to: entry.reversePath)] } }
        var pairs: [Hash128] = []
        if !entry.reversePath.isEmpty, entry.keepsPairs { pairs = entry.forwardPaths.map { key.hash(pairFrom: entry.reversePath, to: $0) } }
        var entries: [JournalEntry] = []
        repeat {
            entries.append(JournalEntry(time: time, ids: Array(ids.prefix(nameLimit)), pairs: Array(pairs.prefix(nameLimit)), record: record))
            ids.removeFirst(min(nameLimit, ids.count))
            pairs.removeFirst(min(nameLimit, pairs.count))
        } while !ids.isEmpty || !pairs.isEmpty
        return entries
    }

    /// Key, expiry, field and value of everything in it, as RedisScript.apply wants them.
    func appendOperations(_ view: RedisView, to words: inout [Octets]) {
        let day = Day.number(time)
        let expiry = Octets(String(Day.start(day) + Day.seconds + view.retention).utf8)
        let value = record.redisValue(day: day)
        for id in ids { words += [view.layout.key(.ids, day: day, of: id), expiry, RedisLayout.field(id), value] }
        let one: Octets = [ASCII.zero + 1]
        for pair in pairs { words += [view.layout.key(.pairs, day: day, of: pair), expiry, RedisLayout.field(pair), one] }
    }
}

// As a frame: length of the rest (4), its check (8), time (8), length of the record's row (1) and the row, number of ids
// (2) and of pairs (2), then their hashes (16 each).
extension JournalEntry {
    static let frameHead = 12
    /// No frame is longer.
    static let frameLimit = 64 << 10

    var frame: Octets {
        var body: Octets = []
        body.appendInteger(time)
        let row = record.row
        body.append(UInt8(row.count))
        body += row
        body.appendInteger(UInt16(ids.count))
        body.appendInteger(UInt16(pairs.count))
        for name in ids + pairs { body += name.octets }
        var frame: Octets = []
        frame.appendInteger(UInt32(body.count))
        frame.appendInteger(JournalEntry.check(body[...]))
        return frame + body
    }

    /// Takes one frame from the front.
    ///
    /// - Returns: nil when it is cut or damaged.
    static func read(_ octets: ArraySlice<UInt8>, key: SentKey) -> (entry: JournalEntry, size: Int)? {
        var head = IntegerReader(Octets(octets.prefix(frameHead)))
        guard let length = head.next(UInt32.self).map(Int.init), let check = head.next(UInt64.self), length <= frameLimit,
              octets.count >= frameHead + length
        else { return nil }
        let body = octets.dropFirst(frameHead).prefix(length)
        guard JournalEntry.check(body) == check else { return nil }
        var reader = IntegerReader(Octets(body))
        guard let time = reader.next(Int64.self), let size = reader.next(UInt8.self).map(Int.init), length >= 13 + size,
              let record = SentRecord(row: Octets(body.dropFirst(9).prefix(size)), key: key)
        else { return nil }
        var names = IntegerReader(Octets(body.dropFirst(9 + size)))
        guard let ids = names.next(UInt16.self).map(Int.init), let pairs = names.next(UInt16.self).map(Int.init), length == 13 + size + 16 * (ids + pairs)
        else { return nil }
        let hashes = (0..<(ids + pairs)).map { Hash128(Octets(body.dropFirst(13 + size + 16 * $0).prefix(16)).span) }
        return (JournalEntry(time: time, ids: Array(hashes[..<ids]), pairs: Array(hashes[ids...]), record: record), frameHead + length)
    }

    /// Octets of the frame at the front, unread; nil when it is cut.
    static func size(_ octets: ArraySlice<UInt8>) -> Int? {
        var head = IntegerReader(Octets(octets.prefix(4)))
        guard let length = head.next(UInt32.self).map(Int.init), length <= frameLimit, octets.count >= frameHead + length else { return nil }
        return frameHead + length
    }

    /// FNV-1a: tells a torn or overwritten frame, not a forged one.
    private static func check(_ octets: ArraySlice<UInt8>) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for octet in octets { value = (value ^ UInt64(octet)) &* 0x100_0000_01B3 }
        return value
    }
}
