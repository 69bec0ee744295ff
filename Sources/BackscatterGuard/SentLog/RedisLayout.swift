// Where things stand in Redis. A day's ids are spread over a fixed number of hashes, few enough ids in each that Redis
// keeps it packed (listpack), which is what makes an id cheap; a day goes as a whole, because each of its hashes expires.
//
//   P:log               hash: version, key's fingerprint, bits, epoch, and what the administrator has stated
//   P:senders           hash: number of a sender → SenderRow
//   P:i:DAY:BUCKET      hash: 12 octets of the id's keyed hash → packed SentRecord
//   P:p:DAY:BUCKET      hash: 12 octets of the pair's keyed hash → "1"

/// Names of keys and fields.
struct RedisLayout: Sendable, Equatable {
    enum Table: UInt8, Sendable { case ids = 0x69, pairs = 0x70 }

    static let bitsRange = 4...20
    /// Ids of a day that a bucket is meant for. Redis packs up to 512.
    private static let fill = 320
    /// Octets of the hash that make the field. With the bucket they identify the id by 100 bits at least.
    private static let fieldOctets = 2..<14

    let prefix: Octets
    /// A day has 2^bits buckets.
    let bits: Int

    /// - Parameter daily: ids a day that the site sends.
    static func bits(daily: Int) -> Int {
        var bits = bitsRange.lowerBound
        while bits < bitsRange.upperBound, daily > fill << bits { bits += 1 }
        return bits
    }

    static func log(_ prefix: Octets) -> Octets { prefix + Octets(":log".utf8) }
    static func senders(_ prefix: Octets) -> Octets { prefix + Octets(":senders".utf8) }
    var log: Octets { RedisLayout.log(prefix) }
    var senders: Octets { RedisLayout.senders(prefix) }

    /// The key of the hash that holds `name` on `day`.
    func key(_ table: Table, day: Int32, of name: Hash128) -> Octets {
        key(table, day: day, bucket: Int(name.high >> UInt64(64 - bits)))
    }

    func key(_ table: Table, day: Int32, bucket: Int) -> Octets {
        var key = prefix
        key.append(0x3A)
        key.append(table.rawValue)
        key.append(0x3A)
        key.append(contentsOf: String(day).utf8)
        key.append(0x3A)
        key.append(contentsOf: String(bucket, radix: 32).utf8)
        return key
    }

    static func field(_ name: Hash128) -> Octets { Octets(name.octets[fieldOctets]) }

    /// The days on which something may stand that is kept, newest first. Tomorrow is one: a machine's clock may be ahead.
    static func days(at now: Int64, retention: Int64) -> [Int32] {
        let newest = Day.number(now) + 1, oldest = Day.number(now - retention)
        return oldest <= newest ? (oldest...newest).reversed() : []
    }
}

// A record as a value: flags (128: open; the rest: number of senders), then a little-endian word of 17 bits of time
// within the day and 15 of recipients; a sender: number of domains, hash of the address (8), hashes of the domains (8 each).
// Never longer than Redis packs: what does not fit makes the record open, and every sender counts as its own.
extension SentRecord {
    static let redisLimit = 64
    private static let head = 5
    /// This and all above.
    private static let manyRecipients = 32_767

    func redisValue(day: Int32) -> Octets {
        var isOpen = isOpen
        var count: UInt8 = 0
        var rest: Octets = []
        for sender in senders {
            let size = 9 + 8 * sender.domains.count
            guard SentRecord.head + rest.count + size <= SentRecord.redisLimit else {
                isOpen = true
                continue
            }
            count += 1
            rest.append(UInt8(sender.domains.count))
            rest.appendInteger(sender.address)
            for domain in sender.domains { rest.appendInteger(domain) }
        }
        let second = UInt32(clamping: min(max(0, time - Day.start(day)), Day.seconds - 1))
        var value: Octets = [count | (isOpen ? 128 : 0)]
        value.appendInteger(second | UInt32(clamping: min(max(0, recipients), SentRecord.manyRecipients)) << 17)
        return value + rest
    }

    /// - Returns: nil for a value that no version of this format wrote.
    init?(redisValue: Octets, day: Int32, key: SentKey) {
        var reader = IntegerReader(redisValue)
        guard let flags = reader.next(UInt8.self), let word = reader.next(UInt32.self) else { return nil }
        var senders: [SenderHashes] = []
        for _ in 0..<(flags & 127) {
            guard let count = reader.next(UInt8.self), count > 0, let address = reader.next(UInt64.self) else { return nil }
            var domains: [UInt64] = []
            for _ in 0..<count {
                guard let domain = reader.next(UInt64.self) else { return nil }
                domains.append(domain)
            }
            senders.append(SenderHashes(address: address, domains: domains))
        }
        let recipients = Int(word >> 17)
        self.init(
            time: Day.start(day) + Int64(word & 0x1FFFF), recipients: recipients == SentRecord.manyRecipients ? Int(UInt32.max) : recipients,
            senders: senders, isOpen: flags & 128 != 0, key: key
        )
    }
}
