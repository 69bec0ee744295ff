// A record as a row of the log. All numbers little-endian:
// version 1, flags (1: open, 2: bound), number of senders, 0, recipients (4), time (8);
// a sender: hash of the address (8), number of domains (1), hashes of the domains (8 each).

extension SentRecord {
    private static let version: UInt8 = 1
    private static let head = 16

    var row: Octets {
        var row: Octets = [SentRecord.version, (isOpen ? 1 : 0) | (isBound ? 2 : 0), UInt8(senders.count), 0]
        row.appendInteger(UInt32(clamping: recipients))
        row.appendInteger(time)
        for sender in senders {
            row.appendInteger(sender.address)
            row.append(UInt8(sender.domains.count))
            for domain in sender.domains { row.appendInteger(domain) }
        }
        return row
    }

    /// - Returns: nil for a row that no version of this format wrote.
    init?(row: Octets, key: SentKey) {
        var reader = IntegerReader(row)
        guard row.count >= SentRecord.head, reader.next(UInt8.self) == SentRecord.version,
            let flags = reader.next(UInt8.self), let count = reader.next(UInt8.self), reader.next(UInt8.self) != nil,
            let recipients = reader.next(UInt32.self), let time = reader.next(Int64.self)
        else { return nil }
        var senders: [SenderHashes] = []
        for _ in 0..<count {
            guard let address = reader.next(UInt64.self), let domainCount = reader.next(UInt8.self) else { return nil }
            var domains: [UInt64] = []
            for _ in 0..<domainCount {
                guard let domain = reader.next(UInt64.self) else { return nil }
                domains.append(domain)
            }
            senders.append(SenderHashes(address: address, domains: domains))
        }
        self.init(time: time, recipients: Int(recipients), senders: senders, isOpen: flags & 1 != 0, isBound: flags & 2 != 0, key: key)
    }
}

// A pair's row: the last day on which it was seen (4).
extension Int32 {
    var row: Octets {
        var row = Octets()
        row.appendInteger(self)
        return row
    }

    init?(row: Octets) {
        var reader = IntegerReader(row)
        guard row.count == 4, let day = reader.next(Int32.self) else { return nil }
        self = day
    }
}

extension Array where Element == UInt8 {
    /// Appends a number, least octet first.
    mutating func appendInteger<Number: FixedWidthInteger>(_ number: Number) {
        var rest = number
        for _ in 0..<Number.bitWidth / 8 {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
}

/// Takes little-endian numbers off the front of octets; nil when they run out.
struct IntegerReader {
    private let octets: Octets
    private var index = 0

    init(_ octets: Octets) { self.octets = octets }

    mutating func next<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        let size = Number.bitWidth / 8
        guard octets.count - index >= size else { return nil }
        var number: Number = 0
        for place in stride(from: size - 1, through: 0, by: -1) {
            number = (size == 1 ? 0 : number << 8) | Number(truncatingIfNeeded: octets[index + place])
        }
        index += size
        return number
    }
}
