// Cuts upstream's stream into replies. What is no reply by RFC 5321 4.2 is malformed and ends the connection (R10):
// matching replies to commands is all that keeps two transactions apart, so nothing here guesses.
//
// Allocation-free when a reply lies whole in the span; otherwise its octets are kept, at most 1,000 lines of 4,096.

/// Upstream's replies out of a stream that comes in any division.
public struct ReplyScanner: Sendable {
    /// What the octets so far are.
    public enum Step: Sendable, Equatable {
        /// A whole reply ends before index `end` of this span; if it began in an earlier span, its octets until
        /// there are in `carried`.
        case reply(code: Int, end: Int)
        /// The rest of the span was kept in `carried`.
        case needsMore
        /// Stays so until `reset()`.
        case malformed
    }

    /// Longest line, CRLF included.
    public static let lineLimit = 4096
    /// Most lines of one reply.
    public static let lineCountLimit = 1000

    /// Octets of the reply that came in earlier spans; empty when it lies whole in this one.
    public private(set) var carried = Octets()

    private var code = 0
    private var lines = 0
    /// Octets of the line so far.
    private var column = 0
    private var lineCode = 0
    private var isLastLine = false
    private var afterCR = false
    private var isMalformed = false

    public init() {}

    /// Looks for the end of the reply that goes on at `start`.
    ///
    /// After `.reply` the caller takes `carried` and the octets before `end`, then calls `reset()` and may scan on from `end`.
    ///
    /// - Parameter start: 0...count.
    /// - Complexity: O(count - start)
    ///
    /// Source: RFC 5321 4.2.1; limits of R10.
    public mutating func scan(_ span: Span<UInt8>, from start: Int) -> Step {
        if let step = scanLine(span, from: start) { return step }
        var index = start
        while index < span.count, !isMalformed {
            if take(span[index]) {
                let code = code
                clear()
                return .reply(code: code, end: index + 1)
            }
            index += 1
        }
        if isMalformed { return .malformed }
        carried.append(span.extracting(start..<span.count))
        return .needsMore
    }

    /// Nearly every reply: one line that lies whole in the span. nil: to be taken octet by octet.
    private func scanLine(_ span: Span<UInt8>, from start: Int) -> Step? {
        guard lines == 0, column == 0, !isMalformed, let lf = span.firstIndex(of: ASCII.lf, from: start) else { return nil }
        let line = span.extracting(start..<lf)
        guard line.count > 3, line.count < Self.lineLimit, line[line.count - 1] == ASCII.cr else { return nil }
        guard ASCII.isDigit(line[0]), ASCII.isDigit(line[1]), ASCII.isDigit(line[2]) else { return nil }
        let code = Int(line[0] - ASCII.zero) * 100 + Int(line[1] - ASCII.zero) * 10 + Int(line[2] - ASCII.zero)
        guard (200...599).contains(code), line.count == 4 || line[3] == ASCII.space else { return nil }
        for index in 4..<max(4, line.count - 1) where line[index] == ASCII.cr || line[index] == ASCII.nul { return nil }
        return .reply(code: code, end: lf + 1)
    }

    /// Makes ready for the next reply, whatever came before.
    public mutating func reset() {
        clear()
        carried.removeAll(keepingCapacity: true)
    }

    private mutating func clear() {
        (code, lines, column, lineCode) = (0, 0, 0, 0)
        (isLastLine, afterCR, isMalformed) = (false, false, false)
    }

    /// Takes one octet of a line: `ddd`, then CR, or space or hyphen and text.
    ///
    /// - Returns: whether the reply ends with it.
    private mutating func take(_ octet: UInt8) -> Bool {
        column += 1
        guard column <= Self.lineLimit, octet != ASCII.nul, afterCR == (octet == ASCII.lf) else { return fail() }
        if afterCR { return endLine() }
        switch column {
        case 1...3:
            guard ASCII.isDigit(octet) else { return fail() }
            lineCode = lineCode * 10 + Int(octet - ASCII.zero)
        case 4:
            // A code without text may lack its space, though not in our own replies: RFC 5321 4.2, last paragraphs.
            guard octet == ASCII.space || octet == ASCII.hyphen || octet == ASCII.cr else { return fail() }
            isLastLine = octet != ASCII.hyphen
            afterCR = octet == ASCII.cr
        default:
            afterCR = octet == ASCII.cr
        }
        return false
    }

    private mutating func endLine() -> Bool {
        lines += 1
        guard (200...599).contains(lineCode), code == 0 || code == lineCode, lines <= Self.lineCountLimit else { return fail() }
        code = lineCode
        (column, lineCode, afterCR) = (0, 0, false)
        return isLastLine
    }

    private mutating func fail() -> Bool {
        isMalformed = true
        return false
    }
}
