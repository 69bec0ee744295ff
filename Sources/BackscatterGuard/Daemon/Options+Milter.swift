// The table of options, part of the milter: whose mail is outgoing there, and who may ask.

extension Options {
    static let milter = OptionGroup<Configuration>(
        title: "Milter",
        prose: "For [[listener]] with protocol = \"milter\": docs/milter.md.",
        options: [
            .list(
                "milter_outgoing_daemons", \.milterOutgoingDaemons, standard: fresh.milterOutgoingDaemons, sample: ["ORIGINATING"],
                expected: "a name of at most 100 printable ASCII characters, as \"ORIGINATING\"",
                """
                Mail of the mail server's services that are called so ({daemon_name}) is outgoing: Postfix, in master.cf, \
                -o milter_macro_daemon_name=ORIGINATING; Sendmail, Name= in DaemonPortOptions. Outgoing besides: mail of users that \
                have authenticated, local mail of Postfix (pickup), and clients in outgoing_networks.
                """
            ) { text in
                let isPrintable = text.utf8.allSatisfy { $0 > ASCII.space && $0 < ASCII.del }
                return isPrintable && (1...100).contains(text.utf8.count) ? text : nil
            },
            networks(
                "milter_clients", \.milterClients, sample: ["192.0.2.10"],
                "Mail servers on other machines that may use a milter listener. This machine's always may. Who may connect there can make a Message-ID count as sent."),
            .duration(
                "milter_timeout", \.milterTimeout, of: fresh, in: .seconds(1)...(.seconds(86_400)),
                "For the mail server's next word on a milter connection. It has to outlast the pauses of SMTP clients; the default is libmilter's."),
        ]
    )

    static let milterListener: [ConfigurationOption<ListenerDraft>] = [
        .choice(
            "protocol", \.kind, of: ListenerDraft(),
            """
            "smtp": SMTP, in front of the mail server. "milter": the mail server itself asks, as Postfix's smtpd_milters. \
            Its address may be a Unix socket too, "unix:/run/guardd/milter.sock"; "inet:" before an address may be there or not.
            """
        ),
        .text(
            "socket_mode", standard: "\"0660\"", sample: "0660", expected: "permission bits as an octal text, \"0600\" to \"0777\"",
            "Of a Unix socket. Who may write to it may connect."
        ) { text, target in
            target.socketMode = text.utf8.allSatisfy(ASCII.isDigit) && (3...4).contains(text.utf8.count) ? UInt32(text, radix: 8) : nil
            return target.socketMode.map { $0 & 0o600 == 0o600 && $0 <= 0o777 } ?? false
        },
        .text(
            "socket_group", standard: nil, sample: "postfix", expected: "the name of a group",
            "Group of a Unix socket. guardd must be in it, unless it runs as root."
        ) { text, target in
            target.socketGroup = text
            return !text.isEmpty
        }.standard("guardd's own", sample: "\"postfix\""),
    ]
}
