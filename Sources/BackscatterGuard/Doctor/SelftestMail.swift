// The three mails of a selftest. Whoever finds one in a mailbox is told what it is; none makes anything answer it (RFC 3834).

/// Texts of a selftest, and the ids that they carry.
struct SelftestMail: Sendable {
    /// Whose bounces these seem to be: RFC 2606.
    static let host = "example.net"

    let from: String
    let to: String
    /// Of the probe, and of the mail that was never sent.
    let id: String
    let forgedID: String
    private let forgedTo: String
    private let date: String

    /// - Parameter tag: random, so that no id was ever seen before.
    init(from: String, to: String, hostname: String, tag: String, at now: Int64) {
        (self.from, self.to) = (from, to)
        id = "guardd-selftest.\(now).\(tag)@\(hostname)"
        forgedID = "guardd-selftest.\(now).\(String(tag.reversed()))x@\(hostname)"
        forgedTo = "guardd-selftest-\(tag)@\(SelftestMail.host)"
        date = SelftestMail.date(now)
    }

    var messageID: MessageID? { MessageID(Octets(id.utf8)) }
    var forgedMessageID: MessageID? { MessageID(Octets(forgedID.utf8)) }

    /// The mail that goes out. Lines end in LF.
    var probe: String { head(id: id, to: to) + "\nguardd looks whether mail that leaves here is recorded. Nobody has to do anything about it.\n" }
    var genuineBounce: Octets { bounce("genuine", of: head(id: id, to: to), failed: to) }
    var forgedBounce: Octets { bounce("forged", of: head(id: forgedID, to: forgedTo), failed: forgedTo) }

    private func head(id: String, to: String) -> String {
        """
        From: <\(from)>
        To: <\(to)>
        Subject: guardd selftest, safe to delete
        Date: \(date)
        Message-ID: <\(id)>
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: text/plain; charset=us-ascii

        """
    }

    /// RFC 3464 in RFC 6522, the original's header returned.
    private func bounce(_ kind: String, of header: String, failed: String) -> Octets {
        let text = """
            Date: \(date)
            From: MAILER-DAEMON@\(SelftestMail.host) (guardd selftest)
            To: <\(from)>
            Subject: guardd selftest, a \(kind) bounce, safe to delete
            Message-ID: <\(kind).\(id)>
            Auto-Submitted: auto-replied
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status; boundary="=_selftest"

            --=_selftest

            This is no real failure: guardd plays a \(kind) bounce to itself.

            --=_selftest
            Content-Type: message/delivery-status

            Reporting-MTA: dns; \(SelftestMail.host)

            Final-Recipient: rfc822; \(failed)
            Action: failed
            Status: 5.1.1

            --=_selftest
            Content-Type: text/rfc822-headers

            \(header)
            --=_selftest--

            """
        return SelftestMail.wire(text)
    }

    /// With CRLF.
    static func wire(_ text: String) -> Octets { Octets(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8) }

    /// `Sun, 22 Nov 2026 05:23:00 +0000`: RFC 5322 3.3.
    static func date(_ time: Int64) -> String {
        let text = UTC.text(time)
        let parts = text.split { !$0.isNumber }
        guard parts.count == 6, let month = Int(parts[1]), (1...12).contains(month) else { return text }
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = days[Int((time / Day.seconds) % 7)]
        return "\(day), \(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]):\(parts[4]):\(parts[5]) +0000"
    }
}
