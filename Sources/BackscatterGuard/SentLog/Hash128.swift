// The form in which ids, pairs and addresses stand in the log: 128 bits of a keyed hash, never in clear.

/// 128 bits of HMAC-SHA256. As a key in the log: 16 octets in the order of the hash.
struct Hash128: Sendable, Hashable {
    static let size = 16

    /// Octets 0...7 and 8...15, each read as big-endian, so that the order of values is the order of octets.
    let high: UInt64
    let low: UInt64

    /// - Parameter octets: at least 16.
    init(_ octets: Span<UInt8>) {
        high = Hash128.word(octets, 0)
        low = Hash128.word(octets, 8)
    }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    var octets: Octets {
        var octets = Octets()
        octets.reserveCapacity(Hash128.size)
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) { octets.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return octets
    }

    private static func word(_ octets: Span<UInt8>, _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<start + 8 { word = word << 8 | UInt64(octets[index]) }
        return word
    }
}
