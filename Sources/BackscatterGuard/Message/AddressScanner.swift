// Finds mail addresses in text and in field bodies. No grammar of lists: every `local@domain` counts, in or out of `<>`,
// for the texts that name failed recipients obey none. RFC 5322 3.4.1 for what an address is made of.

enum AddressScanner {
    /// RFC 5321 4.5.3.1.3 allows 254; some more for what is written around it.
    static let longest = 320

    /// The addresses in order.
    ///
    /// - Parameter limit: further ones are left out.
    /// - Complexity: O(text.count), for every octet is looked at once to the left and once to the right of an `@`.
    static func addresses(in text: some RandomAccessCollection<UInt8>, atMost limit: Int = 64) -> [Octets] {
        let text = Octets(text)
        var found: [Octets] = []
        var floor = 0
        var index = 0
        while index < text.count, found.count < limit {
            guard text[index] == ASCII.at else { index += 1; continue }
            let start = localStart(text, at: index, floor: floor)
            let end = domainEnd(text, at: index)
            index += 1
            guard start < index - 1, end > index, end - start <= longest else { continue }
            found.append(cleaned(text, start, end))
            floor = end
            index = end
        }
        return found
    }

    /// The address of a report field: `rfc822; address`, or whatever stands there.
    ///
    /// Source: RFC 3464 2.3.1, 2.3.2.
    static func reported(_ body: Octets) -> Octets? {
        var rest = body[...]
        if let semicolon = rest.firstIndex(of: ASCII.semicolon), semicolon < rest.lastIndex(of: ASCII.at) ?? rest.endIndex {
            rest = rest[(semicolon + 1)...]
        }
        while let first = rest.first, first <= ASCII.space { rest.removeFirst() }
        while let last = rest.last, last <= ASCII.space { rest.removeLast() }
        if rest.first == ASCII.less, let close = rest.lastIndex(of: ASCII.greater) { rest = rest[(rest.startIndex + 1)..<close] }
        // RFC 5321 4.1.2: a source route is no part of the address.
        if rest.first == ASCII.at, let colon = rest.lastIndex(of: ASCII.colon) { rest = rest[(colon + 1)...] }
        guard !rest.isEmpty, rest.count <= longest else { return nil }
        if rest.first != ASCII.quote, rest.contains(where: { $0 <= ASCII.space || $0 == ASCII.semicolon || $0 == ASCII.less }) {
            return addresses(in: rest, atMost: 1).first
        }
        return Octets(rest)
    }

    private static func localStart(_ text: Octets, at: Int, floor: Int) -> Int {
        var start = at
        if start > floor, text[start - 1] == ASCII.quote {
            start -= 1
            while start > floor, at - start < longest {
                start -= 1
                if text[start] == ASCII.quote, start == floor || text[start - 1] != ASCII.backslash { return start }
            }
            return at
        }
        while start > floor, at - start < longest, isLocal(text[start - 1]) { start -= 1 }
        return start
    }

    private static func domainEnd(_ text: Octets, at: Int) -> Int {
        var end = at + 1
        while end < text.count, end - at < 260, isDomain(text[end]) { end += 1 }
        while end > at + 1, text[end - 1] == ASCII.dot || text[end - 1] == ASCII.hyphen { end -= 1 }
        return end
    }

    /// Without what texts put before an address: `SMTP=`, `'`.
    private static func cleaned(_ text: Octets, _ start: Int, _ end: Int) -> Octets {
        var address = text[start..<end]
        for prefix in ["smtp=", "rfc822=", "to="] where address.count > prefix.utf8.count {
            if address.prefix(prefix.utf8.count).map(ASCII.lowercase).elementsEqual(prefix.utf8) {
                address = address.dropFirst(prefix.utf8.count)
            }
        }
        if address.first == 0x27, end < text.count, text[end] == 0x27 { address = address.dropFirst() }
        return Octets(address)
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
