// Reads ids out of the body of a field, octet by octet, in constant memory however long the field is.
// Comments nest by a counter; a comment or quoted string that never closes is taken as text after all,
// from the first octets that were kept for that case. RFC 5322 3.2.2, 3.6.4, 4.5.4.

/// Finds the ids in one field body: those in `<>`, or else the whole body without white space and comments.
///
/// Quoting is not interpreted within `<>`: a `>` ends the id wherever it stands. Both sides of a comparison do the same.
struct MessageIDScanner: Sendable {
    private enum Place { case outside, comment, quoted, inside }
    private var place = Place.outside
    private var isEscaped = false
    private var depth = 0
    private var current: Octets = []
    private var commentStart = 0
    private var bare: Octets = []
    private var head: Octets = []
    private var found: [MessageID] = []
    private var limit: Int
    private let readsQuoting: Bool
    private static let headKept = MessageID.limit + 64
    private static let usualLength = 96

    /// - Parameter limit: at most so many ids are kept; 1 or more.
    init(limit: Int, readsQuoting: Bool = true) {
        self.limit = limit
        self.readsQuoting = readsQuoting
    }

    /// Begins another field body; the storage stays.
    mutating func restart(limit: Int) {
        self.limit = limit
        if current.capacity == 0 {
            current.reserveCapacity(MessageIDScanner.usualLength)
            bare.reserveCapacity(MessageIDScanner.usualLength)
            head.reserveCapacity(MessageIDScanner.usualLength)
        }
        place = .outside
        isEscaped = false
        depth = 0
        current.removeAll(keepingCapacity: true)
        bare.removeAll(keepingCapacity: true)
        head.removeAll(keepingCapacity: true)
        if !found.isEmpty { found.removeAll() }
    }

    /// The next octet of the body; line ends of folding may be left in.
    mutating func take(_ octet: UInt8) {
        if readsQuoting, head.count < MessageIDScanner.headKept { head.append(octet) }
        step(octet)
    }

    /// The next octets of the body.
    mutating func take(_ octets: Span<UInt8>) {
        if readsQuoting { MessageIDScanner.append(octets, to: &head, limit: MessageIDScanner.headKept) }
        var index = 0
        while index < octets.count {
            guard place != .comment, !isEscaped, MessageIDScanner.isPlain(octets[index]) else {
                step(octets[index])
                index += 1
                continue
            }
            var end = index + 1
            while end < octets.count, MessageIDScanner.isPlain(octets[end]) { end += 1 }
            if place == .inside {
                MessageIDScanner.append(octets.extracting(index..<end), to: &current, limit: MessageID.limit)
            } else {
                MessageIDScanner.append(octets.extracting(index..<end), to: &bare, limit: MessageID.limit)
            }
            index = end
        }
    }

    private mutating func step(_ octet: UInt8) {
        switch place {
        case .outside: takeOutside(octet)
        case .comment: takeComment(octet)
        case .quoted: takeQuoted(octet)
        case .inside: takeInside(octet)
        }
    }

    private static func append(_ octets: Span<UInt8>, to kept: inout Octets, limit: Int) {
        let room = limit - kept.count
        if room > 0 { kept.append(octets.extracting(0..<min(octets.count, room))) }
    }

    /// Whether an octet means nothing but itself: no control, blank, `"`, `(`, `)`, `<`, `>` or backslash.
    private static func isPlain(_ octet: UInt8) -> Bool {
        guard octet < 0x80 else { return true }
        let special: UInt64 = octet < 0x40 ? 0x5000_0305_FFFF_FFFF : 0x8000_0000_1000_0000
        return special >> UInt64(octet & 0x3F) & 1 == 0
    }

    /// A `<` was not followed by its `>` so far.
    var isWithinBrackets: Bool { place == .inside }

    /// Nothing but blanks, comments and the soft break of a text that was encoded once has come so far.
    var isBlank: Bool { place == .outside && found.isEmpty && (bare.isEmpty || bare == [ASCII.equals]) }

    /// Leaves a `=` at the end out: the line that follows goes on without indentation, so it was quoted-printable's soft break.
    mutating func dropSoftBreak() {
        if current.last == ASCII.equals { current.removeLast() }
        if head.last == ASCII.equals { head.removeLast() }
        if bare == [ASCII.equals] { bare.removeAll(keepingCapacity: true) }
    }

    /// No `>` has come so far: the id, if there is one, stands without brackets.
    var isBare: Bool { found.isEmpty && place != .inside }

    /// The ids of the body, in order. The scanner must be restarted before it is used again.
    mutating func finish() -> [MessageID] {
        if place == .inside { keepCurrent() }
        if found.isEmpty, readsQuoting, place == .comment || place == .quoted {
            var plain = MessageIDScanner(limit: limit, readsQuoting: false)
            plain.take(head.span)
            return plain.finish()
        }
        if found.isEmpty, let id = MessageID(scanned: MessageIDScanner.withoutEntities(bare)) { found.append(id) }
        return found
    }

    private mutating func takeOutside(_ octet: UInt8) {
        switch octet {
        case ASCII.less:
            place = .inside
            current.removeAll(keepingCapacity: true)
            depth = 0
        case ASCII.openParenthesis where readsQuoting:
            place = .comment
            depth = 1
        case ASCII.quote where readsQuoting:
            place = .quoted
            append(octet, to: &bare)
        default:
            append(octet, to: &bare)
        }
    }

    private mutating func takeComment(_ octet: UInt8) {
        if isEscaped { isEscaped = false; return }
        switch octet {
        case ASCII.backslash: isEscaped = true
        case ASCII.openParenthesis: depth += 1
        case ASCII.closeParenthesis:
            depth -= 1
            if depth == 0 { place = .outside }
        default: break
        }
    }

    private mutating func takeQuoted(_ octet: UInt8) {
        append(octet, to: &bare)
        if isEscaped { isEscaped = false; return }
        if octet == ASCII.backslash { isEscaped = true }
        if octet == ASCII.quote { place = .outside }
    }

    /// A comment within the brackets is cut out once it closes; until then it may as well be part of the id.
    private mutating func takeInside(_ octet: UInt8) {
        switch octet {
        case ASCII.greater:
            keepCurrent()
            place = .outside
        case ASCII.less where current.isEmpty:
            break
        case ASCII.openParenthesis:
            if depth == 0 { commentStart = current.count }
            depth += 1
            append(octet, to: &current)
        case ASCII.closeParenthesis where depth > 0:
            depth -= 1
            append(octet, to: &current)
            if depth == 0 { current.removeSubrange(commentStart...) }
        default:
            append(octet, to: &current)
        }
    }

    private mutating func keepCurrent() {
        if found.count < limit, let id = MessageID(scanned: current.span.copied()) { found.append(id) }
        current.removeAll(keepingCapacity: true)
    }

    private func append(_ octet: UInt8, to octets: inout Octets) {
        guard octet > ASCII.space, octet != ASCII.del, octets.count < MessageID.limit else { return }
        octets.append(octet)
    }

    /// Text bounces made from web pages write the brackets as `&lt;` and `&gt;`.
    private static func withoutEntities(_ octets: Octets) -> Octets {
        var rest = octets[...]
        if rest.count > 4, ASCII.equal(rest.prefix(4), "&lt;") { rest = rest.dropFirst(4) }
        if let end = rest.firstIndex(of: 0x26), ASCII.equal(rest[end...].prefix(4), "&gt;") { rest = rest[..<end] }
        return Octets(rest)
    }
}
