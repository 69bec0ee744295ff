// The addresses that a notification's text names, sorted by what the line around them says. Read only when no field
// told the failed recipients. Strangers write texts: a line that names the sender or whom to ask is left out.

/// Addresses out of the lines that DiagnosticText kept.
struct DiagnosticAddresses: Sendable {
    private static let addressesKept = 64
    private static let behindMarker: UInt8 = 1
    private static let listing: UInt8 = 2

    /// Addresses that begin a line or follow a word such as `Recipient:`.
    private(set) var named: [Octets] = []
    /// Addresses in lines that quote a refusal.
    private(set) var refused: [Octets] = []
    /// All others.
    private(set) var mentioned: [Octets] = []

    /// The octet that stands before a kept line.
    ///
    /// - Parameter isBehindMarker: the returned mail was announced already.
    /// - Parameter isListing: the line before announced a list of addresses.
    static func mark(isBehindMarker: Bool, isListing: Bool) -> UInt8 {
        (isBehindMarker ? behindMarker : 0) | (isListing ? listing : 0)
    }

    /// - Parameter lines: each one a mark, the line, LF.
    init(_ lines: Span<UInt8>) {
        var text: Octets = []
        var start = 0
        while start < lines.count, let end = lines.firstIndex(of: ASCII.lf, from: start + 1) {
            text.removeAll(keepingCapacity: true)
            DiagnosticText.fold(lines.extracting((start + 1)..<end), into: &text)
            take(text.span, mark: lines[start])
            start = end + 1
        }
    }

    private mutating func take(_ text: Span<UInt8>, mark: UInt8) {
        let found = AddressScanner.addresses(in: text, atMost: 16)
        guard let first = found.first else { return }
        if DiagnosticAddresses.unhelpful.isFound(in: text) { return }
        let isListed = mark & DiagnosticAddresses.listing != 0
        if mark & DiagnosticAddresses.behindMarker != 0 {
            DiagnosticAddresses.add(found, to: &mentioned)
        } else if DiagnosticAddresses.isLeading(text) || DiagnosticAddresses.keywords.isFound(in: text) || isListed {
            DiagnosticAddresses.add([first], to: &named)
        } else if DiagnosticAddresses.refusals.isFound(in: text) {
            DiagnosticAddresses.add(found, to: &refused)
        } else {
            DiagnosticAddresses.add(found, to: &mentioned)
        }
    }

    /// The address is the first thing in the line but for brackets, bullets and quotation marks.
    private static func isLeading(_ text: Span<UInt8>) -> Bool {
        guard let at = text.firstIndex(of: ASCII.at) else { return false }
        return (text.firstIndex(of: ASCII.space) ?? text.count) > at
    }

    private static func add(_ addresses: [Octets], to list: inout [Octets]) {
        for address in addresses where list.count < addressesKept && !list.contains(address) { list.append(address) }
    }

    private static let keywords = PhraseSet([
        "recipient", "rcpt to", "to:", "to :", "delivered to", "undeliverable to", "addressed to", "mail address", "e-mail address", "email address",
        "address:", "user:", "mailbox", "deliver message to", "deliver to", "delivery to", "failed address", "message to", "mail to", "invalid address",
        "account", "sent to", "destination", "for:",
    ])
    private static let refusals = PhraseSet([
        "550", "551", "552", "553", "554", "450", "451", "452", "421", "user unknown", "unknown user", "no such", "quota", "full", "not found", "rejected",
        "unknown", "invalid", "does not exist", "disabled",
    ])
    /// Lines that name the sender, or whom to ask.
    private static let unhelpful = PhraseSet([
        "mail from", "from:", "reply-to", "sender", "contact", "assistance", "please send", "support", "questions", "return-path", "postmaster@",
        "from user", "message-id", "references:", "help", "abuse@", "received:", "envelope-from", "cc:", "delivered-to:",
    ])
}
