// The table of options: the logs that guardd follows.

extension Options {
    static let source: [ConfigurationOption<SourceDraft>] = [
        .choice("type", \.kind, of: SourceDraft(), "What it is: \"log\", the log of a mail server."),
        .word("format", standard: nil, "Whose log it is.") { word, target in target.format = word },
        .text(
            "path", standard: nil, sample: "/var/log/mail.log", expected: "the path of a file",
            "The log. It may be rotated, by renaming or by copying and truncating; guardd goes on where it was after a stop."
        ) { text, target in
            target.path = text
            return text.hasPrefix("/") && !text.hasSuffix("/")
        },
        .boolean(
            "journal", \.isJournal, of: SourceDraft(),
            "Instead of path: the log is the systemd journal. guardd's user must be allowed to read it (group systemd-journal)."),
        .text(
            "journalctl", standard: nil, sample: "/usr/bin/journalctl", expected: "the path of a program",
            "Where journalctl is, if neither /usr/bin nor /bin. guardd runs it as its own user, without a shell."
        ) { text, target in
            target.journalctl = text
            return text.hasPrefix("/") && !text.hasSuffix("/")
        },
        .list(
            "networks", \.networks, standard: [], sample: ["127.0.0.0/8", "192.0.2.0/24"], expected: "a network, as \"192.0.2.0/24\" or \"2001:db8::/32\"",
            """
            Clients of that mail server whose mail begins here, besides outgoing_networks: mail by a client that neither authenticated \
            nor is in one of these is a stranger's. Write no network in which a content filter hands strangers' mail back, unless it tells \
            the first queue id (docs/sources.md).
            """
        ) { ConfigurationAddress.network($0) },
        .list(
            "sender_domains", \.senderDomains, standard: [], sample: ["lan.example.org", ".lan.example.org"], expected: "a domain, or .domain for those below it",
            """
            Mail of local programs and of those networks is recorded if its reverse-path is in a protected domain or in one of these, \
            which a later hop rewrites (Postfix: smtp_generic_maps): its bounces come back to an address of ours.
            """
        ) { DomainPattern($0.utf8) },
        .list(
            "relay_ids", \.relayIDs, standard: [], sample: ["*.amazonaws.com"], expected: "the name of a relay, as \"smtp.example.net\" or \"*.example.net\"",
            """
            Relays that give mail a Message-ID of their own and tell it in their 250 only (Amazon SES and others). That id is recorded too. \
            Write no server that is not yours: it could make any id count as sent.
            """
        ) { text in
            let name = text.hasPrefix("*.") ? String(text.dropFirst(2)) : text
            return ConfigurationAddress.isHostName(name) ? text : nil
        },
    ]
}

/// A `[[source]]` while it is read.
struct SourceDraft: Sendable {
    var kind = Configuration.Source.Kind.log
    var format: MTALogFormat?
    var path: String?
    var isJournal = false
    var journalctl: String?
    var networks: [Network] = []
    var senderDomains: [DomainPattern] = []
    var relayIDs: [String] = []
}
