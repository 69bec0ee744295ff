// The identity of a mail: what guardd records of outgoing mail and looks for in returned mail.
// The same octets must come out of both, though the way there and back folds, comments and re-cases the field;
// so both sides use MessageIDScanner, and only what it leaves is compared. RFC 5322 3.6.4.

/// The content of a Message-ID field without `<` and `>`, unfolded, inner white space and comments removed.
///
/// Deliberately takes ids that the grammar refuses (no brackets, no `@`, 8-bit octets): they are sent and they come back.
public struct MessageID: Sendable, Hashable {
    /// Longer ids are cut here, on both sides alike: the longest line that mail may carry (RFC 5322 2.1.1).
    public static let limit = 998

    /// 1...`limit` octets, without brackets.
    public let octets: Octets

    /// - Parameter text: an id with or without `<>`, as an administrator or a log writes it.
    /// - Returns: nil when nothing is left of it.
    public init?(_ text: Octets) {
        self.init(fieldBody: text)
    }

    /// The first id of a field body.
    ///
    /// - Parameter fieldBody: what follows `Message-ID:`, folded or not, any length.
    /// - Returns: nil when it holds no id.
    public init?(fieldBody: some Sequence<UInt8>) {
        guard let first = MessageID.all(in: fieldBody, atMost: 1).first else { return nil }
        self = first
    }

    /// - Parameter scanned: octets that MessageIDScanner left: no white space, no brackets.
    init?(scanned: Octets) {
        guard !scanned.isEmpty else { return nil }
        octets = scanned
    }

    /// Every id of a field body in order, as in References.
    ///
    /// - Parameter limit: further ids are left out.
    public static func all(in fieldBody: some Sequence<UInt8>, atMost limit: Int = 32) -> [MessageID] {
        var scanner = MessageIDScanner(limit: limit)
        for octet in fieldBody { scanner.take(octet) }
        return scanner.finish()
    }

    /// Lotus Domino's own form, `OF` 8 digits `.` 8 digits `-ON` …: it replaces the id of mail that passes it.
    var isDomino: Bool {
        octets.count > 22 && ASCII.equal(octets.prefix(2), "of") && octets[10] == ASCII.dot && ASCII.equal(octets[19..<22], "-on")
    }

    /// What is hashed and compared: domain lower-cased, local part as it is.
    ///
    /// Source: RFC 5322 3.6.4 (id-right is a domain), RFC 5321 2.4.
    public var key: Octets {
        guard let at = octets.lastIndex(of: ASCII.at) else { return octets }
        return octets[..<at] + octets[at...].map(ASCII.lowercase)
    }
}
