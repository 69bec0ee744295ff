// Lines for qmail, Exim and sendmail: a comment, the lines of one file, an empty line, what is to be done elsewhere.

/// Mail servers that `guardd setup` knows.
public enum SetupServer: String, Sendable, CaseIterable {
    case postfix, qmail, exim, sendmail
}

enum SetupText {
    static func lines(_ server: SetupServer, _ position: SetupPosition, _ configuration: Configuration, run: String) throws(SetupError) -> [String] {
        switch server {
        case .qmail: try qmail(position, configuration, run: run)
        case .exim: try exim(position, configuration, keeping: [])
        case .sendmail: try sendmail(position, configuration)
        case .postfix: preconditionFailure("Postfix has a plan")
        }
    }

    // MARK: qmail

    /// The run file of the service on port 25: guardd in tcpserver's place.
    static func runFile(_ configuration: Configuration) -> String {
        "#!/bin/sh\nexec guardd run --config \(configuration.file ?? Configuration.standardFile) 2>&1\n"
    }

    static func checkProgram(_ configuration: Configuration) throws(SetupError) {
        guard configuration.upstreams.contains(where: { if case .program = $0 { true } else { false } }) else {
            throw SetupError("in front of qmail guardd starts qmail-smtpd; write upstream = { exec = [\"/var/qmail/bin/qmail-smtpd\"] }: docs/positions.md")
        }
    }

    private static func qmail(_ position: SetupPosition, _ configuration: Configuration, run: String) throws(SetupError) -> [String] {
        switch position {
        case .front:
            try checkProgram(configuration)
            let user = configuration.user ?? "qmaild"
            return ["# \(run), all of it, in place of tcpserver"] + split(runFile(configuration)) + [
                "", "# then", "install -d -o \(user) -m 700 \(configuration.stateDirectory)", "svc -t \(folder(of: run))", "",
                "# What leaves through qmail is recorded by a hook (docs/qmail.md), in the script that runs qmail-start:",
                "install -d /usr/local/lib/guardd && ln -s \"$(command -v guardd)\" /usr/local/lib/guardd/qmail-remote",
                "exec env - PATH=\"/usr/local/lib/guardd:/var/qmail/bin:$PATH\" qmail-start ./Mailbox splogger qmail",
            ] + (configuration.controlSocket == nil ? ["# and in guardd.toml, for that hook", "control_socket = \"/run/guardd/control\"", "control_group = \"qmail\"", "spool_directory = \"/var/spool/guardd\""] : [])
        case .log: throw SetupError("qmail's log names no Message-ID; what leaves is recorded by its hooks: docs/qmail.md")
        case .beforeQueue, .milter: throw SetupError("qmail has no \(position.rawValue); --position front")
        }
    }

    static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." }

    private static func split(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    // MARK: Exim

    /// Exim's address behind guardd.
    struct EximPlace {
        let address: String
        let port: Int

        /// - Parameter others: ports besides 25 on which Exim listens on all addresses.
        func interfaces(with others: [Int]) -> String {
            let more = others.filter { $0 != port }.flatMap { ["[::0]:\($0)", "[0.0.0.0]:\($0)"] }
            return "local_interfaces = <; " + (["[\(address)]:\(port)"] + more).joined(separator: " ; ")
        }

        var notes: [String] {
            [
                "# Every connection from \(address) then has to begin with a PROXY header. Programs that send by SMTP to \(address) need an Exim daemon",
                "# of their own with another configuration, or guardd on another loopback address.",
            ]
        }
    }

    static func eximPlace(_ configuration: Configuration) throws(SetupError) -> EximPlace {
        guard case .address(let address) = configuration.upstreams.first, [.proxyV1, .proxyV2].contains(configuration.upstreamIdentity) else {
            throw SetupError("in front of Exim guardd.toml needs upstream = \"127.0.0.1:10025\" and upstream_identity = \"proxy-v2\"")
        }
        return EximPlace(address: address.text, port: Int(address.port))
    }

    static func checkEximLog(_ configuration: Configuration) throws(SetupError) {
        guard configuration.sources.contains(where: { $0.format == .exim }) else {
            throw SetupError("guardd.toml has no [[source]] for Exim; write [[source]], format = \"exim\" and path = \"/var/log/exim4/mainlog\"")
        }
    }

    static func hasNo(_ position: SetupPosition) -> SetupError {
        SetupError("Exim has no \(position.rawValue) that guardd speaks; --position front or log")
    }

    static let eximLogNotes = ["# guardd must be able to read the log", "usermod -aG adm guardd"]

    /// - Parameter ports: as `EximPlace.interfaces` has them.
    static func exim(_ position: SetupPosition, _ configuration: Configuration, keeping ports: [Int]) throws(SetupError) -> [String] {
        switch position {
        case .front:
            let place = try eximPlace(configuration)
            return [
                "# Exim's configuration, main section, in place of these options if they are there. Debian: exim4-daemon-heavy, the light one has no PROXY",
                place.interfaces(with: ports), "hosts_proxy = \(place.address)", "",
            ] + place.notes
        case .log:
            try checkEximLog(configuration)
            return [
                "# Exim's configuration, main section: how many recipients a mail had, and under which return path a redirect sent it on",
                "log_selector = \(EximLogSelector("").adding(EximLogSelector.wanted).text)", "",
            ] + eximLogNotes
        case .beforeQueue, .milter: throw hasNo(position)
        }
    }

    // MARK: sendmail

    private static func sendmail(_ position: SetupPosition, _ configuration: Configuration) throws(SetupError) -> [String] {
        switch position {
        case .milter:
            guard let listener = configuration.listeners.first(where: { $0.kind == .milter }) else {
                throw SetupError("guardd.toml has no listener for a milter; write [[listener]], protocol = \"milter\" and address = \"inet:127.0.0.1:8891\"")
            }
            let address = listener.address.reachable
            let socket = listener.path.map { "unix:\($0)" } ?? "\(address.family == .ipv6 ? "inet6" : "inet"):\(address.port)@\(address.text)"
            return [
                "# sendmail.mc; then make it (Debian: sendmailconfig)", "INPUT_MAIL_FILTER(`guardd', `S=\(socket), F=T, T=S:30s;R:30s;E:5m')", "",
                "# guardd.toml, if users send through a daemon of its own (Name= in DAEMON_OPTIONS)", "milter_outgoing_daemons = [\"MSA\"]",
            ]
        case .log:
            guard configuration.sources.contains(where: { $0.format == .sendmail }) else {
                throw SetupError("guardd.toml has no [[source]] for sendmail; write [[source]], format = \"sendmail\" and path = \"/var/log/mail.log\"")
            }
            return ["# sendmail.mc: 9 is the default", "define(`confLOG_LEVEL', `9')", "", "# guardd must be able to read the log", "usermod -aG adm guardd"]
        case .front: throw SetupError("sendmail knows neither PROXY nor XCLIENT: behind guardd it would take every client for this machine; --position milter")
        case .beforeQueue: throw SetupError("sendmail has no before-queue filter but the milter; --position milter")
        }
    }
}
