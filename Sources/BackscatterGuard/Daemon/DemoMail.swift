// The mails that the demo plays and what must come of each. The bounces have the forms that qmail, Postfix and Exim give
// theirs; names and addresses are those that RFC 2606 and RFC 5737 set aside.

/// A mail, who sends it, and what guardd must do with it.
struct DemoMail: Sendable {
    /// What must come of it.
    enum Outcome: Sendable, Equatable {
        /// Recorded and passed on.
        case sent
        /// Passed on without a judgement.
        case relayed
        /// Passed on by this reason.
        case delivered(Reason)
        /// 550 by this reason, and nothing of it reaches the upstream.
        case refused(Reason)
    }

    let title: String
    let isOutgoing: Bool
    let reversePath: String
    let forwardPath: String
    /// Lines end in CRLF.
    let content: Octets
    let outcome: Outcome

    init(_ title: String, isOutgoing: Bool = false, from reversePath: String, to forwardPath: String, _ outcome: Outcome, _ text: String) {
        self.title = title
        self.isOutgoing = isOutgoing
        self.reversePath = reversePath
        self.forwardPath = forwardPath
        self.outcome = outcome
        content = Octets(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)
    }
}

/// The demo's cast.
enum DemoCast {
    static let domain = "example.org"
    static let own = "ann@example.org"
    static let failed = "bob@example.net"
    /// Whom the forger wrote to. Ann never did: the pair of her address and Bob's is known by now, and counts for her.
    static let spammed = "dave@example.com"

    /// - Parameter id: Message-ID of the mail that is sent out, without `<>`.
    static func mails(id: String) -> [DemoMail] {
        [
            DemoMail("a mail of \(own), going out", isOutgoing: true, from: own, to: failed, .sent, original(id: id, to: failed)),
            DemoMail("its bounce (Postfix)", from: "", to: own, .delivered(.sent), postfixBounce(of: original(id: id, to: failed), failed: failed)),
            DemoMail("a forged bounce (qmail)", from: "", to: own, .refused(.neverSent), qmailBounce(of: original(id: "q1.forged@example.org", to: spammed), failed: spammed)),
            DemoMail("a forged bounce (Postfix)", from: "", to: own, .refused(.neverSent), postfixBounce(of: original(id: "p2.forged@example.org", to: spammed), failed: spammed)),
            DemoMail("a forged bounce (Exim)", from: "", to: own, .refused(.neverSent), eximBounce(of: original(id: "e3.forged@example.org", to: spammed), failed: spammed)),
            DemoMail("an automatic reply", from: "", to: own, .delivered(.notABounce), automaticReply(to: id)),
            DemoMail("an ordinary mail", from: "carol@example.net", to: own, .relayed, ordinary),
        ]
    }

    private static let date = "Mon, 06 Jul 2026 10:00:00 +0000"

    private static func original(id: String, to recipient: String) -> String {
        """
        From: Ann <\(own)>
        To: <\(recipient)>
        Subject: Lunch on Thursday?
        Date: \(date)
        Message-ID: <\(id)>

        Shall we meet at noon?

        """
    }

    // Rule broken because: longer than 40 lines, but it is one text.
    private static func postfixBounce(of original: String, failed: String) -> String {
        """
        Date: \(date)
        From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
        Subject: Undelivered Mail Returned to Sender
        To: \(own)
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status;
        \tboundary="4f0WqG3Kz1z9s.1783332000/mx.example.net"
        Message-Id: <20260706100000.4f0WqG3Kz1@mx.example.net>

        This is a MIME-encapsulated message.

        --4f0WqG3Kz1z9s.1783332000/mx.example.net
        Content-Description: Notification
        Content-Type: text/plain; charset=us-ascii

        This is the mail system at host mx.example.net.

        I'm sorry to have to inform you that your message could not
        be delivered to one or more recipients. It's attached below.

        <\(failed)>: host mail.example.net[192.0.2.25] said: 550 5.1.1 <\(failed)>:
            Recipient address rejected: User unknown (in reply to RCPT TO command)

        --4f0WqG3Kz1z9s.1783332000/mx.example.net
        Content-Description: Delivery report
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.net
        X-Postfix-Queue-ID: 4f0WqG3Kz1
        X-Postfix-Sender: rfc822; \(own)
        Arrival-Date: \(date)

        Final-Recipient: rfc822; \(failed)
        Action: failed
        Status: 5.1.1
        Remote-MTA: dns; mail.example.net
        Diagnostic-Code: smtp; 550 5.1.1 <\(failed)>: Recipient address rejected: User unknown

        --4f0WqG3Kz1z9s.1783332000/mx.example.net
        Content-Description: Undelivered Message
        Content-Type: message/rfc822

        Return-Path: <\(own)>
        \(original)
        --4f0WqG3Kz1z9s.1783332000/mx.example.net--

        """
    }

    private static func qmailBounce(of original: String, failed: String) -> String {
        """
        Received: (qmail 4711 invoked for bounce); 6 Jul 2026 10:00:00 -0000
        Date: 6 Jul 2026 10:00:00 -0000
        From: MAILER-DAEMON@mail.example.net
        To: \(own)
        Subject: failure notice

        Hi. This is the qmail-send program at mail.example.net.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <\(failed)>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.

        Return-Path: <\(own)>
        Received: (qmail 4709 invoked from network); 6 Jul 2026 09:59:58 -0000
        Received: from unknown (HELO mail.example.org) (198.51.100.66)
          by mail.example.net with SMTP; 6 Jul 2026 09:59:58 -0000
        \(original)
        """
    }

    private static func eximBounce(of original: String, failed: String) -> String {
        """
        X-Failed-Recipients: \(failed)
        Auto-Submitted: auto-replied
        From: Mail Delivery System <Mailer-Daemon@exim.example.net>
        To: \(own)
        Subject: Mail delivery failed: returning message to sender
        Message-Id: <E1w0abc-0001Xy-2B@exim.example.net>
        Date: \(date)

        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its
        recipients. This is a permanent error. The following address(es) failed:

          \(failed)
            Unrouteable address

        ------ This is a copy of the message, including all the headers. ------

        Return-path: <\(own)>
        Received: from [198.51.100.66] (helo=mail.example.org)
        \tby exim.example.net with esmtp (Exim 4.96)
        \t(envelope-from <\(own)>)
        \tid 1w0abc-0001Xx-1A
        \tfor \(failed); \(date)
        \(original)
        """
    }

    private static func automaticReply(to id: String) -> String {
        """
        From: Bob <\(failed)>
        To: \(own)
        Subject: Out of office: Lunch on Thursday?
        Date: \(date)
        Message-ID: <vacation.1@example.net>
        In-Reply-To: <\(id)>
        Auto-Submitted: auto-replied

        I am away until Friday.

        """
    }

    private static let ordinary = """
        From: Carol <carol@example.net>
        To: Ann <\(own)>
        Subject: Minutes
        Date: \(date)
        Message-ID: <minutes.1@example.net>

        The minutes are below.
        .a line that begins with a dot

        """
}
