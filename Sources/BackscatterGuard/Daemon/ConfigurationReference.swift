// The documents that the table of options generates: the commented configuration file, the reference page and the manual
// page. Nothing in them is written by hand; a test compares the files in the tree with what is generated.

/// The generated documents.
public enum ConfigurationReference: String, Sendable, CaseIterable {
    /// config/guardd.toml: every option commented out, with its default.
    case toml
    /// docs/reference/guardd.toml.md
    case markdown
    /// docs/metrics.md
    case metrics
    /// guardd.toml(5)
    case man

    public var text: String {
        switch self {
        case .toml: Self.toml()
        case .markdown: Self.markdown()
        case .metrics: Metrics.page
        case .man: Self.manual()
        }
    }

    /// What stands above all options in both.
    static let introduction = [
        "An option that isn't written has its default. Keys at the top come first, then [[listener]], [[certificate]], [[source]], [actions], [domain.\"...\"], [address.\"...\"].",
        "Durations are written \"300s\", \"500ms\", \"5m\", \"4h\", \"10d\", sizes \"256KiB\", \"64MiB\", \"1GiB\"; a plain integer counts seconds or octets.",
        "An unknown key or a bad value is an error with its key path, and guardd does not start (exit status 78). `guardd check` tells beforehand.",
        "SIGHUP reads the file again; one that is wrong changes nothing. Flags of `guardd run` win over the file.",
        "Without --config, \(Configuration.standardFile) is read if neither --listen nor --upstream is given.",
    ]

    /// A part below the top: how its table is headed, and its options.
    struct Part {
        let header: String
        let prose: [String]
        let rows: [Row]
    }

    /// An option without its target's type.
    struct Row {
        let key, type, range, sample, prose: String
        let standard: String?

        init<Target>(_ option: ConfigurationOption<Target>) {
            key = option.key
            type = option.type
            range = option.range
            sample = option.sample
            prose = option.prose
            standard = option.standard
        }
    }

    static let parts: [Part] = [
        Part(
            header: "[[listener]]", prose: ["An address of guardd's own. Once for each; one at least."], rows: Options.listener.map { Row($0) }),
        Part(
            header: "[[certificate]]",
            prose: [
                "A certificate for clients. Once for each; several go by the names they cover (SNI), RSA and ECDSA for one name side by side.",
                "The first is for clients that name no server. A changed file is taken within seconds, without a restart; a bad one changes nothing.",
            ],
            rows: Options.certificate.map { Row($0) }),
        Part(
            header: "[[source]]",
            prose: [
                "A log of a mail server, from which guardd learns what was sent. Once for each: docs/sources.md.",
                "With one, coverage counts from the start, as it does where guardd records outgoing mail itself.",
            ],
            rows: Options.source.map { Row($0) }),
        Part(
            header: "[actions]",
            prose: [
                "What is done for each reason. \"deliver\": the notification goes on unchanged. \"mark\": it goes on with an X-Guardd-Verdict field.",
                "\"defer\": 451, the other side tries again. \"refuse\": 550. (\"divert\", to a review mailbox, isn't available yet.)",
            ],
            rows: Options.actions.map { Row($0) }),
        Part(
            header: "[domain.\"example.org\"]",
            prose: [
                "Settings of one domain, or with a leading dot of all below it; the narrowest that says something wins. The domain has to be protected too.",
                "Actions of its own: actions = { undecided = \"mark\" }, with the keys of [actions].",
            ],
            rows: Options.domain.map { Row($0) }),
        Part(
            header: "[address.\"ann@example.org\"]",
            prose: [
                "Actions of one recipient, narrower than any domain's: actions = { never_sent = \"mark\" }. Also found for ann+anything (recipient_delimiter).",
                "postmaster is never judged, whatever stands here.",
            ],
            rows: []),
    ]
}
