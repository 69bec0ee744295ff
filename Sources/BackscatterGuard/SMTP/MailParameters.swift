// ESMTP parameters of MAIL and RCPT, found in place in a line that MailArguments or RcptArguments have read.

/// Looks into the `parameters` of a MAIL or RCPT line.
public enum MailParameters {
    /// The value of the first parameter of that name.
    ///
    /// - Parameter name: in lower case.
    /// - Parameter range: `parameters` of MailArguments or RcptArguments.
    /// - Returns: indices into `line`, empty for a keyword without value; nil when the keyword is not there.
    /// - Complexity: O(length of the range)
    ///
    /// Source: RFC 5321 4.1.2, esmtp-param.
    public static func value(of name: StaticString, in line: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        var index = range.lowerBound
        while index < range.upperBound {
            let start = index
            var nameEnd: Int?
            while index < range.upperBound, !ASCII.isBlank(line[index]) {
                if line[index] == ASCII.equals, nameEnd == nil { nameEnd = index }
                index += 1
            }
            if line.spells(name, in: start..<(nameEnd ?? index)) {
                return nameEnd.map { $0 + 1..<index } ?? index..<index
            }
            while index < range.upperBound, ASCII.isBlank(line[index]) { index += 1 }
        }
        return nil
    }
}
