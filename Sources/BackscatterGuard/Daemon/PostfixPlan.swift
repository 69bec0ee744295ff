// What Postfix needs for a position: made from guardd's configuration and from what Postfix does at present, without
// touching anything. docs/positions.md and docs/milter.md have the same lines in prose.

struct PostfixPlan {
    let configuration: Configuration
    let facts: PostfixFacts
    /// Services of master.cf that take mail from outside, as `smtp/inet`; empty: found by their ports.
    var outside: [String] = []
    private(set) var edits: [PostfixEdit] = []
    /// What has to be known or done besides.
    private(set) var notes: [String] = []

    init(_ position: SetupPosition, _ configuration: Configuration, _ facts: PostfixFacts, outside: [String] = []) throws(SetupError) {
        self.configuration = configuration
        self.facts = facts
        self.outside = outside
        for id in outside where facts.service(id) == nil { throw SetupError("--service \(id): master.cf has no such service; postconf -M lists them") }
        switch position {
        case .front: try front()
        case .beforeQueue: try beforeQueue()
        case .milter: try milter()
        case .log: try log()
        }
    }

    mutating func add(_ edit: PostfixEdit) { edits.append(edit) }
    mutating func note(_ text: String) { notes.append(text) }

    /// An option, unless the service has that very one. Another value that a person chose is not overwritten.
    mutating func set(_ name: String, _ value: String, on service: PostfixFacts.Service, orElse remedy: String) throws(SetupError) {
        if let present = service.options[name], present != value {
            throw SetupError("\(service.name) \(service.type) in master.cf has -o \(name)=\(present) already; \(remedy)")
        }
        if service.options[name] == nil { add(.option(id: service.id, name: name, value: value)) }
    }

    // MARK: The log

    mutating func log() throws(SetupError) {
        let sources = configuration.sources.filter { $0.format == .postfix }
        guard !sources.isEmpty else {
            throw SetupError("guardd.toml has no [[source]] for Postfix; write [[source]], format = \"postfix\" and path = \"/var/log/mail.log\", or journal = true")
        }
        try addMissingHeaders()
        for source in sources {
            if source.isJournal {
                note("guardd reads the journal: its user must be in the group systemd-journal (usermod -aG systemd-journal guardd).")
            } else {
                note("guardd must be able to read \(source.path): usermod -aG adm guardd, where that is its group (docs/sources.md, Permissions).")
            }
            if !source.isJournal, facts.parameter("maillog_file") == source.path {
                note("Postfix makes \(source.path) itself, with mode 0600: setfacl -d -m u:guardd:r on its folder, or let syslog write the log.")
            }
        }
        if configuration.publicListeners.isEmpty { note("Nothing stands in the way of incoming mail: forged bounces are refused only in another position as well.") }
    }

    /// Mail of users who log in from elsewhere gets a Message-ID if it has none.
    private mutating func addMissingHeaders() throws(SetupError) {
        for service in facts.services where service.isSubmission {
            try set("always_add_missing_headers", "yes", on: service, orElse: "without it mail without a Message-ID is known by its addresses only: remove it")
        }
    }

    // MARK: Milter

    mutating func milter() throws(SetupError) {
        guard let listener = configuration.listeners.first(where: { $0.kind == .milter }) else {
            throw SetupError("guardd.toml has no listener for a milter; write [[listener]], protocol = \"milter\" and address = \"inet:127.0.0.1:8891\"")
        }
        // Other milters of the site may rest on milter_default_action; then guardd's own action stands with its address.
        let address = try milterAddress(listener)
        let isDefault = ["tempfail", ""].contains(facts.parameter("milter_default_action"))
        let text = isDefault ? address : "{ \(address), default_action=tempfail }"
        let wanted = ["smtpd_milters"] + (listener.direction == .inbound ? [] : ["non_smtpd_milters"])
        for name in wanted {
            let present = facts.parameter(name)
            if !present.contains(address) { add(.parameter(name, present.isEmpty ? text : "\(present), \(text)")) }
        }
        if !["6", ""].contains(facts.parameter("milter_protocol")) { add(.parameter("milter_protocol", "6")) }
        if listener.direction != .inbound { try milterOutgoing() }
    }

    private mutating func milterOutgoing() throws(SetupError) {
        if facts.parameter("always_add_missing_headers") != "yes" { add(.parameter("always_add_missing_headers", "yes")) }
        guard let name = configuration.milterOutgoingDaemons.first else { return }
        for service in facts.services where service.isSubmission {
            if let present = service.options["milter_macro_daemon_name"], configuration.milterOutgoingDaemons.contains(present) { continue }
            try set("milter_macro_daemon_name", name, on: service, orElse: "write milter_outgoing_daemons = [\"\(service.options["milter_macro_daemon_name"] ?? "")\"] in guardd.toml")
        }
        if !facts.parameter("content_filter").isEmpty {
            note("A content filter gives mail back to a service of master.cf: that one needs -o smtpd_milters= , or guardd is asked twice.")
        }
    }

    private func milterAddress(_ listener: Configuration.Listener) throws(SetupError) -> String {
        guard let path = listener.path else { return "inet:\(listener.address.reachable)" }
        let queue = facts.parameter("queue_directory")
        // Postfix's programs stand in the queue directory, chrooted or not.
        if !queue.isEmpty, path.hasPrefix(queue + "/") { return "unix:\(path.dropFirst(queue.count + 1))" }
        if let service = facts.services.first(where: { $0.isChrooted && ["smtpd", "cleanup"].contains($0.command) }) {
            throw SetupError("""
                \(service.name) \(service.type) runs in a chroot and can't reach \(path); write address = "unix:\(queue)/guardd/milter.sock" \
                in guardd.toml, or an inet: address
                """)
        }
        return "unix:\(path)"
    }
}
