// One block of fields: the header section of a message or of a part, a group of report fields, or lines of text that
// look like one of these. Keeps the bodies that evidence needs, each bounded; everything else is only counted.

/// Fields of one block, read line by line.
struct HeaderBlock: Sendable {
    /// Octets of a body that are kept: a Content-Type may hold a long boundary, To many addresses.
    private static let longestBody = 4096
    private static let longestItem = 512
    private static let idsKept = 8
    private static let addressesKept = 64

    private(set) var names = FieldNames()
    private(set) var size = 0

    private(set) var messageIDs: [MessageID] = []
    private(set) var resentIDs: [MessageID] = []
    /// X-Google-, X-Microsoft-, X-CM- and X-Original-Message-ID.
    private(set) var keptIDs: [MessageID] = []
    /// Original-Message-ID of a report.
    private(set) var declaredIDs: [MessageID] = []
    private(set) var referenceIDs: [MessageID] = []
    private(set) var bodies = FieldBodies()
    private var received = 0
    private var finalRecipients = 0
    private var originalRecipients = 0

    private var current: FieldName?
    private var scanner = MessageIDScanner(limit: 0)
    private var isScanning = false

    var isEmpty: Bool { size == 0 }

    /// The unfolded body of the first field of that name, trimmed; nil when there is none.
    func body(of name: FieldName) -> Octets? { reading(name) { $0.copied() } }

    /// Likewise, lent for the call.
    func reading<Result>(_ name: FieldName, _ read: (Span<UInt8>) -> Result) -> Result? {
        names.contains(name) ? bodies.reading(name, read) : nil
    }

    /// Whether the field of that name has a body that `holds` says yes to.
    func has(_ name: FieldName, _ holds: (Span<UInt8>) -> Bool) -> Bool { reading(name, holds) ?? false }

    /// Empties the block; its storage stays.
    mutating func reset() {
        names = FieldNames()
        size = 0
        current = nil
        isScanning = false
        bodies.reset()
        received = 0
        finalRecipients = 0
        originalRecipients = 0
        if !messageIDs.isEmpty { messageIDs.removeAll() }
        if !resentIDs.isEmpty { resentIDs.removeAll() }
        if !keptIDs.isEmpty { keptIDs.removeAll() }
        if !declaredIDs.isEmpty { declaredIDs.removeAll() }
        if !referenceIDs.isEmpty { referenceIDs.removeAll() }
    }

    /// A field begins.
    ///
    /// - Parameter name: nil for a name that means nothing here.
    /// - Parameter text: what follows the colon on this line.
    mutating func begin(_ name: FieldName?, _ text: Span<UInt8>) {
        endField()
        size += text.count + 1
        guard let name else { return }
        switch name {
        case .messageID, .resentMessageID, .googleOriginalID, .microsoftOriginalID, .coremailOriginalID, .keptOriginalID, .originalMessageID:
            scanner.restart(limit: 4)
            isScanning = true
        case .inReplyTo, .references:
            scanner.restart(limit: 32)
            isScanning = true
        default:
            guard isKept(name) else {
                names.insert(name)
                return
            }
            bodies.begin()
        }
        names.insert(name)
        current = name
        append(text)
    }

    /// The current field goes on: a folded line, or a further piece of a long one.
    mutating func extend(_ text: Span<UInt8>) {
        size += text.count + 1
        if current != nil { append(text) }
    }

    /// A line that is neither a field nor indented may be the rest of an id: gateways break long lines, and half an id would be
    /// one that nobody ever sent. It is, when an id has begun or none has come yet, and no blank stands in it.
    ///
    /// - Returns: whether the line was taken.
    mutating func joinID(_ line: Span<UInt8>) -> Bool {
        guard isScanning, current != .references, current != .inReplyTo else { return false }
        var end = line.count
        while end > 0, line[end - 1] <= ASCII.space { end -= 1 }
        guard end > 0, scanner.isWithinBrackets || (scanner.isBlank && line[0] == ASCII.less) else { return false }
        let word = line.extracting(0..<end)
        let close = word.firstIndex(of: ASCII.greater) ?? end
        for index in 0..<close where word[index] <= ASCII.space { return false }
        scanner.dropSoftBreak()
        extend(line)
        return true
    }

    /// A line came that is no field, and no rest of an id either: an id that has not closed was cut there.
    ///
    /// - Returns: whether one was dropped.
    mutating func dropCutID() -> Bool {
        guard isScanning, current == .messageID, scanner.isWithinBrackets else { return false }
        isScanning = false
        current = nil
        return true
    }

    /// How a block came to its end.
    enum End: Sendable {
        /// An empty line, or a line that is no field.
        case whole
        /// A boundary, or the end of the content after a line end.
        case cut
        /// The content ended within a line.
        case cutWithinLine
    }

    /// The block has ended. Returned mail is often cut off; an id that the cut may have shortened is dropped, for
    /// it would be one that nobody ever sent.
    ///
    /// - Returns: whether an id was dropped.
    @discardableResult
    mutating func finish(_ end: End = .whole) -> Bool {
        let isShortened = switch end {
        // An id that never closes and has nothing behind it was cut, too, though an empty line or a word follows. Only of a
        // mail that names no other: else a field more would make any bounce pass.
        case .whole: isScanning && current == .messageID && messageIDs.isEmpty && scanner.isWithinBrackets
        case .cut: isScanning && scanner.isWithinBrackets
        case .cutWithinLine: isScanning && (scanner.isWithinBrackets || scanner.isBare)
        }
        if isShortened {
            isScanning = false
            current = nil
        }
        endField()
        return isShortened
    }

    private mutating func append(_ text: Span<UInt8>) {
        if isScanning {
            scanner.take(text)
        } else {
            let isLong = current == .contentType || current == .to
            bodies.append(text, limit: isLong ? HeaderBlock.longestBody : 2 * HeaderBlock.longestItem)
        }
    }

    private mutating func endField() {
        guard let name = current else { return }
        current = nil
        if isScanning {
            isScanning = false
            keep(scanner.finish(), of: name)
            return
        }
        switch name {
        case .received: received += 1
        case .finalRecipient, .originalRcptTo, .removalRecipient: finalRecipients += 1
        case .originalRecipient, .actualRecipient: originalRecipients += 1
        default:
            bodies.end(name, limit: .max)
            return
        }
        bodies.end(name, limit: HeaderBlock.longestItem)
    }

    /// Whether the body of a field is wanted: the first of its name, or one of the first in a list.
    private func isKept(_ name: FieldName) -> Bool {
        switch name {
        case .received: received < 32
        case .finalRecipient, .originalRcptTo, .removalRecipient: finalRecipients < HeaderBlock.addressesKept
        case .originalRecipient, .actualRecipient: originalRecipients < HeaderBlock.addressesKept
        case .returnPath, .from, .sender, .to, .subject, .date, .contentType, .transferEncoding, .failedRecipients,
             .autoSubmitted, .precedence, .originalEnvelopeID, .action: !names.contains(name)
        default: false
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
}

/// The beginning of a field within a line.
struct FieldStart {
    /// nil: a name that means nothing here.
    var name: FieldName?
    /// The index behind the colon.
    var body: Int
}

extension Span where Element == UInt8 {
    /// The field that begins at `start`.
    ///
    /// - Parameter start: first octet of the line behind quoting and indentation.
    /// - Returns: nil when the line begins no field: letters, digits, `-`, `_`, then perhaps blanks, then a colon. RFC 5322 2.2, 4.5.8.
    func field(from start: Int) -> FieldStart? {
        let head = extracting(start..<Swift.min(count, start + 78))
        guard let colon = head.firstIndex(of: ASCII.colon) else { return nil }
        let name = head.extracting(0..<head.extracting(0..<colon).endWithoutBlanks(from: 0))
        guard !name.isEmpty else { return nil }
        if let known = FieldName.known(name) { return FieldStart(name: known, body: start + colon + 1) }
        for index in 0..<name.count where !FieldName.isNameOctet(name[index]) { return nil }
        return FieldStart(name: nil, body: start + colon + 1)
    }
}
