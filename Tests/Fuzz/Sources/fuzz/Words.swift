// What the clients of target `session` say, so that its scripts are short.

enum Words {
    static let lines = [
        "EHLO client.example", "HELO client.example", "MAIL FROM:<>", "MAIL FROM:<ann@example.org>", "MAIL FROM:<bob@client.example> SIZE=10",
        "RCPT TO:<ann@example.org>", "RCPT TO:<bob@example.net>", "RCPT TO:<postmaster@example.org>", "RCPT TO:<prvs=0123abcdef=ann@example.org>",
        "DATA", "RSET", "QUIT", "NOOP", "VRFY ann", "HELP", "AUTH PLAIN AGFubgBzZWNyZXQ=", "AUTH LOGIN", "YW5u", "*", "STARTTLS",
        "XCLIENT ADDR=192.0.2.1", "BDAT 0 LAST", "BDAT 5", "BDAT 5 LAST", "BDAT x", "", "RCPT TO:<ann@example.org>\n", "MAIL FROM:<>\u{0}",
        "DATA x", "ETRN example.org", "EHLO", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2", "MAIL FROM:<MAILER-DAEMON@client.example>",
        "EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>", "EHLO a\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA",
        "XFORWARD ADDR=198.51.100.1 HELO=a+20b", "XFORWARD PORT=x", "XFORWARD ADDR=198.51.100.6\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.net>",
        "XFORWARD ADDR=[UNAVAILABLE]\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nDATA",
    ]

    static let texts = [
        ".\r\n", "\r\n.\r\n", "a\r\n.\r\n", "..\r\n", "\r\n", "\n.\n", "\r.\r", ".", "\r", "\n", "\u{0}", "text\r\n", "Subject: hello\r\n\r\n",
        "Message-ID: <1@example.org>\r\n\r\n", "Message-ID: <2@example.org>\r\nResent-Message-ID: <3@example.org>\r\n\r\ntext\r\n.\r\n",
        """
        From: MAILER-DAEMON@client.example\r
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
        \r
        --b\r
        Content-Type: message/delivery-status\r
        \r
        Final-Recipient: rfc822; bob@example.net\r
        Action: failed\r
        \r
        --b\r
        Content-Type: message/rfc822\r
        \r
        Message-ID: <1@example.org>\r
        From: ann@example.org\r
        \r
        text\r

        """,
        "--b--\r\n.\r\n", "Auto-Submitted: auto-replied\r\nIn-Reply-To: <1@example.org>\r\n\r\nI am away\r\n.\r\n", "..a\r\n.b\r\n",
        String(repeating: "a long line of words ", count: 40) + "\r\n",
    ]
}
