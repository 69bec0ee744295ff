// What the header section of a mail in qmail's queue tells about where it began. The first line is qmail-queue's own and
// says who called it; a sender can't put anything above it. MTA-FACTS 1.2, 1.5.

/// Read from the first octets of the queue file.
struct QmailHeader {
    /// Octets that are read; a header section that is larger is not known whole.
    static let limit = 102_400

    enum Caller: Equatable {
        /// `by uid N`: a user's program, or his .qmail file.
        case user
        /// `from network`.
        case network
        case alias
        case bounce
        /// The first line is none of qmail-queue's.
        case unknown
    }

    let caller: Caller
    /// The ids that count: all of them, or, where the mail had been in a queue of qmail's before, those above the line that
    /// this queue wrote: a stranger may have chosen what is below.
    let messageIDs: [MessageID]
    /// Whoever chose them.
    let allMessageIDs: [MessageID]
    /// It had been in a queue of qmail's before: a .qmail file or a program sent it on.
    let wasForwarded: Bool
    /// The client that the second Received field names, under `from network`.
    let client: String?
    let overflowed: Bool

    /// - Parameter isQueued: qmail-queue has put its line on top; else the mail is still on its way to it.
    init(_ octets: Octets, isQueued: Bool = true) {
        let fields = HeaderFields.received(octets)
        let calls = fields.map { QmailHeader.caller(octets[$0.body]) }
        let isOnTop = fields.first?.start == 0
        caller = isQueued ? isOnTop ? calls.first?.flatMap(\.self) ?? .unknown : .unknown : .user
        let earlier = zip(fields, calls).dropFirst(isQueued ? 1 : 0).first { $0.1 != nil }?.0
        let next = caller == .network ? nil : earlier
        wasForwarded = next != nil
        client = fields.count > 1 ? ReceivedOrigin.address(in: QmailHeader.trimmed(octets[fields[1].body]).span) : nil
        messageIDs = QmailHeader.ids(octets[..<(next?.start ?? octets.count)]).ids
        (allMessageIDs, overflowed) = QmailHeader.ids(octets[...])
    }

    private static func ids(_ octets: ArraySlice<UInt8>) -> (ids: [MessageID], overflowed: Bool) {
        var reader = SentHeaderReader(limit: limit)
        reader.read(octets.span)
        let overflowed = !reader.isComplete && octets.count >= limit
        reader.finish()
        return (reader.messageIDs, overflowed)
    }

    private static func trimmed(_ body: ArraySlice<UInt8>) -> Octets { Octets(body.drop(while: ASCII.isBlank)) }

    /// `(qmail 123 invoked by uid 1000); date`, from the beginning of a field's body; nil for any other.
    private static func caller(_ body: ArraySlice<UInt8>) -> Caller? {
        var rest = body.drop(while: ASCII.isBlank)
        guard rest.starts(with: Octets("(qmail ".utf8)) else { return nil }
        rest = rest.dropFirst(7)
        let digits = rest.prefix(while: ASCII.isDigit)
        rest = rest.dropFirst(digits.count)
        guard !digits.isEmpty, rest.starts(with: Octets(" invoked ".utf8)) else { return nil }
        rest = rest.dropFirst(9)
        if rest.starts(with: Octets("from network)".utf8)) { return .network }
        if rest.starts(with: Octets("by alias)".utf8)) { return .alias }
        if rest.starts(with: Octets("for bounce)".utf8)) { return .bounce }
        guard rest.starts(with: Octets("by uid ".utf8)) else { return nil }
        rest = rest.dropFirst(7)
        let uid = rest.prefix(while: ASCII.isDigit)
        return !uid.isEmpty && rest.dropFirst(uid.count).first == ASCII.closeParenthesis ? .user : nil
    }
}

/// Received fields of a header section that lies whole in memory.
enum HeaderFields {
    struct Place {
        /// Where its line begins.
        let start: Int
        /// What follows the colon, with folded lines.
        let body: Range<Int>
    }

    /// Up to the end of the section, or of what is there; RFC 5322 2.2. Lines end in LF.
    static func received(_ octets: Octets) -> [Place] {
        var places: [Place] = []
        var start = 0
        while start < octets.count {
            var end = octets[start...].firstIndex(of: ASCII.lf) ?? octets.count
            if end == start || octets[start] == ASCII.cr && end == start + 1 { break }
            while end + 1 < octets.count, ASCII.isBlank(octets[end + 1]) { end = octets[(end + 1)...].firstIndex(of: ASCII.lf) ?? octets.count }
            guard let colon = octets[start..<end].firstIndex(of: ASCII.colon) else { break }
            if ASCII.equal(octets[start..<colon], "received") { places.append(Place(start: start, body: (colon + 1)..<end)) }
            start = end + 1
        }
        return places
    }
}
