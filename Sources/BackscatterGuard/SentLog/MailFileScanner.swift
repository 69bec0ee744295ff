// Finds the mails in a file and the ids in each: one mail (.eml, a file of a Maildir) or many (mbox).
// Streaming; of a mail only the header section is read. RFC 4155 for the mbox form.

/// Reads one file in any division and tells the ids of each mail.
///
/// A file that begins with `From ` is an mbox; a line that begins so after an empty line begins the next mail.
struct MailFileScanner {
    private enum Kind { case unknown, mail, mbox }
    private enum Place {
        /// So many octets of `From ` have been seen at the beginning of this line.
        case separator(Int)
        /// In the separator line itself.
        case envelope
        case line
    }

    private static let separator = Octets("From ".utf8)

    private var kind = Kind.unknown
    private var place = Place.separator(0)
    private var isLineEmpty = true
    private var reader = SentHeaderReader()

    /// - Parameter mail: called for each mail that has ended, with its ids; empty when it has none.
    mutating func read(_ chunk: Span<UInt8>, _ mail: ([MessageID]) -> Void) {
        var index = 0
        while index < chunk.count {
            if kind == .mail {
                reader.read(chunk.extracting(index..<chunk.count))
                return
            }
            switch place {
            case .separator(let seen):
                takeSeparator(chunk[index], seen, mail)
                if case .line = place { continue }               // the octet is content: it is read again as such
                index += 1
            case .envelope:
                guard let end = chunk.firstIndex(of: ASCII.lf, from: index) else { return }
                index = end + 1
                beginLine(afterEmpty: false)
            case .line:
                let end = chunk.firstIndex(of: ASCII.lf, from: index).map { $0 + 1 } ?? chunk.count
                takeLine(chunk.extracting(index..<end))
                index = end
            }
        }
    }

    mutating func finish(_ mail: ([MessageID]) -> Void) {
        if case .separator(let seen) = place, seen > 0 { feedSeparator(seen) }
        if kind != .unknown { end(mail) }
    }

    private mutating func takeSeparator(_ octet: UInt8, _ seen: Int, _ mail: ([MessageID]) -> Void) {
        guard octet == MailFileScanner.separator[seen] else {
            if kind == .unknown { kind = .mail }
            place = .line
            isLineEmpty = seen == 0
            feedSeparator(seen)
            return
        }
        guard seen + 1 == MailFileScanner.separator.count else {
            place = .separator(seen + 1)
            return
        }
        if kind == .mbox { end(mail) }
        kind = .mbox
        place = .envelope
    }

    /// What looked like a separator was content.
    private mutating func feedSeparator(_ count: Int) {
        if kind == .unknown { kind = .mail }
        let octets = Octets(MailFileScanner.separator.prefix(count))
        reader.read(octets.span)
    }

    private mutating func takeLine(_ part: Span<UInt8>) {
        if !reader.isComplete { reader.read(part) }
        let isEnded = part[part.count - 1] == ASCII.lf
        for index in 0..<min(part.count, 2) where part[index] != ASCII.cr && part[index] != ASCII.lf { isLineEmpty = false }
        if part.count > 2 { isLineEmpty = false }
        if isEnded { beginLine(afterEmpty: isLineEmpty) }
    }

    private mutating func beginLine(afterEmpty: Bool) {
        isLineEmpty = true
        place = afterEmpty ? .separator(0) : .line
    }

    private mutating func end(_ mail: ([MessageID]) -> Void) {
        reader.finish()
        mail(reader.messageIDs)
        reader = SentHeaderReader()
    }
}
