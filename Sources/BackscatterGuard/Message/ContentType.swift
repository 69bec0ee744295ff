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

    /// What a multipart/report reports.
    enum Report: Sendable, Equatable {
        /// The field does not say it.
        case unnamed
        case deliveryStatus, disposition, feedback, other
    }

    /// RFC 2046 allows 70; hostile mail tries more. Longer ones are not tracked.
    static let longestBoundary = 2048

    var media = Media.text
    /// nil: no multipart/report.
    var report: Report?
    /// nil: not a multipart, or it names no boundary.
    var boundary: Octets?
    var isBoundaryTooLong = false

    /// A part of that type may be a returned mail, or carry one: it is no group of report fields.
    var mayReturn: Bool {
        switch media {
        case .deliveryStatus, .disposition, .feedbackReport: false
        case .multipart, .message, .headers, .tnef, .opaque, .html, .text: true
        }
    }

    init() {}

    /// - Parameter body: the field's body, unfolded or not.
    init(_ body: Span<UInt8>) {
        if body.firstIndex(of: ASCII.openParenthesis) == nil {
            read(body)
        } else {
            read(ContentType.withoutComments(body).span)
        }
    }

    private mutating func read(_ text: Span<UInt8>) {
        var index = 0
        let type = text.extracting(ContentType.token(text, &index, ends: ASCII.semicolon, ASCII.comma))
        media = ContentType.media(of: type)
        // Of the parameters only those of a multipart matter.
        guard media == .multipart else { return }
        if type.count == 16, type.spells("multipart/report") { report = .unnamed }
        readParameters(text, from: index)
    }

    private mutating func readParameters(_ text: Span<UInt8>, from start: Int) {
        var index = start
        while index < text.count {
            let octet = text[index]
            guard octet > ASCII.space, octet != ASCII.semicolon, octet != ASCII.comma else { index += 1; continue }
            let name = ContentType.token(text, &index, ends: ASCII.equals, ASCII.semicolon)
            index = text.skippingBlanks(from: index)
            guard index < text.count, text[index] == ASCII.equals else { continue }
            index += 1
            readValue(of: text.extracting(name), text, &index)
        }
    }

    private mutating func readValue(of name: Span<UInt8>, _ text: Span<UInt8>, _ index: inout Int) {
        if name.count == 8, boundary == nil, name.spells("boundary") {
            var value: Octets = []
            ContentType.value(text, &index, into: &value)
            take(boundary: value)
        } else if name.count >= 9, name.spells("boundary*") {
            var value = boundary ?? []
            boundary = nil
            ContentType.value(text, &index, into: &value)
            take(boundary: value)
        } else if report != nil, name.count == 11, name.spells("report-type") {
            var value: Octets = []
            ContentType.value(text, &index, into: &value)
            report = ContentType.report(value.span)
        } else {
            ContentType.skipValue(text, &index)
        }
    }

    private mutating func take(boundary value: consuming Octets) {
        while let last = value.last, ASCII.isBlank(last) { value.removeLast() }
        if value.isEmpty || value.count > ContentType.longestBoundary {
            isBoundaryTooLong = !value.isEmpty
        } else {
            boundary = value
        }
    }

    private static func report(_ type: Span<UInt8>) -> Report {
        let all = 0..<type.count
        if all.isEmpty { return .unnamed }
        if type.spells("delivery-status", in: all) { return .deliveryStatus }
        if type.spells("disposition-notification", in: all) { return .disposition }
        return type.spells("feedback-report", in: all) ? .feedback : .other
    }

    private static func media(of type: Span<UInt8>) -> Media {
        let all = 0..<type.count
        switch type.octet(at: 0).map(ASCII.lowercase) {
        case 0x6D: return messageMedia(of: type)
        case 0x74:
            if type.spells("text/html", in: all) { return .html }
            let isHeaders = type.spells("text/rfc822-headers", in: all) || type.spells("text/rfc822-header", in: all) || type.spells("text/rfc822", in: all)
            return isHeaders ? .headers : .text
        case 0x61:
            if type.spells("application/ms-tnef", in: all) { return .tnef }
            return type.spells("audio/") ? .opaque : .text
        default:
            return type.spells("image/") || type.spells("video/") ? .opaque : .text
        }
    }

    private static func messageMedia(of type: Span<UInt8>) -> Media {
        if type.spells("multipart/") { return .multipart }
        guard type.spells("message/") else { return .text }
        let rest = 8..<type.count
        if type.spells("rfc822", in: rest) || type.spells("global", in: rest) || type.spells("news", in: rest) { return .message }
        if type.spells("global-headers", in: rest) || type.spells("rfc822-headers", in: rest) { return .headers }
        if type.spells("delivery-status", in: rest) || type.spells("global-delivery-status", in: rest) { return .deliveryStatus }
        if type.spells("disposition-notification", in: rest) || type.spells("global-disposition-notification", in: rest) {
            return .disposition
        }
        return type.spells("feedback-report", in: rest) ? .feedbackReport : .text
    }

    /// The octets up to a blank, a control or one of the two that end it.
    private static func token(_ text: Span<UInt8>, _ index: inout Int, ends one: UInt8, _ other: UInt8) -> Range<Int> {
        while index < text.count, text[index] <= ASCII.space { index += 1 }
        let start = index
        while index < text.count, text[index] > ASCII.space, text[index] != one, text[index] != other { index += 1 }
        return start..<index
    }

    private static func value(_ text: Span<UInt8>, _ index: inout Int, into value: inout Octets) {
        while index < text.count, text[index] <= ASCII.space { index += 1 }
        guard text.octet(at: index) == ASCII.quote else {
            value.append(text.extracting(token(text, &index, ends: ASCII.semicolon, ASCII.semicolon)))
            return
        }
        index += 1
        // Nearly always there is nothing to unquote.
        let rest = text.extracting(index..<text.count)
        let quoted = rest.extracting(0..<(rest.firstIndex(of: ASCII.quote) ?? rest.count))
        if quoted.firstIndex(of: ASCII.backslash) == nil, quoted.firstIndex(of: ASCII.cr) == nil, quoted.firstIndex(of: ASCII.lf) == nil {
            value.append(quoted)
            index = min(index + quoted.count + 1, text.count)
            return
        }
        while index < text.count, text[index] != ASCII.quote {
            if text[index] == ASCII.backslash, index + 1 < text.count { index += 1 }
            if text[index] != ASCII.cr, text[index] != ASCII.lf { value.append(text[index]) }
            index += 1
        }
        index = min(index + 1, text.count)
    }

    /// A value that nobody asks for.
    private static func skipValue(_ text: Span<UInt8>, _ index: inout Int) {
        while index < text.count, text[index] <= ASCII.space { index += 1 }
        guard text.octet(at: index) == ASCII.quote else {
            _ = token(text, &index, ends: ASCII.semicolon, ASCII.semicolon)
            return
        }
        index += 1
        while index < text.count, text[index] != ASCII.quote { index += text[index] == ASCII.backslash ? 2 : 1 }
        index = min(index + 1, text.count)
    }

    /// Cuts comments out, depth counted; one that never closes is left in. A boundary often holds `(` or `"` legally quoted.
    static func withoutComments(_ body: Span<UInt8>) -> Octets {
        var clean: Octets = []
        clean.reserveCapacity(body.count)
        var depth = 0, isQuoted = false, start = 0, index = 0
        while index < body.count {
            let octet = body[index]
            if octet == ASCII.backslash, isQuoted || depth > 0 {
                clean.append(body.extracting(index..<min(index + 2, body.count)))
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
