// The grammar that MAIL and RCPT share: RFC 5321 4.1.2 with RFC 6531 3.3. Each function reads one element at an
// index of the line and tells where it ends; nil is "not this element". Nothing is copied, nothing recurses.
//
// Wider than the RFC in three harmless ways, because such mail exists and every MTA reads it alike: doubled and
// trailing dots in a local part (old mobile phone addresses), `_` and `-` anywhere in a domain label (Windows host
// names), `=` in a parameter's value (unencoded SRS addresses in ORCPT).

enum PathSyntax {
    /// RFC 5322 atext, and the octets of RFC 6531's UTF8-non-ascii.
    static func isAtomText(_ octet: UInt8) -> Bool {
        if ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet >= 0x80 { return true }
        switch octet {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: return true
        default: return false
        }
    }

    static func isDomainText(_ octet: UInt8) -> Bool {
        ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == ASCII.hyphen || octet == 0x5F || octet >= 0x80
    }

    /// `Dot-string`: begins with an atom.
    static func dotString(_ line: Span<UInt8>, at start: Int) -> Int? {
        guard let first = line.octet(at: start), isAtomText(first) else { return nil }
        var index = start + 1
        while let octet = line.octet(at: index), isAtomText(octet) || octet == ASCII.dot { index += 1 }
        return index
    }

    /// `Quoted-string`, which may be empty. The end lies behind the closing quote.
    static func quotedString(_ line: Span<UInt8>, at start: Int) -> Int? {
        guard line.octet(at: start) == ASCII.quote else { return nil }
        var index = start + 1
        while let octet = line.octet(at: index) {
            if ASCII.isControl(octet) { return nil }
            if octet == ASCII.quote { return index + 1 }
            if octet == ASCII.backslash {
                index += 1
                guard let quoted = line.octet(at: index), quoted >= ASCII.space, quoted < ASCII.del else { return nil }
            }
            index += 1
        }
        return nil
    }

    /// The content of a quoted string, or the octets themselves when they are none.
    static func unquoted(_ text: Span<UInt8>) -> Octets {
        guard text.octet(at: 0) == ASCII.quote, quotedString(text, at: 0) == text.count else { return text.copied() }
        var content = Octets()
        var index = 1
        while index < text.count - 1 {
            if text[index] == ASCII.backslash { index += 1 }
            content.append(text[index])
            index += 1
        }
        return content
    }

    /// `Local-part`, less the empty quoted string: `""@a.example` names nobody, and an MTA that unquotes it is left with nothing.
    static func localPart(_ line: Span<UInt8>, at start: Int) -> Int? {
        if let end = dotString(line, at: start) { return end }
        guard let end = quotedString(line, at: start), end > start + 2 else { return nil }
        return end
    }

    /// `Domain`: labels that are not empty, no trailing dot.
    static func domain(_ line: Span<UInt8>, at start: Int) -> Int? {
        var index = start
        while true {
            let label = index
            while let octet = line.octet(at: index), isDomainText(octet) { index += 1 }
            guard index > label else { return nil }
            guard line.octet(at: index) == ASCII.dot else { return index }
            index += 1
        }
    }

    /// `address-literal`, which may not be empty. Its content is left to the MTA, but can hold no delimiter.
    static func addressLiteral(_ line: Span<UInt8>, at start: Int) -> Int? {
        guard line.octet(at: start) == 0x5B else { return nil }
        var index = start + 1
        while let octet = line.octet(at: index), octet < 0x80, isDomainText(octet) || octet == ASCII.dot || octet == ASCII.colon {
            index += 1
        }
        guard index > start + 1, line.octet(at: index) == 0x5D else { return nil }
        return index + 1
    }

    /// `Mail-parameters` behind a path: nothing, blanks, or blanks and `keyword[=value]` separated by blanks.
    ///
    /// - Returns: from the first keyword to the end of the last value; empty when there are none.
    static func parameters(_ line: Span<UInt8>, at start: Int) -> Range<Int>? {
        let end = line.endWithoutBlanks(from: start)
        let first = line.skippingBlanks(from: start)
        guard first < end else { return end..<end }
        guard first > start else { return nil }
        var index = first
        while index < end {
            guard let behind = parameter(line, at: index) else { return nil }
            guard behind == end || ASCII.isBlank(line[behind]) else { return nil }
            index = line.skippingBlanks(from: behind)
        }
        return first..<end
    }

    /// `esmtp-param`.
    private static func parameter(_ line: Span<UInt8>, at start: Int) -> Int? {
        guard let first = line.octet(at: start), ASCII.isLetter(first) || ASCII.isDigit(first) else { return nil }
        var index = start + 1
        while let octet = line.octet(at: index), ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == ASCII.hyphen { index += 1 }
        guard line.octet(at: index) == ASCII.equals else { return index }
        let value = index + 1
        index = value
        while let octet = line.octet(at: index), octet > ASCII.space, octet != ASCII.del { index += 1 }
        return index > value ? index : nil
    }

    /// Whether a bracket lies at or behind `start`.
    ///
    /// qmail takes the first `<` of the line for the path, wherever it stands: `MAIL FROM:a@b.example AUTH=<>` is the
    /// null sender there. So a path without brackets allows none in the whole line.
    static func hasBracket(_ line: Span<UInt8>, from start: Int) -> Bool {
        line.firstIndex(of: ASCII.less, from: start) != nil || line.firstIndex(of: ASCII.greater, from: start) != nil
    }
}
