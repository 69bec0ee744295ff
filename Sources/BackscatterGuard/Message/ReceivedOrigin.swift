// The address of the client that a Received field names: the last one in its from-clause that is no HELO argument,
// for there every MTA writes what it saw itself. RFC 5321 4.4.

import Glibc

enum ReceivedOrigin {
    /// - Parameter body: a Received field's body, unfolded or not.
    /// - Returns: an IPv4 or IPv6 address in its usual spelling, nil when the clause holds none.
    static func address(in body: Octets) -> String? {
        guard ASCII.equal(body.prefix(4), "from") else { return nil }
        var last: String?
        var index = 4
        var wordStart = 4
        while index <= body.count {
            if index < body.count, isAddressOctet(body[index]) { index += 1; continue }
            let word = body[wordStart..<index]
            if word.count == 2, ASCII.equal(word, "by"), last != nil || index > 24 { break }
            if let address = spelled(word), !isHelo(body, before: wordStart) { last = address }
            index += 1
            wordStart = index
        }
        return last
    }

    private static func spelled(_ word: ArraySlice<UInt8>) -> String? {
        var word = word
        guard word.count >= 3, word.count <= 50 else { return nil }
        if word.count > 5, ASCII.equal(word.prefix(5), "ipv6:") { word = word.dropFirst(5) }
        guard word.contains(ASCII.dot) || word.contains(ASCII.colon) else { return nil }
        return canonical(String(decoding: word, as: UTF8.self))
    }

    /// `helo=` or `HELO ` just before the address: the client's own claim.
    private static func isHelo(_ body: Octets, before start: Int) -> Bool {
        var rest = body[..<start]
        while let last = rest.last, last == 0x5B || last == ASCII.equals || last == ASCII.space || last == 0x3F { rest.removeLast() }
        let word = rest.suffix(4)
        return ASCII.equal(word, "helo") || ASCII.equal(word, "ehlo")
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
