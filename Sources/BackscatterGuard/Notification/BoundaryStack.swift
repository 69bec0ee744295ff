// The open multiparts, outermost first. A line is compared with all of them, so the comparison goes by length and hash
// first, and the octets kept are bounded together. RFC 2046 5.1.1, 5.1.2.

struct BoundaryStack: Sendable {
    private static let octetsKept = 32_768

    private struct Level: Sendable {
        var boundary: Octets
        var hash: UInt64
        var scope: NotificationReader.Scope
        /// The multipart lies within a decoded part: its boundaries are to be looked for in the decoded text.
        var isDecoded: Bool
    }

    /// A boundary was crossed; the levels within it are gone, and with a closing one it as well.
    struct Match: Sendable {
        var scope: NotificationReader.Scope
        var isClosing: Bool
        var isOutermost: Bool
        /// Levels within were still open.
        var skipsLevels: Bool
    }

    private var levels: [Level] = []
    private var octets = 0
    /// A bit for each open boundary, by its hash: nearly all lines that are none are told from them by this alone.
    private var filter = SIMD8<UInt64>(repeating: 0)

    var hasOpenLevel: Bool { !levels.isEmpty }
    var hasDecodedLevel: Bool { levels.contains { $0.isDecoded } }

    /// - Returns: false when a limit was passed; the multipart's parts are then left to the text scan.
    mutating func push(_ boundary: Octets, scope: NotificationReader.Scope, isDecoded: Bool) -> Bool {
        guard levels.count < NotificationReader.deepestNesting, octets + boundary.count <= BoundaryStack.octetsKept else { return false }
        octets += boundary.count
        let hash = BoundaryStack.hash(boundary.span, 0..<boundary.count)
        levels.append(Level(boundary: boundary, hash: hash, scope: scope, isDecoded: isDecoded))
        BoundaryStack.add(hash, to: &filter)
        return true
    }

    /// - Parameter line: what follows the two hyphens, without the line end.
    mutating func match(_ line: Span<UInt8>, isDecoded: Bool) -> Match? {
        guard !levels.isEmpty, line.count <= ContentType.longestBoundary + 256 else { return nil }
        var end = line.count
        while end > 0, line[end - 1] <= ASCII.space { end -= 1 }
        guard end > 0 else { return nil }
        let canClose = end > 2 && line[end - 1] == ASCII.hyphen && line[end - 2] == ASCII.hyphen
        let closing = BoundaryStack.hash(line, 0..<(canClose ? end - 2 : end))
        let whole = canClose ? BoundaryStack.hash(line, (end - 2)..<end, behind: closing) : closing
        guard mayHold(whole) || (canClose && mayHold(closing)) else { return nil }
        for index in levels.indices.reversed() where levels[index].isDecoded == isDecoded {
            if isBoundary(index, line, end, whole) { return cross(index, isClosing: false) }
            if canClose, isBoundary(index, line, end - 2, closing) { return cross(index, isClosing: true) }
        }
        return nil
    }

    private mutating func cross(_ index: Int, isClosing: Bool) -> Match {
        let match = Match(scope: levels[index].scope, isClosing: isClosing, isOutermost: index == 0,
                          skipsLevels: index < levels.count - 1)
        let keep = isClosing ? index : index + 1
        guard keep < levels.count else { return match }
        for level in levels[keep...] { octets -= level.boundary.count }
        levels.removeSubrange(keep...)
        filter = SIMD8(repeating: 0)
        for level in levels { BoundaryStack.add(level.hash, to: &filter) }
        return match
    }

    private func isBoundary(_ level: Int, _ line: Span<UInt8>, _ end: Int, _ hash: UInt64) -> Bool {
        guard levels[level].hash == hash, levels[level].boundary.count == end else { return false }
        for index in 0..<end where levels[level].boundary[index] != line[index] { return false }
        return true
    }

    private func mayHold(_ hash: UInt64) -> Bool { filter[Int(hash >> 32 & 7)] & (1 << (hash >> 40 & 63)) != 0 }

    private static func add(_ hash: UInt64, to filter: inout SIMD8<UInt64>) {
        filter[Int(hash >> 32 & 7)] |= 1 << (hash >> 40 & 63)
    }

    /// FNV-1a.
    static func hash(_ octets: Span<UInt8>, _ range: Range<Int>, behind start: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        var hash = start
        for index in range { hash = (hash ^ UInt64(octets[index])) &* 0x100_0000_01B3 }
        return hash
    }
}
