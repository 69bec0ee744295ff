// The field names that the readers of mail know. What a name means is decided where it is read; here is only which
// family it belongs to, because a block of text is recognised as a header section by the names in it.

/// A known field name.
enum FieldName: UInt8, CaseIterable, Sendable {
    // Of a message: RFC 5322 3.6, RFC 2045 4, and the fields that nearly every mail has.
    case received, from, to, cc, subject, date, sender, messageID, returnPath, replyTo, deliveredTo, mimeVersion
    case mailer, originalTo, dkim, resentMessageID, inReplyTo, references, userAgent, envelopeTo, hotmailRecipient
    // Ids that relays keep when they give a mail a new one.
    case googleOriginalID, microsoftOriginalID, coremailOriginalID, keptOriginalID
    // Of a MIME entity: RFC 2045 5, 6.
    case contentType, transferEncoding, contentDescription, contentDisposition, contentID
    // Of reports: RFC 3464 2.2, 2.3, RFC 8098 3.1, RFC 5965 3.
    case reportingMTA, finalRecipient, originalRecipient, actualRecipient, action, status, diagnosticCode
    case originalEnvelopeID, disposition, originalMessageID, feedbackType, originalRcptTo, removalRecipient
    // Of notifications themselves: RFC 3834 5, and the habits of Exim and of vacation programs.
    case failedRecipients, autoSubmitted, precedence, autoreply, autorespond, appleAction

    /// As it is written, in lower case.
    var spelling: String {
        switch self {
        case .messageID: "message-id"
        case .returnPath: "return-path"
        case .replyTo: "reply-to"
        case .deliveredTo: "delivered-to"
        case .mimeVersion: "mime-version"
        case .mailer: "x-mailer"
        case .originalTo: "x-original-to"
        case .dkim: "dkim-signature"
        case .resentMessageID: "resent-message-id"
        case .inReplyTo: "in-reply-to"
        case .userAgent: "user-agent"
        case .envelopeTo: "envelope-to"
        case .hotmailRecipient: "x-hmxmroriginalrecipient"
        case .googleOriginalID: "x-google-original-message-id"
        case .microsoftOriginalID: "x-microsoft-original-message-id"
        case .coremailOriginalID: "x-cm-original-message-id"
        case .keptOriginalID: "x-original-message-id"
        case .contentType: "content-type"
        case .transferEncoding: "content-transfer-encoding"
        case .contentDescription: "content-description"
        case .contentDisposition: "content-disposition"
        case .contentID: "content-id"
        case .reportingMTA: "reporting-mta"
        case .finalRecipient: "final-recipient"
        case .originalRecipient: "original-recipient"
        case .actualRecipient: "x-actual-recipient"
        case .diagnosticCode: "diagnostic-code"
        case .originalEnvelopeID: "original-envelope-id"
        case .originalMessageID: "original-message-id"
        case .feedbackType: "feedback-type"
        case .originalRcptTo: "original-rcpt-to"
        case .removalRecipient: "removal-recipient"
        case .failedRecipients: "x-failed-recipients"
        case .autoSubmitted: "auto-submitted"
        case .autoreply: "x-autoreply"
        case .autorespond: "x-autorespond"
        case .appleAction: "x-apple-action"
        case .received: "received"
        case .from: "from"
        case .to: "to"
        case .cc: "cc"
        case .subject: "subject"
        case .date: "date"
        case .sender: "sender"
        case .references: "references"
        case .action: "action"
        case .status: "status"
        case .disposition: "disposition"
        case .precedence: "precedence"
        }
    }

    /// - Parameter name: the octets before the colon, without blanks; any case.
    static func known(_ name: Span<UInt8>) -> FieldName? { table.find(name) }

    /// Whether a field name may hold it, by a bit for each octet: `-` and 0-9; A-Z, `_` and a-z.
    static func isNameOctet(_ octet: UInt8) -> Bool {
        guard octet < 0x80 else { return false }
        let bits: UInt64 = octet < 0x40 ? 0x03FF_2000_0000_0000 : 0x07FF_FFFE_87FF_FFFE
        return bits >> UInt64(octet & 0x3F) & 1 != 0
    }

    private static let table = FieldNameTable()
}

/// Hashed spellings, probed linearly; a lookup allocates nothing.
private struct FieldNameTable: Sendable {
    private static let slotCount = 256
    private var slots: [UInt8] = Array(repeating: 0, count: slotCount)
    private var names: [FieldName] = []
    private var starts: [Int] = [0]
    private var spellings: Octets = []

    init() {
        for name in FieldName.allCases {
            let octets = Octets(name.spelling.utf8)
            names.append(name)
            spellings += octets
            starts.append(spellings.count)
            var slot = Self.slot(octets.span)
            while slots[slot] != 0 { slot = (slot + 1) % Self.slotCount }
            slots[slot] = UInt8(names.count)
        }
    }

    func find(_ name: Span<UInt8>) -> FieldName? {
        guard name.count >= 2, name.count <= 32 else { return nil }
        var slot = Self.slot(name)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if starts[index + 1] - starts[index] == name.count, isSpelling(at: starts[index], name) { return names[index] }
            slot = (slot + 1) % Self.slotCount
        }
        return nil
    }

    /// Octets that the lower case makes equal differ in one bit; for a letter that is its case, but CR is no hyphen.
    private func isSpelling(at start: Int, _ name: Span<UInt8>) -> Bool {
        let spelling = spellings.span.extracting(start..<(start + name.count))
        var difference: UInt8 = 0
        var least: UInt8 = 0xFF
        for index in 0..<name.count {
            difference |= (name[index] | 0x20) ^ spelling[index]
            least = min(least, name[index])
        }
        return difference == 0 && least >= ASCII.hyphen
    }

    /// Four octets and the length tell the spellings apart well enough; whether it is the spelling is asked anyway.
    private static func slot(_ name: Span<UInt8>) -> Int {
        let last = name.count - 1
        var hash = UInt32(name[0] | 0x20) &* 0x9E37_79B1
        hash = (hash ^ UInt32(name[last] | 0x20)) &* 0x85EB_CA77
        hash = (hash ^ UInt32(name[last / 2] | 0x20)) &* 0xC2B2_AE3D
        hash = (hash ^ UInt32(name[last / 4] | 0x20) ^ UInt32(name.count) << 8) &* 0x27D4_EB2F
        return Int(hash >> 24)
    }
}

/// The field names of one block, as a set.
struct FieldNames: Sendable, Equatable {
    private var bits: UInt64 = 0

    private static let message = mask(.received ... .keptOriginalID)
    private static let report = mask(.reportingMTA ... .removalRecipient)

    /// How many different names of that family were seen.
    var messageNames: Int { (bits & FieldNames.message).nonzeroBitCount }
    var reportNames: Int { (bits & FieldNames.report).nonzeroBitCount }

    var isEmpty: Bool { bits == 0 }
    func contains(_ name: FieldName) -> Bool { bits & (1 << UInt64(name.rawValue)) != 0 }
    mutating func insert(_ name: FieldName) { bits |= 1 << UInt64(name.rawValue) }

    init() {}
    init(_ names: FieldName...) { for name in names { insert(name) } }

    private static func mask(_ family: ClosedRange<FieldName>) -> UInt64 {
        (family.lowerBound.rawValue...family.upperBound.rawValue).reduce(0) { $0 | 1 << UInt64($1) }
    }
}

extension FieldName: Comparable {
    static func < (left: FieldName, right: FieldName) -> Bool { left.rawValue < right.rawValue }
}
