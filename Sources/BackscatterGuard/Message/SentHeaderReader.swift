// Reads the Message-IDs out of mail that goes out, while it streams past. Stops at the end of the header section
// or at a limit, so that the body costs nothing. Ends the section where an MTA does: at an empty line, or at the
// first line that is no field (RFC 5322 2.2); else a stranger's id quoted in a body could be recorded as sent.

/// The ids under which a mail leaves: its Message-ID fields, then its Resent-Message-ID fields.
///
/// The result does not depend on how the content is divided.
public struct SentHeaderReader: Sendable {
    private enum Place { case lineStart, name, blanksAfterName, body, skipping, afterCR, ended }
    private static let idsKept = 16
    private static let longestName = 32

    private var place = Place.lineStart
    private var remaining: Int
    private var isFirstLine = true
    private var name: Octets = []
    private var isNameTooLong = false
    private var scanner: MessageIDScanner?
    private var isResent = false
    private var ids: [MessageID] = []
    private var resentIDs: [MessageID] = []

    /// The limit came before the end of the header section.
    public private(set) var overflowed = false

    /// - Parameter limit: octets of content that are read; what is behind is not looked at.
    public init(limit: Int = 102_400) { remaining = limit }

    /// The header section has ended, or the limit was reached.
    public var isComplete: Bool { place == .ended }

    /// Message-ID fields in order, then Resent-Message-ID fields; without repetitions, at most 16 of each.
    public var messageIDs: [MessageID] { ids + resentIDs.filter { !ids.contains($0) } }

    /// The next octets of content, dot-stuffed or not: no header field begins with a dot.
    public mutating func read(_ content: Span<UInt8>) {
        var index = 0
        while index < content.count, place != .ended {
            guard remaining > 0 else {
                overflowed = true
                endSection()
                return
            }
            if place == .skipping {
                let end = min(content.firstIndex(of: ASCII.lf, from: index) ?? content.count, index + remaining)
                remaining -= end - index
                index = end
                if index == content.count || remaining == 0 { continue }
            }
            take(content[index])
            index += 1
            remaining -= 1
        }
    }

    /// A whole field, where an MTA gives them one by one: instead of `read`. Cut by none of its limits.
    ///
    /// - Parameter body: with or without the blank behind the colon, folded or not.
    public mutating func read(field: Span<UInt8>, body: Span<UInt8>) {
        guard place != .ended else { return }
        name = field.count <= SentHeaderReader.longestName ? field.copied() : []
        isNameTooLong = name.isEmpty
        beginField()
        guard scanner != nil else { return }
        for index in body.indices { scanner?.take(body[index]) }
        endField()
    }

    /// The content has ended; a header section without a body ends here.
    public mutating func finish() {
        if place != .ended { endSection() }
    }

    private mutating func take(_ octet: UInt8) {
        switch place {
        case .lineStart: takeLineStart(octet)
        case .name, .blanksAfterName: takeName(octet)
        case .body:
            scanner?.take(octet)
            if octet == ASCII.lf { place = .lineStart }
        case .skipping:
            if octet == ASCII.lf { place = .lineStart }
        case .afterCR:
            if octet == ASCII.lf { endSection() } else { place = .skipping }
        case .ended: break
        }
    }

    private mutating func takeLineStart(_ octet: UInt8) {
        switch octet {
        case ASCII.space, ASCII.tab:
            place = scanner == nil ? .skipping : .body
        case ASCII.lf:
            endSection()
        case ASCII.cr:
            endField()
            place = .afterCR
        default:
            endField()
            name.removeAll(keepingCapacity: true)
            isNameTooLong = false
            place = .name
            takeName(octet)
        }
    }

    private mutating func takeName(_ octet: UInt8) {
        switch octet {
        case ASCII.colon where !name.isEmpty:
            beginField()
        case ASCII.space, ASCII.tab:
            // The envelope line of an mbox is no field, yet fields follow it.
            if isFirstLine, ASCII.equal(name, "from") || ASCII.equal(name, ">from") {
                isFirstLine = false
                place = .skipping
            } else {
                place = .blanksAfterName
            }
        case _ where ASCII.isControl(octet) || octet >= 0x80 || octet == ASCII.colon || place == .blanksAfterName:
            endSection()
        default:
            if name.count < SentHeaderReader.longestName { name.append(octet) } else { isNameTooLong = true }
        }
    }

    private mutating func beginField() {
        isFirstLine = false
        isResent = !isNameTooLong && ASCII.equal(name, "resent-message-id")
        let isWanted = isResent || (!isNameTooLong && ASCII.equal(name, "message-id"))
        scanner = isWanted ? MessageIDScanner(limit: 4) : nil
        place = isWanted ? .body : .skipping
    }

    private mutating func endField() {
        guard var scanner else { return }
        self.scanner = nil
        for id in scanner.finish() {
            if isResent {
                if resentIDs.count < SentHeaderReader.idsKept, !resentIDs.contains(id) { resentIDs.append(id) }
            } else if ids.count < SentHeaderReader.idsKept, !ids.contains(id) {
                ids.append(id)
            }
        }
    }

    private mutating func endSection() {
        endField()
        place = .ended
    }
}
