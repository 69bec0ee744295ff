// Input in pieces: an incremental parser must not care how TCP cuts. Every piece is an array of its own, so that the
// address sanitizer sees a step beyond it.

@testable import BackscatterGuard

/// Numbers that depend on the fuzzer's octets only: a crash happens again from its file.
struct Dice {
    private var state: UInt64

    init(_ octets: some Sequence<UInt8>) {
        state = octets.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 } | 1
    }

    /// 0..<limit.
    mutating func below(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(1, limit)))
    }

    /// Pieces of 0 to `longest` octets.
    mutating func cut(_ octets: Octets, longest: Int) -> [Octets] {
        var pieces: [Octets] = []
        var index = 0
        while index < octets.count {
            let end = min(octets.count, index + below(longest + 1))
            pieces.append(Octets(octets[index..<end]))
            index = end
        }
        return pieces
    }
}

/// What `body` makes of the octets whole, which must be what it makes of them in any pieces.
@discardableResult
func inAnyDivision<Result: Equatable>(_ octets: Octets, _ body: ([Octets]) -> Result) -> Result {
    let whole = body([octets])
    var divisions = octets.count <= 512 ? [octets.map { [$0] }] : []
    var dice = Dice(octets)
    for longest in [2, 9, 80, max(1, octets.count)] { divisions.append(dice.cut(octets, longest: longest)) }
    for pieces in divisions {
        let result = body(pieces)
        promise(result == whole, "the division matters: \(pieces.map(\.count))\n\(result)\ninstead of\n\(whole)")
    }
    return whole
}
