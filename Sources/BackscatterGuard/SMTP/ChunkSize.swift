// The arguments of BDAT. A size that guardd and the MTA read differently turns content into commands (R13, THREATS 2.3),
// so nothing passes that any of them could read otherwise.

/// What a BDAT command says.
public struct ChunkSize: Sendable, Equatable {
    /// Reads `BDAT chunk-size [LAST]`.
    ///
    /// Allowed beyond the RFC: any case of LAST, blanks at the end (RFC 5321 4.1.1), leading zeros.
    ///
    /// - Parameter line: without CRLF, the verb included.
    /// - Returns: octets of the chunk, 0...2^63-1; nil for a sign, hex, more than 19 digits, anything behind: 501.
    ///
    /// Source: RFC 3030 2.
    public static func parse(_ line: Span<UInt8>) -> (size: Int, isLast: Bool)? {
        guard line.spells("bdat ") else { return nil }
        let end = line.endWithoutBlanks(from: 5)
        var size = 0
        var index = 5
        while index < end, ASCII.isDigit(line[index]) {
            let (product, overflowed) = size.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int(line[index] - ASCII.zero))
            if overflowed || carried { return nil }
            size = sum
            index += 1
        }
        guard (6...24).contains(index) else { return nil }
        if index == end { return (size, false) }
        return line.spells(" last", in: index..<end) ? (size, true) : nil
    }
}
