// A line of the list of protected domains: a name, or a name behind a dot for all below it. The form is that of qmail's
// control/rcpthosts, so that file can be used as it is.

/// A domain, or all subdomains of one.
///
/// Source: qmail-smtpd(8), rcpthosts; RFC 5321 §4.1.2 (Domain), RFC 1035 §2.3.4 (lengths).
public struct DomainPattern: Sendable, Hashable, CustomStringConvertible {
    /// The name in lower case, without the leading dot.
    public let domain: Octets
    /// Whether it stands for the names below `domain`, not for `domain` itself.
    public let isSuffix: Bool

    /// - Parameter text: `example.org` or `.example.org`, any case. An internationalised name in its A-label form only:
    ///   guardd compares octets and must not guess which U-labels are equal.
    /// - Returns: nil when it is neither.
    public init?(_ text: some Sequence<UInt8>) {
        var name = ASCII.lowercased(text)
        isSuffix = name.first == ASCII.dot
        if isSuffix { name.removeFirst() }
        guard Self.isName(name) else { return nil }
        domain = name
    }

    public var description: String { (isSuffix ? "." : "") + String(decoding: domain, as: UTF8.self) }

    /// Letters, digits, hyphens and underscores in labels of 1-63 octets, 253 in all; not an address.
    private static func isName(_ name: Octets) -> Bool {
        guard !name.isEmpty, name.count <= 253 else { return false }
        let labels = name.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        guard let last = labels.last, !last.allSatisfy(ASCII.isDigit) else { return false }
        return labels.allSatisfy { label in
            !label.isEmpty && label.count <= 63 && label.first != ASCII.hyphen && label.last != ASCII.hyphen
                && label.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.hyphen || $0 == 0x5F }
        }
    }
}

extension DomainPattern {
    /// Reads a file of protected domains: one a line, `#` begins a comment, blank lines count nothing.
    ///
    /// An address literal (`[192.0.2.1]`) is passed over: a recipient written that way counts as protected anyway.
    ///
    /// - Returns: the patterns, and the lines (from 1) that are none of these, washed.
    public static func list(in file: Octets) -> (patterns: [DomainPattern], badLines: [(line: Int, text: String)]) {
        var patterns: [DomainPattern] = []
        var badLines: [(line: Int, text: String)] = []
        for (index, line) in file.split(separator: ASCII.lf, omittingEmptySubsequences: false).enumerated() {
            let text = trimmed(line.prefix { $0 != 0x23 })
            guard let first = text.first, first != 0x5B else { continue }
            if let pattern = DomainPattern(text) {
                patterns.append(pattern)
            } else {
                badLines.append((index + 1, ASCII.washed(text, limit: 80)))
            }
        }
        return (patterns, badLines)
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isEdge(_ octet: UInt8) -> Bool { ASCII.isBlank(octet) || octet == ASCII.cr }
        var text = text.drop(while: isEdge)
        while let last = text.last, isEdge(last) { text.removeLast() }
        return text
    }
}
