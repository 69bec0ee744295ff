// The arguments of RCPT. Wider than MAIL, because a strange spelling of a recipient is upstream's to accept or refuse;
// what guardd must know is only whether the domain can be read beyond doubt. Where it can't, the recipient counts as
// protected (THREATS 2.2, last rule). Ranges are indices into the line: no allocation.

/// What a RCPT command says.
///
/// Source: RFC 5321 4.1.1.3, 4.1.2; RFC 6531 3.3.
public struct RcptArguments: Sendable {
    /// Inside the brackets, or the bare mailbox. Never empty.
    public var path: Range<Int>
    /// What stands before the last `@` outside quotes, as spelled; all of the path when there is none.
    public var localPart: Range<Int>
    /// What stands behind that `@`; empty when there is none.
    public var domain: Range<Int>
    /// From the first keyword to the end of the last value; empty when there are none.
    public var parameters: Range<Int>
    /// Whether every MTA reads the same ASCII domain name.
    ///
    /// False for `<user>`, `<postmaster>`, source routes, `%` and `!` in the local part, a trailing dot, an address
    /// literal or bare number, a U-label, a comment, and whatever else is no `Dot-string@Domain` or `"quoted"@Domain`.
    public var hasPlainDomain: Bool

    /// Reads `RCPT TO:<forward-path> [parameters]`, the brackets optional, blanks and tabs allowed after the colon.
    ///
    /// - Parameter line: without CRLF, the verb included, in any case.
    /// - Returns: nil when it is not even clear where the path ends, or for controls, blanks or backslashes in it: 501.
    /// - Complexity: O(length)
    public init?(_ line: Span<UInt8>) {
        guard line.spells("rcpt to:") else { return nil }
        let start = line.skippingBlanks(from: 8)
        let isBracketed = line.octet(at: start) == ASCII.less
        let begin = isBracketed ? start + 1 : start
        if !isBracketed, PathSyntax.hasBracket(line, from: start) { return nil }
        guard let extent = Self.extent(line, at: begin, isBracketed: isBracketed) else { return nil }
        path = begin..<extent.end
        if let at = extent.lastAt {
            localPart = begin..<at
            domain = at + 1..<extent.end
        } else {
            localPart = path
            domain = extent.end..<extent.end
        }
        hasPlainDomain = Self.isPlain(line, localPart: localPart, domain: domain)
        guard let options = PathSyntax.parameters(line, at: isBracketed ? extent.end + 1 : extent.end),
            line.isUTF8(in: options)
        else { return nil }
        parameters = options
    }

    /// Where the path ends: before `>`, or before the first blank for a bare one; and its last `@` outside quotes.
    private static func extent(_ line: Span<UInt8>, at start: Int, isBracketed: Bool) -> (end: Int, lastAt: Int?)? {
        var index = start
        var lastAt: Int?
        while let octet = line.octet(at: index) {
            switch octet {
            case ASCII.greater:
                return isBracketed && index > start ? (index, lastAt) : nil
            case ASCII.space, ASCII.tab:
                return !isBracketed && index > start ? (index, lastAt) : nil
            case ASCII.quote:
                guard isBracketed, let end = PathSyntax.quotedString(line, at: index) else { return nil }
                index = end
                continue
            case ASCII.backslash, ASCII.less: return nil
            case ASCII.at: lastAt = index
            default: if ASCII.isControl(octet) { return nil }
            }
            index += 1
        }
        return !isBracketed && index > start ? (index, lastAt) : nil
    }

    private static func isPlain(_ line: Span<UInt8>, localPart: Range<Int>, domain: Range<Int>) -> Bool {
        guard PathSyntax.localPart(line, at: localPart.lowerBound) == localPart.upperBound,
            PathSyntax.domain(line, at: domain.lowerBound) == domain.upperBound
        else { return false }
        // MTAs that route by % and ! do so after unquoting, and so would one that looks for @ again.
        for index in localPart where line[index] == 0x25 || line[index] == 0x21 || line[index] == ASCII.at { return false }
        var lastLabelIsNumber = true
        for index in domain {
            if line[index] >= 0x80 { return false }
            if line[index] == ASCII.dot { lastLabelIsNumber = true } else if !ASCII.isDigit(line[index]) { lastLabelIsNumber = false }
        }
        return !lastLabelIsNumber           // user@192.0.2.1 is an address literal for some, a name for others
    }
}
