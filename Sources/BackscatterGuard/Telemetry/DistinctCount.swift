// How many different values were seen, in a bounded number of octets: exact for few, an estimate for many.

/// Counts different values.
///
/// Up to 64 it is exact. Beyond, HyperLogLog with 1,024 registers (Flajolet and others, 2007): a standard error of 3 %, with
/// linear counting up to 2,560. Values are hashed with a key of the process, so nobody can choose them to collide.
struct DistinctCount: Sendable {
    static let exactLimit = 64
    private static let bits = 10

    private var few: Set<Int> = []
    private var registers: [UInt8] = []

    mutating func add(_ value: some Hashable) {
        let hash = value.hashValue
        if registers.isEmpty {
            few.insert(hash)
            guard few.count > Self.exactLimit else { return }
            registers = [UInt8](repeating: 0, count: 1 << Self.bits)
            for hash in few { note(hash) }
            few = []
        } else {
            note(hash)
        }
    }

    private mutating func note(_ hash: Int) {
        let word = UInt64(bitPattern: Int64(hash))
        let register = Int(word >> (64 - Self.bits))
        let rank = UInt8((word << Self.bits | 1 << (Self.bits - 1)).leadingZeroBitCount + 1)
        if rank > registers[register] { registers[register] = rank }
    }

    var count: Int {
        if registers.isEmpty { return few.count }
        let size = Double(registers.count)
        let sum = registers.reduce(0.0) { $0 + 1 / Double(UInt64(1) << UInt64($1)) }
        let estimate = 0.7213 / (1 + 1.079 / size) * size * size / sum
        let empty = registers.count { $0 == 0 }
        guard estimate <= 2.5 * size, empty > 0 else { return Int(estimate) }
        return max(Self.exactLimit + 1, Int((size * Self.logarithm(size / Double(empty))).rounded()))
    }

    /// Natural logarithm of 1...1,024: this room imports nothing. Halved until near 1, then the series of the inverse
    /// hyperbolic tangent.
    private static func logarithm(_ value: Double) -> Double {
        let halvings = value.exponent
        let rest = value.significand
        let ratio = (rest - 1) / (rest + 1)
        var (power, sum) = (ratio, 0.0)
        for odd in stride(from: 1.0, through: 21, by: 2) {
            sum += power / odd
            power *= ratio * ratio
        }
        return 2 * sum + Double(halvings) * 0.693_147_180_559_945_3
    }
}
