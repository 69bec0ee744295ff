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
    /// The client that handed it over by SMTP, as qmail-smtpd's Received field names it.
    let client: String?
    /// Received fields of other hops than this one, its client's own program and its client's web server: it may be a
    /// stranger's mail that a program of ours sends again (a list, a content filter, a user's `bounce` command).
    let cameFromElsewhere: Bool
    /// Addresses of the Delivered-To fields above the earlier line: qmail-local's, for what a .qmail file sends on.
    let deliveredTo: [Octets]
    let overflowed: Bool

    /// - Parameters:
    ///   - isQueued: qmail-queue has put its line on top; else the mail is still on its way to it.
    ///   - isRemote: qmail-smtpd has put its line on top of the rest. nil: the queue's line tells.
    init(_ octets: Octets, isQueued: Bool = true, isRemote: Bool? = nil) {
        let fields = HeaderFields.named("received", octets)
        let calls = fields.map { QmailHeader.caller(octets[$0.body]) }
        let isOnTop = fields.first?.start == 0
        caller = isQueued ? isOnTop ? calls.first?.flatMap(\.self) ?? .unknown : .unknown : .user
        let earlier = zip(fields, calls).dropFirst(isQueued ? 1 : 0).first { $0.1 != nil }?.0
        let next = isRemote ?? (caller == .network) ? nil : earlier
        wasForwarded = next != nil
        let behindQueue = fields.dropFirst(isQueued ? 1 : 0)
        client = behindQueue.first.flatMap { ReceivedOrigin.address(in: QmailHeader.trimmed(octets[$0.body]).span) }
        cameFromElsewhere = behindQueue.dropFirst(isRemote ?? (caller == .network) ? 1 : 0).contains { field in
            QmailHeader.caller(octets[field.body]) != .user && !QmailHeader.isFromWeb(octets[field.body])
        }
        deliveredTo = HeaderFields.named("delivered-to", octets).filter { $0.start < next?.start ?? 0 }.map { QmailHeader.trimmed(octets[$0.body]) }
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

    /// `… with HTTP; …`: what web applications write above the mail that they make.
    private static func isFromWeb(_ body: ArraySlice<UInt8>) -> Bool {
        body.split(whereSeparator: { $0 <= ASCII.space || $0 == ASCII.semicolon }).contains { ASCII.equal($0, "http") || ASCII.equal($0, "https") }
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

/// Fields of one name of a header section that lies whole in memory.
enum HeaderFields {
    struct Place {
        /// Where its line begins.
        let start: Int
        /// What follows the colon, with folded lines.
        let body: Range<Int>
    }

    /// Up to the end of the section, or of what is there; RFC 5322 2.2. Lines end in LF.
    ///
    /// - Parameter name: in lower case.
    static func named(_ name: StaticString, _ octets: Octets) -> [Place] {
        var places: [Place] = []
        var start = 0
        while start < octets.count {
            var end = octets[start...].firstIndex(of: ASCII.lf) ?? octets.count
            if end == start || octets[start] == ASCII.cr && end == start + 1 { break }
            while end + 1 < octets.count, ASCII.isBlank(octets[end + 1]) { end = octets[(end + 1)...].firstIndex(of: ASCII.lf) ?? octets.count }
            guard let colon = octets[start..<end].firstIndex(of: ASCII.colon) else { break }
            if ASCII.equal(octets[start..<colon], name) { places.append(Place(start: start, body: (colon + 1)..<end)) }
            start = end + 1
        }
        return places
    }
}
