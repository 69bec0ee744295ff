// One block of fields: the header section of a message or of a part, a group of report fields, or lines of text that
// look like one of these. Keeps the bodies that evidence needs, each bounded; everything else is only counted.

/// Fields of one block, read line by line.
struct HeaderBlock: Sendable {
    private static let longestBody = 4096
    private static let idsKept = 8
    private static let addressesKept = 64

    private(set) var names = FieldNames()
    private(set) var size = 0

    private(set) var messageIDs: [MessageID] = []
    private(set) var resentIDs: [MessageID] = []
    /// X-Google-, X-Microsoft- and X-Original-Message-ID.
    private(set) var keptIDs: [MessageID] = []
    /// Original-Message-ID of a report.
    private(set) var declaredIDs: [MessageID] = []
    private(set) var referenceIDs: [MessageID] = []
    private(set) var finalRecipients: [Octets] = []
    private(set) var originalRecipients: [Octets] = []
    private(set) var origins: [Octets] = []
    private var bodies: [FieldName: Octets] = [:]

    private var current: FieldName?
    private var body: Octets = []
    private var scanner: MessageIDScanner?

    var isEmpty: Bool { size == 0 }

    /// The unfolded body of the first field of that name, trimmed; nil when there is none.
    func body(of name: FieldName) -> Octets? { bodies[name] }

    /// A field begins.
    ///
    /// - Parameter name: nil for a name that means nothing here.
    /// - Parameter text: what follows the colon on this line.
    mutating func begin(_ name: FieldName?, _ text: Span<UInt8>) {
        endField()
        size += text.count + 1
        guard let name else { return }
        names.insert(name)
        current = name
        switch name {
        case .messageID, .resentMessageID, .googleOriginalID, .microsoftOriginalID, .keptOriginalID, .originalMessageID:
            scanner = MessageIDScanner(limit: 4)
        case .inReplyTo, .references:
            scanner = MessageIDScanner(limit: 32)
        default: break
        }
        append(text)
    }

    /// The current field goes on: a folded line, or a further piece of a long one.
    mutating func extend(_ text: Span<UInt8>) {
        size += text.count + 1
        if current != nil { append(text) }
    }

    /// The block has ended.
    mutating func finish() { endField() }

    private mutating func append(_ text: Span<UInt8>) {
        if scanner != nil {
            for index in 0..<text.count { scanner?.take(text[index]) }
        } else if body.count < HeaderBlock.longestBody {
            body.append(text.extracting(0..<min(text.count, HeaderBlock.longestBody - body.count)))
        }
    }

    private mutating func endField() {
        guard let name = current else { return }
        current = nil
        if var scanner {
            self.scanner = nil
            keep(scanner.finish(), of: name)
            return
        }
        defer { body.removeAll(keepingCapacity: true) }
        let trimmed = HeaderBlock.trimmed(body)
        switch name {
        case .received:
            if origins.count < 32 { origins.append(trimmed) }
        case .finalRecipient, .originalRcptTo, .removalRecipient:
            if finalRecipients.count < HeaderBlock.addressesKept { finalRecipients.append(trimmed) }
        case .originalRecipient, .actualRecipient:
            if originalRecipients.count < HeaderBlock.addressesKept { originalRecipients.append(trimmed) }
        case .returnPath, .from, .sender, .to, .cc, .subject, .date, .contentType, .transferEncoding, .failedRecipients,
             .autoSubmitted, .precedence, .originalEnvelopeID, .action, .feedbackType, .disposition, .contentClass:
            if bodies[name] == nil { bodies[name] = trimmed }
        default: break
        }
    }

    private mutating func keep(_ ids: [MessageID], of name: FieldName) {
        switch name {
        case .messageID: HeaderBlock.add(ids, to: &messageIDs)
        case .resentMessageID: HeaderBlock.add(ids, to: &resentIDs)
        case .originalMessageID: HeaderBlock.add(ids, to: &declaredIDs)
        case .inReplyTo, .references: HeaderBlock.add(ids, to: &referenceIDs, atMost: 32)
        default: HeaderBlock.add(ids, to: &keptIDs)
        }
    }

    private static func add(_ ids: [MessageID], to list: inout [MessageID], atMost limit: Int = idsKept) {
        for id in ids where list.count < limit && !list.contains(id) { list.append(id) }
    }

    private static func trimmed(_ text: Octets) -> Octets {
        var rest = text[...]
        while let first = rest.first, first <= ASCII.space { rest.removeFirst() }
        while let last = rest.last, last <= ASCII.space { rest.removeLast() }
        return Octets(rest)
    }
}

extension Span where Element == UInt8 {
    /// Where the field name that a line begins with ends, and where the colon is.
    ///
    /// - Parameter start: first octet of the line behind quoting and indentation.
    /// - Returns: nil when the line begins no field: letters, digits, `-`, `_`, then perhaps blanks, then a colon. RFC 5322 2.2, 4.5.8.
    func fieldName(from start: Int) -> (nameEnd: Int, colon: Int)? {
        var index = start
        let stop = Swift.min(count, start + 78)
        while index < stop, ASCII.isLetter(self[index]) || ASCII.isDigit(self[index]) || self[index] == ASCII.hyphen || self[index] == 0x5F {
            index += 1
        }
        let nameEnd = index
        guard nameEnd > start else { return nil }
        while index < stop, ASCII.isBlank(self[index]) { index += 1 }
        guard index < stop, self[index] == ASCII.colon else { return nil }
        return (nameEnd, index)
    }
}
