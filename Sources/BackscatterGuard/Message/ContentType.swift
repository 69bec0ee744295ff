// Content-Type, read leniently: what matters is which parts may carry a returned mail, and where parts end.
// RFC 2045 5.1, RFC 2046 5.1, RFC 2231 3 (boundaries in pieces), RFC 6522, RFC 6532.

/// What a reader of notifications needs of a Content-Type field.
struct ContentType: Sendable, Equatable {
    enum Media: Sendable, Equatable {
        case multipart
        /// message/rfc822, message/global: a whole mail.
        case message
        /// text/rfc822-headers, message/global-headers: a header section.
        case headers
        case deliveryStatus, disposition, feedbackReport
        /// application/ms-tnef: Exchange's own wrapping.
        case tnef
        /// Pictures, sound, film: nothing to read.
        case opaque
        case html
        case text
    }

    /// RFC 2046 allows 70; hostile mail tries more. Longer ones are not tracked.
    static let longestBoundary = 2048

    var media = Media.text
    var isReport = false
    /// Lower case; empty when there is none.
    var reportType: Octets = []
    /// nil: not a multipart, or it names no boundary.
    var boundary: Octets?
    var isBoundaryTooLong = false

    init() {}

    /// - Parameter body: the field's body, unfolded or not.
    init(_ body: Octets) {
        let clean = body.contains(ASCII.openParenthesis) ? ContentType.withoutComments(body) : body
        var index = 0
        let type = ContentType.token(clean, &index, upTo: { $0 == ASCII.semicolon || $0 <= ASCII.space || $0 == ASCII.comma })
        media = ContentType.media(of: type)
        isReport = ASCII.equal(type, "multipart/report")
        readParameters(clean, from: index)
        if media != .multipart { boundary = nil }
    }

    private mutating func readParameters(_ text: Octets, from start: Int) {
        var index = start
        while index < text.count {
            let octet = text[index]
            guard octet > ASCII.space, octet != ASCII.semicolon, octet != ASCII.comma else { index += 1; continue }
            let name = ContentType.token(text, &index, upTo: { $0 == ASCII.equals || $0 == ASCII.semicolon || $0 <= ASCII.space })
            while index < text.count, ASCII.isBlank(text[index]) { index += 1 }
            guard index < text.count, text[index] == ASCII.equals else { continue }
            index += 1
            let value = ContentType.value(text, &index)
            take(parameter: ASCII.lowercased(name), value)
        }
    }

    private mutating func take(parameter name: Octets, _ value: Octets) {
        if ASCII.equal(name, "boundary"), boundary == nil {
            boundary = value
        } else if ASCII.equal(name.prefix(9), "boundary*") {
            boundary = (boundary ?? []) + value
        } else if ASCII.equal(name, "report-type") {
            reportType = ASCII.lowercased(value)
        }
        while let last = boundary?.last, ASCII.isBlank(last) { boundary?.removeLast() }
        if let count = boundary?.count, count == 0 || count > ContentType.longestBoundary {
            isBoundaryTooLong = count > 0
            boundary = nil
        }
    }

    private static func media(of type: Octets) -> Media {
        switch type.first.map(ASCII.lowercase) {
        case 0x6D: return messageMedia(of: type)
        case 0x74:
            let isHeaders = ASCII.equal(type, "text/rfc822-headers") || ASCII.equal(type, "text/rfc822-header") || ASCII.equal(type, "text/rfc822")
            if isHeaders { return .headers }
            return ASCII.equal(type, "text/html") ? .html : .text
        case 0x61:
            if ASCII.equal(type, "application/ms-tnef") { return .tnef }
            return ASCII.equal(type.prefix(6), "audio/") ? .opaque : .text
        default:
            return ASCII.equal(type.prefix(6), "image/") || ASCII.equal(type.prefix(6), "video/") ? .opaque : .text
        }
    }

    private static func messageMedia(of type: Octets) -> Media {
        if ASCII.equal(type.prefix(10), "multipart/") { return .multipart }
        if ASCII.equal(type, "message/rfc822") || ASCII.equal(type, "message/global") || ASCII.equal(type, "message/news") {
            return .message
        }
        if ASCII.equal(type, "message/global-headers") || ASCII.equal(type, "message/rfc822-headers") { return .headers }
        if ASCII.equal(type, "message/delivery-status") || ASCII.equal(type, "message/global-delivery-status") {
            return .deliveryStatus
        }
        if ASCII.equal(type, "message/disposition-notification") || ASCII.equal(type, "message/global-disposition-notification") {
            return .disposition
        }
        return ASCII.equal(type, "message/feedback-report") ? .feedbackReport : .text
    }

    private static func token(_ text: Octets, _ index: inout Int, upTo ends: (UInt8) -> Bool) -> Octets {
        while index < text.count, text[index] <= ASCII.space { index += 1 }
        let start = index
        while index < text.count, !ends(text[index]) { index += 1 }
        return Octets(text[start..<index])
    }

    private static func value(_ text: Octets, _ index: inout Int) -> Octets {
        while index < text.count, text[index] <= ASCII.space { index += 1 }
        guard index < text.count, text[index] == ASCII.quote else {
            return token(text, &index, upTo: { $0 == ASCII.semicolon || $0 <= ASCII.space })
        }
        index += 1
        var value: Octets = []
        while index < text.count, text[index] != ASCII.quote {
            if text[index] == ASCII.backslash, index + 1 < text.count { index += 1 }
            if text[index] != ASCII.cr, text[index] != ASCII.lf { value.append(text[index]) }
            index += 1
        }
        index += 1
        return value
    }

    /// Cuts comments out, depth counted; one that never closes is left in. A boundary often holds `(` or `"` legally quoted.
    static func withoutComments(_ body: Octets) -> Octets {
        var clean: Octets = []
        var depth = 0, isQuoted = false, start = 0, index = 0
        while index < body.count {
            let octet = body[index]
            if octet == ASCII.backslash, isQuoted || depth > 0 {
                clean.append(contentsOf: body[index..<min(index + 2, body.count)])
                index += 2
                continue
            }
            if octet == ASCII.quote, depth == 0 { isQuoted.toggle() }
            if octet == ASCII.openParenthesis, !isQuoted {
                if depth == 0 { start = clean.count }
                depth += 1
            }
            clean.append(octet)
            if octet == ASCII.closeParenthesis, depth > 0 {
                depth -= 1
                if depth == 0 { clean.removeSubrange(start...) }
            }
            index += 1
        }
        return clean
    }
}
