// Who took part in the hop that a Received field describes. The client's address: the last one in its from-clause that
// is no HELO argument, for there every MTA writes what it saw itself. The server's name: its by-clause. RFC 5321 4.4.

import Glibc

enum ReceivedOrigin {
    /// - Parameter body: a Received field's body, unfolded or not.
    /// - Returns: an IPv4 or IPv6 address in its usual spelling, nil when the clause holds none.
    static func address(in body: Span<UInt8>) -> String? {
        guard body.spells("from") else { return nil }
        var last: String?
        var index = 4
        var wordStart = 4
        while index <= body.count {
            if index < body.count, isAddressOctet(body[index]) { index += 1; continue }
            if index - wordStart == 2, body.spells("by", at: wordStart), last != nil || index > 24 { break }
            if let address = spelled(body.extracting(wordStart..<index)), !isHelo(body, before: wordStart) { last = address }
            index += 1
            wordStart = index
        }
        return last
    }

    /// - Parameter body: a Received field's body, unfolded or not.
    /// - Returns: the name behind the first `by` that is a word outside comments, in lower case and without a trailing
    ///   dot; nil without one.
    static func host(in body: Span<UInt8>) -> Octets? {
        var depth = 0
        var index = 0
        var isBehindBy = false
        while index < body.count {
            let octet = body[index]
            if octet == 0x28 { depth += 1 } else if octet == 0x29 { depth = max(0, depth - 1) }
            guard depth == 0, isAddressOctet(octet) || octet == 0x5F else { index += 1; continue }
            let start = index
            while index < body.count, isAddressOctet(body[index]) || body[index] == 0x5F { index += 1 }
            if isBehindBy {
                var name = ASCII.lowercased(body.extracting(start..<index).copied())
                while name.last == ASCII.dot { name.removeLast() }
                return name.isEmpty || name.count > 253 ? nil : name
            }
            isBehindBy = index - start == 2 && body.spells("by", at: start)
        }
        return nil
    }

    private static func spelled(_ given: Span<UInt8>) -> String? {
        guard given.count >= 3, given.count <= 50 else { return nil }
        let word = given.count > 5 && given.spells("ipv6:") ? given.extracting(5..<given.count) : given
        return mayBeAddress(word) ? canonical(String(decoding: word.copied(), as: UTF8.self)) : nil
    }

    /// Nearly all words are names; the C library need not be asked about these.
    private static func mayBeAddress(_ word: Span<UInt8>) -> Bool {
        var hasDot = false, hasColon = false, hasLetter = false
        for index in 0..<word.count {
            switch word[index] {
            case 0x30...0x39: continue
            case 0x61...0x66, 0x41...0x46: hasLetter = true
            case ASCII.dot: hasDot = true
            case ASCII.colon: hasColon = true
            default: return false
            }
        }
        return hasColon || (hasDot && !hasLetter)
    }

    /// `helo=` or `HELO ` just before the address: the client's own claim.
    private static func isHelo(_ body: Span<UInt8>, before start: Int) -> Bool {
        var end = start
        while end > 0, body[end - 1] == 0x5B || body[end - 1] == ASCII.equals || body[end - 1] == ASCII.space || body[end - 1] == 0x3F { end -= 1 }
        return end >= 4 && (body.spells("helo", at: end - 4) || body.spells("ehlo", at: end - 4))
    }

    private static func isAddressOctet(_ octet: UInt8) -> Bool {
        ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == ASCII.dot || octet == ASCII.colon || octet == ASCII.hyphen
    }

    /// The C library's reading decides what is an address.
    private static func canonical(_ text: String) -> String? {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 { return text }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard unsafe inet_ntop(AF_INET6, &six, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
