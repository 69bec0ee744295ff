// Where strangers' mail that is forwarded takes the same way as our own (Postfix's relayhost), only what began here may be
// recorded: a stranger chose the id of the rest. The MTA in front, which hands the mail to guardd, tells by its Received
// field where it has it from. RFC 5321 4.4; forms of Postfix, Exim, sendmail.

/// What a listener records of outgoing mail.
public enum RecordRule: String, Sendable, CaseIterable {
    /// All of it.
    case all
    /// What has a reverse-path in a protected domain, and of which the Received fields show that it began here.
    case own
}

/// Reads Received fields from the newest down, as long as each is known to be our own MTA's.
enum ReceivedTrace {
    private enum Hop {
        /// Somebody who logged in, or a program on the machine.
        case submitted
        /// From a client at that address; `isWeb`: by a program that has it from a web form.
        case client(PeerAddress, isWeb: Bool)
        /// The MTA has it from itself: forwarded mail that it queued anew.
        case requeued
        case unknown
    }

    /// - Parameters:
    ///   - received: bodies, newest first.
    ///   - isOwn: whether a client's address is in `outgoing_networks`.
    /// - Returns: true also for mail without any Received field: no server of a stranger's has had it.
    static func beganHere(_ received: [Octets], isOwn: (PeerAddress) -> Bool) -> Bool {
        var isFromLoopback = true
        for body in received {
            switch hop(body.span) {
            case .submitted: return true
            case .client(let address, let isWeb):
                // What this machine handed to itself (a content filter, a web mailer) has its origin in the field below.
                if isWeb, isFromLoopback || isOwn(address) { return true }
                isFromLoopback = address.text == "127.0.0.1" || address.text == "::1"
                if !isFromLoopback { return isOwn(address) }
            case .requeued: isFromLoopback = false
            case .unknown: return false
            }
        }
        return isFromLoopback
    }

    private static func hop(_ body: Span<UInt8>) -> Hop {
        let words = topWords(body)
        let isFrom = words.first.map { body.spells("from", in: $0) } ?? false
        let by = words.dropFirst(isFrom ? 2 : 0).firstIndex { body.spells("by", in: $0) }
        guard let by else { return holds(body, "/submit)") ? .submitted : .unknown }
        let tail = words[by...]
        let with = tail.firstIndex { body.spells("with", in: $0) }.flatMap { $0 + 1 < tail.endIndex ? tail[$0 + 1] : nil }
        let protocolName = with.map { ASCII.lowercased(body.extracting($0).copied()) } ?? []
        if isSubmission(protocolName) { return .submitted }
        guard isFrom else { return holds(body, ", from userid ") || holds(body, "/submit)") ? .submitted : .requeued }
        guard let address = ReceivedOrigin.address(in: body.extracting(words[0].lowerBound..<body.count)).flatMap({ PeerAddress($0) })
        else { return .unknown }
        return .client(address, isWeb: ASCII.equal(protocolName, "http") || ASCII.equal(protocolName, "https"))
    }

    /// RFC 3848: `A` for a client that logged in; `local` of Exim.
    private static func isSubmission(_ name: Octets) -> Bool {
        ["esmtpa", "esmtpsa", "utf8smtpa", "utf8smtpsa", "lmtpa", "lmtpsa", "utf8lmtpa", "utf8lmtpsa", "local", "local-esmtpa"]
            .contains { Octets($0.utf8) == name }
    }

    /// Words outside of comments, up to the date: a HELO name is one word, so nothing of a client's can be more than the
    /// second of them.
    private static func topWords(_ body: Span<UInt8>) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var depth = 0
        var start: Int?
        for index in 0...body.count {
            let octet = body.octet(at: index) ?? ASCII.space
            let isWordOctet = depth == 0 && !ASCII.isBlank(octet) && octet != ASCII.openParenthesis && octet != ASCII.closeParenthesis && octet != ASCII.semicolon
            if isWordOctet {
                if start == nil { start = index }
                continue
            }
            if let begun = start { words.append(begun..<index) }
            start = nil
            if octet == ASCII.openParenthesis { depth += 1 }
            if octet == ASCII.closeParenthesis { depth = max(0, depth - 1) }
            if octet == ASCII.semicolon, depth == 0 { break }
        }
        return words
    }

    private static func holds(_ body: Span<UInt8>, _ text: StaticString) -> Bool {
        (0..<max(0, body.count - text.utf8CodeUnitCount + 1)).contains { body.spells(text, at: $0) }
    }
}

extension SMTPSession {
    /// Whether this mail is to be recorded on a listener with `records = "own"`.
    func isOwnMail(_ transaction: MailTransaction) -> Bool {
        guard records == .own else { return true }
        guard settings.policy.protects(transaction.reversePath) else { return false }
        return ReceivedTrace.beganHere(transaction.received.bodies) { client in settings.networks.outgoing.contains { $0.contains(client) } }
    }
}
