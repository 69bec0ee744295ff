// The table of options, third part: the sent log, content, and everything that bounds a client.

extension Options {
    private static let day = Duration.seconds(86_400)

    static let sentLog = OptionGroup<Configuration>(
        title: "Sent log",
        prose: "What was sent, so that a bounce of it is known when it comes.",
        options: [
            .text(
                "state_dir", standard: TOMLText.text(fresh.stateDirectory), sample: fresh.stateDirectory, expected: "the path of a folder",
                "Where the sent log and its key live. The folder belongs to the user guardd runs as; the key is made with the log and must be kept with it."
            ) { text, target in
                target.stateDirectory = text
                return !text.isEmpty
            },
            .duration(
                "bounce_window", \.bounceWindow, of: fresh, in: .seconds(3_600)...(day * 366),
                "How long after a mail its bounce may come: 5 days in the mail's queue and 5 in the bounce's. Only if the sent log is complete so far back, an unknown id is refused."),
            .duration(
                "retention", \.retention, of: fresh, in: day...(day * 3_660),
                "How long a record is kept. At least bounce_window + 7 days."),
            .choice(
                "record_pairs", \.recordPairs, of: fresh,
                """
                A bounce whose ids are not known is delivered if its recipient has written to the address that failed. \
                "without_id" remembers that for mail that left without a Message-ID; "always" for all mail: write it if a relay \
                behind your mail server gives outgoing mail another Message-ID (Amazon SES and others), or its bounces are refused.
                """),
            .choice(
                "record_failure", \.recordFailure, of: fresh,
                "When an outgoing mail can't be recorded (disk full): \"tempfail\" refuses it for now; \"pass\" lets it go and leaves a hole in the sent log's coverage."),
        ]
    )

    static let content = OptionGroup<Configuration>(
        title: "Content",
        prose: "",
        options: [
            .word(
                "bare_line_endings", standard: nil,
                """
                CR or LF alone in content: "pass" leaves them as they are, "refuse" answers 451 4.6.0 as qmail does. \
                What another server might take for the end of data is refused either way.
                """
            ) { word, target in target.bareLineEndings = word }
                .standard("\"refuse\" if the upstream is a program, else \"pass\"", sample: "\"pass\""),
            .size(
                "hold_limit", \.holdLimit, of: fresh, in: (4 << 10)...(64 << 20),
                "How much of one notification is held back. A larger one streams to the upstream while it is read on, and can be refused still."),
            .size(
                "hold_total_limit", \.holdTotalLimit, of: fresh, in: (64 << 10)...(16 << 30),
                "The same for all notifications together: at this sum the largest one streams on. At least hold_limit."),
        ]
    )

    static let limits = OptionGroup<Configuration>(
        title: "Limits",
        prose: "Each as the option of Postfix that it names, which begins with smtpd_. 0: no limit. See docs/limits.md.",
        options: [
            .integer(
                "max_connections", \.maxConnections, of: fresh, in: 0...1_000_000,
                "Client connections at a time; more are answered 421. Each takes two descriptors. 0: no limit."),
            .integer(
                "max_connections_per_client", \.maxConnectionsPerClient, of: fresh, in: 0...1_000_000,
                """
                The same for one client, as client_connection_count_limit. Loopback counts as any other address: raise it where local \
                programs or tests open many. Clients in exempt_clients, outgoing_networks, proxy_clients and xforward_clients are not counted here, nor in client_connection_rate_limit.
                """),
            .integer(
                "client_connection_rate_limit", \.clientConnectionRateLimit, of: fresh, in: 0...1_000_000,
                "New connections that one client may make in a minute; more are answered 421."),
            .integer(
                "client_ipv4_prefix_length", \.clientIPv4Prefix, of: fresh, in: 0...32,
                "Addresses that are alike in so many bits are one client."),
            .integer(
                "client_ipv6_prefix_length", \.clientIPv6Prefix, of: fresh, in: 0...128,
                "The same for IPv6: one host mostly has a whole /64."),
            .integer(
                "soft_error_limit", \.softErrorLimit, of: fresh, in: 0...1_000_000,
                "Commands of a session that guardd refused, without delivering mail, before each further one waits for error_sleep_time."),
            .duration(
                "error_sleep_time", \.errorSleepTime, of: fresh, in: .seconds(0)...(.seconds(60)),
                "How long."),
            .integer(
                "hard_error_limit", \.hardErrorLimit, of: fresh, in: 0...1_000_000,
                "Such commands before the session is closed with 421. While more than three quarters of max_connections are taken: 1."),
            .integer(
                "junk_command_limit", \.junkCommandLimit, of: fresh, in: 0...1_000_000,
                "NOOP, RSET, VRFY, EXPN, ETRN, HELP, HELO and EHLO without delivering mail before each further one counts as refused. While more than three quarters of max_connections are taken: 1."),
            .integer(
                "recipient_limit", \.recipientLimit, of: fresh, in: 0...1_000_000,
                "Recipients of one message; more are answered 452, and the client sends them another one."),
            .integer(
                "recipient_overshoot_limit", \.recipientOvershootLimit, of: fresh, in: 0...1_000_000,
                "Recipients that are put off so before each further one counts as refused."),
        ]
    )

    private static let deadline = Duration.milliseconds(100)...(day)

    static let deadlines = OptionGroup<Configuration>(
        title: "Deadlines",
        prose: "The defaults for the upstream are those of RFC 5321, 4.5.3.2.",
        options: [
            .duration(
                "client_command_timeout", \.timeouts.clientCommand, of: fresh, in: deadline,
                "For a whole command of a client, however slowly it trickles in."),
            .duration(
                "client_timeout_stress", \.timeouts.clientStress, of: fresh, in: deadline,
                "The same under stress: from when more than three quarters of max_connections are taken until only half are."),
            .duration(
                "tls_handshake_timeout", \.timeouts.handshake, of: fresh, in: deadline,
                "For a client's TLS handshake; under stress client_timeout_stress holds. Then the connection is closed."),
            .duration(
                "client_content_timeout", \.timeouts.clientContent, of: fresh, in: deadline,
                "For the content of a message, and a second more for each client_content_rate octets of it: slow large mail lives, trickling dies."),
            .integer(
                "client_content_rate", \.timeouts.contentRate, of: fresh, in: 1...1_000_000_000,
                "Octets a second that a client must keep up on average."),
            .duration("upstream_connect_timeout", \.timeouts.upstreamConnect, of: fresh, in: deadline, "For the connection to an upstream; then the next one is tried."),
            .duration("upstream_greeting_timeout", \.timeouts.upstreamGreeting, of: fresh, in: deadline, "For the upstream's 220."),
            .duration("upstream_command_timeout", \.timeouts.upstreamCommand, of: fresh, in: deadline, "For its replies to EHLO, MAIL, RCPT and the like."),
            .duration("upstream_data_timeout", \.timeouts.upstreamData, of: fresh, in: deadline, "For its 354 to DATA."),
            .duration("upstream_content_timeout", \.timeouts.upstreamContent, of: fresh, in: deadline, "For it to take a further part of the content."),
            .duration(
                "upstream_end_timeout", \.timeouts.upstreamEnd, of: fresh, in: deadline,
                "For its reply to the end of content. Too short a time makes duplicates (RFC 1047)."),
            .duration("stop_timeout", \.stopTimeout, of: fresh, in: .seconds(0)...(day), "After SIGTERM, for open transactions to come to an end."),
            .duration(
                "handover_timeout", \.handoverTimeout, of: fresh, in: deadline,
                "After SIGUSR2, for the new guardd to serve; then it is ended, and the old one serves on."),
        ]
    )
}
