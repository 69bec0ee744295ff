// The table of options, first part: who guardd is, where it listens, whom it stands in front of.

/// Every option of the configuration file. The second and third part: `Options+Policy.swift`, `Options+Limits.swift`.
enum Options {
    /// The keys at the top of the file, in the order of the generated files.
    static let top: [OptionGroup<Configuration>] = [general, program, privileges, tls, clients, places, milter, judgement, sentLog, sharedLog, hooks, status, content, limits, deadlines, logging]
    static let fresh = Configuration()

    static let general = OptionGroup<Configuration>(
        title: "Who guardd is and whom it protects",
        prose: "A listener (see [[listener]] below), upstream and upstream_identity have to be set; all else has a default.",
        options: [
            .text(
                "hostname", standard: nil, sample: "mx.example.org", expected: "a host name, as \"mx.example.org\"",
                "The name guardd greets with and answers EHLO with. RFC 5321 wants a name that the DNS knows; use the upstream's own."
            ) { text, target in
                guard ConfigurationAddress.isHostName(text) else { return false }
                target.hostname = text
                return true
            }.standard("the system's host name", sample: "\"mx.example.org\""),
            .integer("workers", \.workers, of: fresh, in: 1...1_024, "Threads that carry sessions, an event loop each.")
                .standard("the number of cores", sample: "2"),
            upstream,
            upstreamIdentity,
        ]
    )

    private static let upstream = ConfigurationOption<Configuration>(
        key: "upstream", type: "text, table or list of them",
        range: "\"host:port\", \"[IPv6]:port\", \"unix:/path\", { exec = [\"/path/of/program\", \"argument\"] }", standard: nil,
        sample: "\"127.0.0.1:10025\"",
        prose: """
            The mail server behind guardd: an address, a name that is looked up at each dialling, the path of a Unix socket, or a \
            program that is started for each session as tcpserver does (qmail-smtpd: docs/positions.md). Of a list the first that answers is used. One of guardd's own listeners is refused: mail would go in a circle.
            """
    ) { value, target throws(WrongValue) in
        let values = if case .array(let values) = value { values } else { [value] }
        var upstreams: [Configuration.Upstream] = []
        for (index, element) in values.enumerated() {
            if case .table(let table) = element {
                do throws(WrongValue) {
                    upstreams.append(.program(try command(table)))
                } catch {
                    throw WrongValue(place: (values == [value] ? "" : "[\(index)]") + error.place, problem: error.problem)
                }
                continue
            }
            guard case .text(let text) = element, let upstream = ConfigurationAddress.upstream(text) else {
                throw WrongValue(
                    place: values == [value] ? "" : "[\(index)]",
                    problem: "\(element.shown) won't do; write \"host:port\", \"[IPv6]:port\" or \"unix:/path\"")
            }
            upstreams.append(upstream)
        }
        target.upstreams = upstreams
    }

    private static let upstreamIdentity = ConfigurationOption<Configuration>.word(
        "upstream_identity", standard: nil,
        """
        How the upstream learns who the client really is. It has no default, because the wrong answer makes an open relay: Postfix \
        would see every mail come from guardd's address, which is in its mynetworks, and relay for the whole world.
        "proxy-v2", "proxy-v1": a PROXY header. Postfix: a service of its own in master.cf with -o smtpd_upstream_proxy_protocol=haproxy.
        "xclient": the XCLIENT command. Postfix: smtpd_authorized_xclient_hosts = guardd's address.
        "xforward": the XFORWARD command before each mail, for guardd as Postfix's smtpd_proxy_filter: only xforward_clients are served. \
        Postfix: smtpd_authorized_xforward_hosts = guardd's address, on the smtpd behind guardd.
        "none": not at all; only for an upstream that trusts no client for its address.
        """
    ) { word, target in target.upstreamIdentity = word }

    static let listener: [ConfigurationOption<ListenerDraft>] = [
        .text(
            "address", standard: nil, sample: "0.0.0.0:25", expected: "an IP address and a port, as \"0.0.0.0:25\" or \"[::]:25\"",
            "Address and port. \"[::]:25\" takes IPv6 only, so write \"0.0.0.0:25\" in a [[listener]] of its own for IPv4."
        ) { text, target in
            guard let (address, path) = ConfigurationAddress.listener(text) else { return false }
            (target.address, target.path) = (address, path)
            return true
        },
        .choice(
            "direction", \.direction, of: ListenerDraft(),
            """
            "inbound": mail to us; notifications are judged. "outbound": mail from us; what is sent is recorded. \
            "auto": outgoing when the client authenticated or is in outgoing_networks, else inbound.
            """
        ),
        .choice(
            "records", \.records, of: ListenerDraft(),
            """
            What is recorded of outgoing mail. "all": all of it; right where only own users' mail passes, as before a submission port. \
            "own": only what has its sender in a protected domain and, by its Received fields, began here (a login, a local program, \
            outgoing_networks); for a relay host through which forwarded mail of strangers leaves too.
            """
        ),
        .word(
            "tls", standard: nil,
            "\"none\": in clear only. \"starttls\": the client may begin TLS. \"implicit\": TLS from the first octet, as on port 465."
        ) { word, target in target.tls = word }.standard("\"starttls\" if there is a [[certificate]], else \"none\"", sample: "\"starttls\""),
        .choice(
            "tls_level", \.tlsLevel, of: ListenerDraft(),
            """
            As Postfix's smtpd_tls_security_level. "may": mail is taken in clear too. "encrypt": not before STARTTLS (530). \
            On a public MX "encrypt" turns mail away.
            """
        ),
        listenerProxyClients,
    ] + milterListener

    static let clients = OptionGroup<Configuration>(
        title: "Clients that are not strangers",
        prose: "Networks in CIDR form. Loopback is in neither list unless it is written.",
        options: [
            networks(
                "outgoing_networks", \.outgoingNetworks, sample: ["192.0.2.0/24", "2001:db8::/32"],
                "Clients whose mail on an \"auto\" listener is outgoing: its Message-IDs are recorded, its notifications not judged."),
            networks(
                "exempt_clients", \.exemptClients, sample: ["198.51.100.7"],
                "Clients that are neither judged nor recorded: a backup MX, an own gateway. They can't be refused at this door: the bounce is already ours."),
        ]
    )

    static func networks(_ key: String, _ field: Field<Configuration, [Network]>, sample: [String], _ prose: String)
        -> ConfigurationOption<Configuration>
    {
        .list(key, field, standard: [], sample: sample, expected: "a network, as \"192.0.2.0/24\" or \"2001:db8::/32\"", prose) {
            ConfigurationAddress.network($0)
        }
    }
}

/// A `[[listener]]` while it is read: the address may be missing still.
struct ListenerDraft: Sendable {
    var address: PeerAddress?
    var kind = Configuration.ListenerKind.smtp
    var path: String?
    var socketMode: UInt32?
    var socketGroup: String?
    var direction = Configuration.Direction.auto
    var records = RecordRule.all
    var tls: ClientTLS.Start?
    var tlsLevel = Configuration.TLSLevel.may
    /// nil: those of the top.
    var proxyClients: [Network]?
}
