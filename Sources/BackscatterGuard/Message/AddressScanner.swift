// Finds mail addresses in text and in field bodies. No grammar of lists: every `local@domain` counts, in or out of `<>`,
// for the texts that name failed recipients obey none. RFC 5322 3.4.1 for what an address is made of.

enum AddressScanner {
    /// RFC 5321 4.5.3.1.3 allows 254; some more for what is written around it.
    static let longest = 320

    /// The addresses in order.
    ///
    /// - Parameter limit: further ones are left out.
    /// - Complexity: O(text.count), for every octet is looked at once to the left and once to the right of an `@`.
    static func addresses(in text: Span<UInt8>, atMost limit: Int = 64) -> [Octets] {
        var found: [Octets] = []
        var floor = 0
        var quoteFloor = 0
        var index = 0
        while found.count < limit, let at = text.firstIndex(of: ASCII.at, from: index) {
            let start = localStart(text, at: at, floor: floor, quoteFloor: &quoteFloor)
            let end = domainEnd(text, at: at)
            index = at + 1
            guard start < at, end > index, end - start <= longest else { continue }
            found.append(cleaned(text, start, end))
            floor = end
            index = end
        }
        return found
    }

    /// The address of a report field: `rfc822; address`, or whatever stands there.
    ///
    /// Source: RFC 3464 2.3.1, 2.3.2.
    static func reported(_ body: Span<UInt8>) -> Octets? {
        var start = 0
        var end = body.count
        if let semicolon = body.firstIndex(of: ASCII.semicolon), semicolon < body.lastIndex(of: ASCII.at, in: 0..<end) ?? end {
            start = semicolon + 1
        }
        while start < end, body[start] <= ASCII.space { start += 1 }
        while end > start, body[end - 1] <= ASCII.space { end -= 1 }
        if start < end, body[start] == ASCII.less, let close = body.lastIndex(of: ASCII.greater, in: start..<end) {
            start += 1
            end = close
        }
        // RFC 5321 4.1.2: a source route is no part of the address.
        if start < end, body[start] == ASCII.at, let colon = body.lastIndex(of: ASCII.colon, in: start..<end) { start = colon + 1 }
        guard start < end, end - start <= longest else { return nil }
        let address = body.extracting(start..<end)
        if address[0] != ASCII.quote {
            for index in 0..<address.count where address[index] <= ASCII.space || address[index] == ASCII.semicolon || address[index] == ASCII.less {
                return addresses(in: address, atMost: 1).first
            }
        }
        return address.copied()
    }

    /// - Parameter quoteFloor: before it no quotation mark opens: each octet is searched for one but once.
    private static func localStart(_ text: Span<UInt8>, at: Int, floor: Int, quoteFloor: inout Int) -> Int {
        var start = at
        if start > floor, text[start - 1] == ASCII.quote {
            start -= 1
            let lowest = max(floor, quoteFloor)
            while start > lowest, at - start < longest {
                start -= 1
                if text[start] == ASCII.quote, start == floor || text[start - 1] != ASCII.backslash { return start }
            }
            quoteFloor = at - 1
            return at
        }
        while start > floor, at - start < longest, isLocal(text[start - 1]) { start -= 1 }
        return start
    }

    private static func domainEnd(_ text: Span<UInt8>, at: Int) -> Int {
        var end = at + 1
        while end < text.count, end - at < 260, isDomain(text[end]) { end += 1 }
        while end > at + 1, text[end - 1] == ASCII.dot || text[end - 1] == ASCII.hyphen { end -= 1 }
        return end
    }

    /// Without what texts put before an address: `SMTP=`, `'`.
    private static func cleaned(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Octets {
        var first = start
        if end - first > 5, text.spells("smtp=", at: first) { first += 5 }
        if end - first > 7, text.spells("rfc822=", at: first) { first += 7 }
        if end - first > 3, text.spells("to=", at: first) { first += 3 }
        if text[first] == 0x27, end < text.count, text[end] == 0x27 { first += 1 }
        return text.extracting(first..<end).copied()
    }

    private static func isLocal(_ octet: UInt8) -> Bool {
        if ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet >= 0x80 { return true }
        switch octet {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D...0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: return true
        default: return false
        }
    }

    private static func isDomain(_ octet: UInt8) -> Bool {
        ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet >= 0x80
            || octet == ASCII.hyphen || octet == ASCII.dot || octet == 0x5F || octet == 0x23
    }
}

extension Span where Element == UInt8 {
    /// The last place of `octet` in `range`.
    fileprivate func lastIndex(of octet: UInt8, in range: Range<Int>) -> Int? {
        var index = range.upperBound
        while index > range.lowerBound {
            index -= 1
            if self[index] == octet { return index }
        }
        return nil
    }
}
