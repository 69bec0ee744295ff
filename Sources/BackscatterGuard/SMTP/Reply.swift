// Replies that guardd makes itself. Upstream's own pass as octets and never become a Reply.

/// An answer to the client: RFC 5321 4.2.
public struct Reply: Sendable, Equatable {
    /// 200...559.
    public let code: Int
    /// nil where RFC 2034 forbids one: greeting, HELO, EHLO, 354 and other 3xx.
    public let status: EnhancedStatusCode?
    /// Never empty; each without code and line end. May hold anything: it is washed when it becomes octets.
    public let lines: [String]

    /// - Parameter code: 200...559, with the class of `status`.
    /// - Parameter text: one entry a line; none gives one line without text.
    public init(_ code: Int, _ status: EnhancedStatusCode?, _ text: String...) {
        self.init(code, status, lines: text)
    }

    /// The same for lines that are counted at run time only.
    public init(_ code: Int, _ status: EnhancedStatusCode?, lines: [String]) {
        precondition((200...559).contains(code) && (status.map { $0.class == code / 100 } ?? true), "reply \(code) \(status.map(\.description) ?? "-")")
        self.code = code
        self.status = status
        self.lines = lines.isEmpty ? [""] : lines
    }

    /// The form on the wire: every line with code and status, `-` in all but the last, CRLF.
    ///
    /// Octets outside printable ASCII stand as `?`, so that no text of a stranger makes a line of its own. A line is cut
    /// at 512 octets with its CRLF.
    ///
    /// Source: RFC 5321 4.2.1, 4.5.3.1.5; RFC 2034 4.
    public var octets: Octets {
        var wire = Octets()
        for (index, line) in lines.enumerated() {
            let start = wire.count
            wire += Octets("\(code)".utf8)
            wire.append(index == lines.count - 1 ? ASCII.space : ASCII.hyphen)
            if let status { wire += Octets("\(status) ".utf8) }
            for octet in line.utf8.prefix(512) {
                wire.append(octet < ASCII.space || octet >= ASCII.del ? 0x3F : octet)
            }
            let excess = wire.count - start - 510
            if excess > 0 { wire.removeLast(excess) }
            wire += [ASCII.cr, ASCII.lf]
        }
        return wire
    }
}
