// Mail that left without a Message-ID may have got one from the MTA behind us, made of its queue id. All that we
// know then is the queue id in its 250. These are the forms in which the MTAs make ids of it.

/// Queue ids and the Message-IDs that MTAs make of them.
enum QueueID {
    private static let lengths = 6...40

    /// The queue ids that an id may have been made of; few, most likely first, empty for nearly all ids.
    ///
    /// Source: Postfix cleanup(8) `<YYYYMMDDhhmmss.QID@host>`, with enable_long_queue_ids `<QID@host>`;
    /// sendmail `<YYYYMMDDhhmm.QID@host>`; Exim `<E1xUyJc-0005wW-1W@host>`, since 4.97 `<E1xUyJc-00000005wWz-1W00@host>`.
    static func candidates(in id: MessageID) -> [Octets] {
        guard let at = id.octets.lastIndex(of: ASCII.at), at > 0 else { return [] }
        let local = id.octets[..<at]
        if local.first == 0x45, isExim(local.dropFirst()) { return [Octets(local.dropFirst())] }
        if let dot = local.firstIndex(of: ASCII.dot) {
            let stamp = local[..<dot], rest = local[(dot + 1)...]
            guard stamp.count == 14 || stamp.count == 12, stamp.allSatisfy(ASCII.isDigit), isPlain(rest) else { return [] }
            return [Octets(rest)]
        }
        return isPlain(local) || isRelays(local) ? [Octets(local)] : []
    }

    /// As `0102018f2b7c1a2b-3c4d5e6f-…-000000`: the local part of the ids that Amazon SES gives, told in its 250.
    private static func isRelays(_ octets: ArraySlice<UInt8>) -> Bool {
        guard (20...128).contains(octets.count), octets.contains(ASCII.hyphen) else { return false }
        return octets.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.hyphen || $0 == 0x5F }
    }

    private static func isPlain(_ octets: ArraySlice<UInt8>) -> Bool {
        lengths.contains(octets.count) && octets.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) }
    }

    private static func isExim(_ octets: ArraySlice<UInt8>) -> Bool {
        let parts = octets.split(separator: ASCII.hyphen, omittingEmptySubsequences: false)
        guard parts.map(\.count) == [6, 6, 2] || parts.map(\.count) == [6, 11, 4] else { return false }
        return parts.joined().allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) }
    }
}
