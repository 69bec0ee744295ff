// Content of DATA as the sink reads it: one plain machine, octet by octet, that shares no code with guardd's own scanner.
// So what the sink keeps is a second opinion on where a message ended and what was in it.

/// Finds CRLF.CRLF and removes the stuffed dots. RFC 5321 4.1.1.4, 4.5.2.
struct SinkContent: Sendable {
    private enum State { case lineStart, inLine, afterCR, afterDot, afterDotCR }

    private var state = State.lineStart
    private let limit: Int
    private(set) var octets = Octets()
    /// Octets of content, also of those beyond the limit, which are not kept.
    private(set) var count = 0

    /// - Parameter limit: octets that are kept.
    init(limit: Int) { self.limit = limit }

    var isTooLarge: Bool { count > limit }

    /// - Returns: the index behind the end of data; nil when all of the span is content.
    mutating func read(_ span: Span<UInt8>, from start: Int) -> Int? {
        for index in start..<span.count {
            if take(span[index]) { return index + 1 }
        }
        return nil
    }

    /// A piece of a chunk: RFC 3030 knows no dots.
    mutating func append(_ span: Span<UInt8>) {
        for index in span.indices { keep(span[index]) }
    }

    /// - Returns: whether the octet ends the content.
    private mutating func take(_ octet: UInt8) -> Bool {
        switch (state, octet) {
        case (.lineStart, ASCII.dot):
            state = .afterDot
            return false
        case (.afterDot, ASCII.cr):
            state = .afterDotCR
            return false
        case (.afterDotCR, ASCII.lf):
            return true
        case (.afterDotCR, _):
            keep(ASCII.cr)
            state = octet == ASCII.cr ? .afterCR : .inLine
        case (.afterCR, ASCII.lf):
            state = .lineStart
        case (_, ASCII.cr):
            state = .afterCR
        default:
            state = .inLine
        }
        keep(octet)
        return false
    }

    private mutating func keep(_ octet: UInt8) {
        count += 1
        if count <= limit { octets.append(octet) }
    }
}
