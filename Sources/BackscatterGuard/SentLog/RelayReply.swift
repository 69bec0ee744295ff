// Some relays give mail a Message-ID of their own and tell it in their 250 only: Amazon SES, and others. The bounce then
// brings that id. Asked of relays that the administrator names: any other server could plant an id this way.

enum RelayReply {
    private static let tokenLengths = 10...128

    /// The id that a relay's reply tells.
    ///
    /// `250 Ok 0102018f2b7c1a2b-3c4d…-000000` (the local part of the id to come), `250 2.0.0 Ok: queued as 7B8D6F7817B`,
    /// `250 2.6.0 <id@host> [InternalId=…] Queued mail for delivery`.
    ///
    /// - Parameter reply: the text of the reply, with its code.
    /// - Returns: an entry with nothing but that id; nil when it tells none.
    static func entry(_ reply: Span<UInt8>) -> SentEntry? {
        guard reply.count > 4, reply.isWord("250", at: 0) else { return nil }
        if let open = reply.firstIndex(of: ASCII.less), let close = reply.firstIndex(of: ASCII.greater, from: open) {
            let id = MessageID(reply.extracting(open..<close + 1).copied())
            return id.map { SentEntry(ids: [$0], keepsPairs: false) }
        }
        var index = 3
        var sawOK = false
        while index < reply.count {
            while index < reply.count, !isTokenOctet(reply[index]) { index += 1 }
            let start = index
            while index < reply.count, isTokenOctet(reply[index]) { index += 1 }
            let token = start..<index
            if reply.spells("ok", in: token) {
                sawOK = true
            } else if sawOK, isID(reply.extracting(token)) {
                return SentEntry(ids: [], queueID: reply.extracting(token).copied(), keepsPairs: false)
            }
        }
        return nil
    }

    /// Words of a sentence have no digits; a lone number is too short to be anybody's.
    private static func isID(_ token: Span<UInt8>) -> Bool {
        var hasDigit = false
        for index in 0..<token.count where ASCII.isDigit(token[index]) { hasDigit = true }
        return hasDigit && tokenLengths.contains(token.count)
    }

    private static func isTokenOctet(_ octet: UInt8) -> Bool {
        ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == ASCII.hyphen || octet == 0x5F || octet == ASCII.dot
    }
}
