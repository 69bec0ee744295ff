// The second number of a reply, for programs that bounce mail: RFC 3463, carried as RFC 2034 says.

/// `class.subject.detail`: 5.7.1.
public struct EnhancedStatusCode: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// 2, 4 or 5: must be the first digit of the reply's code.
    public let `class`: Int
    /// 0...999.
    public let subject: Int
    /// 0...999.
    public let detail: Int

    /// - Parameter text: the whole text must be the code.
    /// - Returns: nil for anything but class 2, 4 or 5 and two numbers of one to three digits without leading zeros.
    ///
    /// Source: RFC 3463 2.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: ASCII.dot, omittingEmptySubsequences: false).map(Self.number)
        guard parts.count == 3, let first = parts[0], let second = parts[1], let third = parts[2] else { return nil }
        guard first == 2 || first == 4 || first == 5 else { return nil }
        (self.class, subject, detail) = (first, second, third)
    }

    /// A code written in our own source.
    public init(stringLiteral text: String) {
        guard let code = EnhancedStatusCode(text) else { preconditionFailure("enhanced status code \(text)") }
        self = code
    }

    public var description: String { "\(self.class).\(subject).\(detail)" }

    private static func number(_ digits: Substring.UTF8View) -> Int? {
        guard (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { return nil }
        if digits.count > 1, digits.first == ASCII.zero { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
    }
}
