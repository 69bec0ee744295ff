// What the text before a returned mail says: words of failure, and the lines that name addresses.
// Strangers write it, so it yields no id. Only its first octets are read: what decides stands at the top.
// The lines with addresses are kept as they are: most reports name the failed recipients in fields, and then
// nobody asks what the text names (DiagnosticAddresses).

/// Collects evidence out of the words of a notification, line by line.
struct DiagnosticText: Sendable {
    private static let budget = 16_384
    static let longestLine = 1024

    /// Whether the words still matter; what the header says may have settled it.
    var needsWords = true
    /// Whether this is a complaint, which may tell the id in words.
    var isComplaint = false

    private(set) var hasFailure = false
    /// Words that say something of failure only when a mail system writes them.
    private(set) var hasTrouble = false
    private(set) var hasSignature = false
    private(set) var isReceipt = false

    /// The id that a complaint tells in words. Nothing is judged by it: complaints are no bounces.
    private(set) var complaintID: MessageID?

    private var remaining = budget
    private var window: Octets = []
    /// Empty between lines; kept for its storage.
    private var folded: Octets = []
    private var isListing = false
    private var addressLines: Octets = []

    /// The addresses that the text names so far.
    var addresses: DiagnosticAddresses { DiagnosticAddresses(addressLines.span) }

    /// - Parameter line: one line of text without its line end and quoting.
    /// - Parameter isBehindMarker: the returned mail was announced already, so the line may be of it.
    mutating func take(_ line: Span<UInt8>, isBehindMarker: Bool) {
        guard remaining > 0, line.count > 0 else { return }
        remaining -= line.count
        let shown = line.extracting(0..<min(line.count, DiagnosticText.longestLine))
        if shown.firstIndex(of: ASCII.at) != nil {
            addressLines.append(DiagnosticAddresses.mark(isBehindMarker: isBehindMarker, isListing: isListing))
            addressLines.append(shown)
            addressLines.append(ASCII.lf)
        }
        let readsWords = needsWords && !(hasFailure && hasSignature)
        let readsComplaint = isComplaint && complaintID == nil
        // Shifted text ends otherwise than its octets say.
        let isShifted = shown.firstIndex(of: DiagnosticText.escape) != nil
        guard readsWords || readsComplaint || isShifted else {
            noteListing(shown)
            return
        }
        var text: Octets = []
        swap(&text, &folded)
        DiagnosticText.fold(shown, into: &text)
        if readsWords { readWords(text) }
        if readsComplaint { readComplaint(text.span) }
        noteListing(text.span)
        text.removeAll(keepingCapacity: true)
        swap(&text, &folded)
    }

    /// An empty line: what follows is another paragraph.
    mutating func endParagraph() {
        if !window.isEmpty { window.removeAll(keepingCapacity: true) }
    }

    /// Yahoo: `... for an email message with the message-id of X received from ...`.
    private mutating func readComplaint(_ text: Span<UInt8>) {
        let words: StaticString = "message-id of "
        let length = words.utf8CodeUnitCount
        guard text.count > length else { return }
        for place in 0..<(text.count - length) where text[place] | 0x20 == 0x6D && text.spells(words, at: place) {
            var end = place + length
            while end < text.count, text[end] > ASCII.space { end += 1 }
            complaintID = MessageID(text.extracting((place + length)..<end).copied())
            return
        }
    }

    private mutating func readWords(_ text: Octets) {
        // Phrases are broken between lines: what may be the beginning of one stands before this line.
        window.append(contentsOf: text)
        window.append(ASCII.space)
        var open = window.count
        if !hasFailure { hasFailure = Phrases.failures.isFound(in: window.span, open: &open) }
        if !hasTrouble { hasTrouble = Phrases.troubles.isFound(in: window.span, open: &open) }
        if !hasSignature {
            hasSignature = Phrases.signatures.isFound(in: window.span, open: &open)
            if hasSignature { isReceipt = Phrases.receipts.isFound(in: window.span) }
        }
        window.removeFirst(open)
    }

    /// `... addressed to:` at the end of a line: the next lines list addresses.
    private mutating func noteListing(_ text: Span<UInt8>) {
        var end = text.count
        while end > 0, text[end - 1] <= ASCII.space { end -= 1 }
        isListing = end > 0 && text[end - 1] == ASCII.colon
    }
}

extension DiagnosticText {
    private static let escape: UInt8 = 0x1B

    /// The line with single blanks, without what stands before its first word.
    ///
    /// - Parameter text: empty.
    static func fold(_ line: Span<UInt8>, into text: inout Octets) {
        text.reserveCapacity(line.count)
        var isShifted = false
        var isBehindBlank = false
        for index in 0..<line.count {
            // ISO-2022: between ESC $ and ESC ( stand pairs of octets that only look like ASCII.
            if line[index] == escape, index + 1 < line.count { isShifted = line[index + 1] == 0x24 }
            if isShifted { continue }
            let octet = line[index] < ASCII.space ? ASCII.space : line[index]
            if text.isEmpty, octet == ASCII.space || octet == 0x2A || octet == ASCII.hyphen || octet == ASCII.greater { continue }
            if octet == ASCII.space, isBehindBlank { continue }
            isBehindBlank = octet == ASCII.space
            text.append(octet)
        }
    }
}
