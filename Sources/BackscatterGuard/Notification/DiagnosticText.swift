// What the text before a returned mail says: words of failure, and the addresses that it names as failed.
// Strangers write it, so it yields no id. Only its first octets are read: what decides stands at the top.

/// Collects evidence out of the words of a notification, line by line.
struct DiagnosticText: Sendable {
    private static let budget = 16_384
    private static let addressesKept = 64

    /// Whether the words still matter; what the header says may have settled it.
    var needsWords = true
    /// Whether this is a complaint, which may tell the id in words.
    var isComplaint = false

    private(set) var hasFailure = false
    /// Words that say something of failure only when a mail system writes them.
    private(set) var hasTrouble = false
    private(set) var hasSignature = false
    private(set) var isReceipt = false
    /// Addresses that begin a line or follow a word such as `Recipient:`.
    private(set) var named: [Octets] = []
    /// Addresses in lines that quote a refusal.
    private(set) var refused: [Octets] = []
    /// All others.
    private(set) var mentioned: [Octets] = []

    /// The id that a complaint tells in words. Nothing is judged by it: complaints are no bounces.
    private(set) var complaintID: MessageID?

    private var remaining = budget
    private var window: Octets = []
    private var isListing = false

    /// - Parameter line: one line of text without its line end and quoting.
    /// - Parameter isBehindMarker: the returned mail was announced already, so the line may be of it.
    mutating func take(_ line: Span<UInt8>, isBehindMarker: Bool) {
        guard remaining > 0, line.count > 0 else { return }
        remaining -= line.count
        let text = DiagnosticText.folded(line)
        if needsWords { readWords(text) }
        if text.contains(ASCII.at) { readAddresses(text, isBehindMarker: isBehindMarker) }
        if isComplaint, complaintID == nil { readComplaint(text) }
        noteListing(text)
    }

    /// Yahoo: `... for an email message with the message-id of X received from ...`.
    private mutating func readComplaint(_ text: Octets) {
        let words = Octets("message-id of ".utf8)
        guard text.count > words.count else { return }
        for place in 0..<(text.count - words.count) where text[place] | 0x20 == words[0] {
            let end = place + words.count
            guard text[place..<end].map(ASCII.lowercase) == words else { continue }
            complaintID = MessageID(Octets(text[end...].prefix { $0 > ASCII.space }))
            return
        }
    }

    /// An empty line: what follows is another paragraph.
    mutating func endParagraph() {
        if !window.isEmpty { window.removeAll(keepingCapacity: true) }
    }

    private mutating func readWords(_ text: Octets) {
        guard !hasFailure || !hasSignature else { return }
        // Phrases are broken between lines: the end of the line before stands before this one.
        let tail = window.suffix(PhraseSet.longest)
        window = Octets(tail) + text.map(ASCII.lowercase)
        window.append(ASCII.space)
        if !hasFailure { hasFailure = Phrases.failures.isFound(in: window) }
        if !hasTrouble { hasTrouble = Phrases.troubles.isFound(in: window) }
        if !hasSignature {
            hasSignature = Phrases.signatures.isFound(in: window)
            if hasSignature { isReceipt = Phrases.receipts.isFound(in: window) }
        }
    }

    private mutating func readAddresses(_ text: Octets, isBehindMarker: Bool) {
        let found = AddressScanner.addresses(in: text, atMost: 16)
        guard let first = found.first else { return }
        let low = text.map(ASCII.lowercase)
        if DiagnosticText.unhelpful.isFound(in: low) { return }
        if isBehindMarker {
            DiagnosticText.add(found, to: &mentioned)
        } else if DiagnosticText.isLeading(low) || DiagnosticText.keywords.isFound(in: low) || isListing {
            DiagnosticText.add([first], to: &named)
        } else if DiagnosticText.refusals.isFound(in: low) {
            DiagnosticText.add(found, to: &refused)
        } else {
            DiagnosticText.add(found, to: &mentioned)
        }
    }

    /// `... addressed to:` at the end of a line: the next lines list addresses.
    private mutating func noteListing(_ text: Octets) {
        let last = text.last { $0 > ASCII.space }
        isListing = last == ASCII.colon
    }

    /// The address is the first thing in the line but for brackets, bullets and quotation marks.
    private static func isLeading(_ text: Octets) -> Bool {
        for octet in text {
            if octet == ASCII.at { return true }
            if octet == ASCII.space { return false }
        }
        return false
    }

    private static func add(_ addresses: [Octets], to list: inout [Octets]) {
        for address in addresses where list.count < addressesKept && !list.contains(address) { list.append(address) }
    }

    /// The line with single blanks, without what stands before its first word.
    private static func folded(_ line: Span<UInt8>) -> Octets {
        var text: Octets = []
        text.reserveCapacity(min(line.count, 1024))
        var isShifted = false
        for index in 0..<min(line.count, 1024) {
            // ISO-2022: between ESC $ and ESC ( stand pairs of octets that only look like ASCII.
            if line[index] == 0x1B, index + 1 < line.count { isShifted = line[index + 1] == 0x24 }
            if isShifted { continue }
            let octet = line[index] < ASCII.space ? ASCII.space : line[index]
            if text.isEmpty, octet == ASCII.space || octet == 0x2A || octet == ASCII.hyphen || octet == ASCII.greater { continue }
            if octet == ASCII.space, text.last == ASCII.space { continue }
            text.append(octet)
        }
        return text
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
