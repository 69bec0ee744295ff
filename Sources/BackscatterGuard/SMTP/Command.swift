// The verb of a command line: RFC 5321 4.1.1, and those of the extensions that guardd carries or must refuse.
// A line that holds NUL, CR, LF or another control is malformed as a whole: Postfix and qmail cut it at NUL, and
// what they then read is not what was checked (THREATS 2.2, R3). No allocation.

/// What a command line asks for.
public enum Verb: Sendable {
    case ehlo, helo, mail, rcpt, data, bdat, rset, noop, quit, vrfy, expn, help, etrn, auth, starttls
    /// Never forwarded from a client (R11).
    case xclient, xforward, proxy
    /// Well-formed, but no verb that guardd knows.
    case unknown
    /// Not fit to be forwarded in any form: 500.
    case malformed
}

/// Reading of command lines.
public enum Command {
    /// Names the verb of a line.
    ///
    /// Does not look at the arguments, except for controls.
    ///
    /// - Parameter line: without its CRLF; any octets, any length.
    /// - Returns: `.malformed` for NUL, CR, LF, any control but TAB, or a leading blank; `.unknown` for an empty line.
    /// - Complexity: O(length)
    ///
    /// Source: RFC 5321 2.3.8, 2.4, 4.1.1.
    public static func verb(of line: Span<UInt8>) -> Verb {
        var key: UInt64 = 0
        var length = 0
        while length < line.count, !ASCII.isBlank(line[length]) {
            key = key << 8 | UInt64(ASCII.lowercase(line[length]))
            length += 1
        }
        if length == 0 { return line.isEmpty ? .unknown : .malformed }
        guard !ASCII.hasControl(line) else { return .malformed }
        guard length <= 8 else { return .unknown }
        for entry in table where entry.key == key { return entry.verb }
        return .unknown
    }

    /// Where the arguments of a line lie: from behind the verb and its blanks to the last octet that is no blank.
    ///
    /// - Returns: indices into `line`; empty when there are no arguments.
    public static func arguments(of line: Span<UInt8>) -> Range<Int> {
        var index = 0
        while index < line.count, !ASCII.isBlank(line[index]) { index += 1 }
        let start = line.skippingBlanks(from: index)
        return start..<line.endWithoutBlanks(from: start)
    }

    /// Verbs by their lower-case octets, the frequent first. No verb is longer than the 8 octets of a key.
    private static let table: [(key: UInt64, verb: Verb)] = [
        entry("mail", .mail), entry("rcpt", .rcpt), entry("data", .data), entry("bdat", .bdat), entry("ehlo", .ehlo),
        entry("quit", .quit), entry("rset", .rset), entry("helo", .helo), entry("starttls", .starttls),
        entry("auth", .auth), entry("noop", .noop), entry("vrfy", .vrfy), entry("expn", .expn), entry("help", .help),
        entry("etrn", .etrn), entry("xclient", .xclient), entry("xforward", .xforward), entry("proxy", .proxy),
    ]

    private static func entry(_ word: String, _ verb: Verb) -> (key: UInt64, verb: Verb) {
        (word.utf8.reduce(0) { $0 << 8 | UInt64($1) }, verb)
    }
}
