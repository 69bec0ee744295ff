// The arguments of MAIL, read so narrowly that every MTA behind guardd reads the same sender (THREATS 2.2, R4).
// 92 spellings are the null sender for at least one MTA and something else, or an error, for another; here each is
// either the plain null sender or nil. Ranges are indices into the line: no allocation.

/// What a MAIL command says.
///
/// Source: RFC 5321 4.1.1.2, 4.1.2; RFC 6531 3.3.
public struct MailArguments: Sendable {
    /// The null reverse-path, `<>`.
    public var isNull: Bool
    /// Inside the brackets, or the bare mailbox. Empty for the null reverse-path.
    public var path: Range<Int>
    /// As spelled, with its quotes if it has some.
    public var localPart: Range<Int>
    /// A name or an address literal with its brackets; empty only for the null reverse-path.
    public var domain: Range<Int>
    /// From the first keyword to the end of the last value; empty when there are none.
    public var parameters: Range<Int>

    /// Reads `MAIL FROM:<reverse-path> [parameters]`.
    ///
    /// Allowed beyond the RFC: blanks and tabs after the colon, at the end and between parameters, and a bare
    /// `dot-atom@domain` in ASCII (printers, cron scripts). Refused though once legal: source routes. Unknown
    /// parameters pass; whether their extension was offered is not judged here.
    ///
    /// - Parameter line: without CRLF, the verb included, in any case.
    /// - Returns: nil for everything else: the answer is 501.
    /// - Complexity: O(length)
    public init?(_ line: Span<UInt8>) {
        guard line.spells("mail from:") else { return nil }
        let start = line.skippingBlanks(from: 10)
        let isBracketed = line.octet(at: start) == ASCII.less
        let begin = isBracketed ? start + 1 : start
        var end = begin
        isNull = isBracketed && line.octet(at: begin) == ASCII.greater
        localPart = begin..<begin
        domain = begin..<begin
        if !isNull {
            guard isBracketed || (!PathSyntax.hasBracket(line, from: start) && line.octet(at: start) != ASCII.quote),
                let at = PathSyntax.localPart(line, at: begin), line.octet(at: at) == ASCII.at,
                let behind = Self.domain(line, at: at + 1, localPart: begin..<at)
            else { return nil }
            localPart = begin..<at
            domain = at + 1..<behind
            end = behind
        }
        path = begin..<end
        if isBracketed {
            guard line.octet(at: end) == ASCII.greater else { return nil }
            end += 1
        } else {
            for index in path where line[index] >= 0x80 { return nil }
        }
        guard let options = PathSyntax.parameters(line, at: end), line.isUTF8(in: begin..<line.count) else { return nil }
        parameters = options
    }

    /// A domain, an address literal, or the `[]` of qmail's double bounce, which is no address literal of any RFC
    /// and legal only behind a bare `#`.
    private static func domain(_ line: Span<UInt8>, at start: Int, localPart: Range<Int>) -> Int? {
        if let end = PathSyntax.domain(line, at: start) ?? PathSyntax.addressLiteral(line, at: start) { return end }
        return line.spells("#", in: localPart) && line.spells("[]", at: start) ? start + 2 : nil
    }
}
