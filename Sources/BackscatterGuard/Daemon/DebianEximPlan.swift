// What one of Debian's parts needs for guardd's place, from what Exim would do without. Nothing that the site has chosen
// is taken away: where it says something else about the same thing, nothing is planned.

struct DebianEximPlan: Equatable {
    private static let anywhere = ["<; ::0 ; 0.0.0.0", "0.0.0.0"]

    let position: SetupPosition
    /// The part, in its folder.
    let name: String
    /// For its end; none: all is there.
    let lines: [String]
    /// What is to be done elsewhere.
    let notes: [String]
    private let wanted: DebianExim.Facts

    init(_ position: SetupPosition, _ configuration: Configuration, _ present: DebianExim.Facts) throws(SetupError) {
        self.position = position
        var wanted = present
        var lines: [String] = []
        switch position {
        case .front:
            let place = try SetupText.eximPlace(configuration)
            lines = try DebianEximPlan.front(place, present, &wanted)
            (name, notes) = (present.isSplit ? DebianExim.early : DebianExim.unsplit, place.notes)
        case .log:
            try SetupText.checkEximLog(configuration)
            lines = try DebianEximPlan.log(present, &wanted)
            (name, notes) = (present.isSplit ? DebianExim.late : DebianExim.unsplit, SetupText.eximLogNotes)
        case .beforeQueue, .milter: throw SetupText.hasNo(position)
        }
        self.lines = lines.isEmpty ? [] : ["# \(SetupBlock.mark)"] + lines
        self.wanted = wanted
    }

    /// hosts_proxy is set by no part of Debian's; MAIN_LOCAL_INTERFACES goes before dc_local_interfaces.
    private static func front(_ place: SetupText.EximPlace, _ present: DebianExim.Facts, _ wanted: inout DebianExim.Facts) throws(SetupError) -> [String] {
        guard let proxy = present.proxy else {
            throw SetupError("this Exim knows no PROXY, so it can't be told the client: apt-get install exim4-daemon-heavy, and try again")
        }
        let line = place.interfaces(with: try others(present))
        wanted.interfaces = String(line.dropFirst("local_interfaces = ".utf8.count))
        wanted.proxy = place.address
        guard present.interfaces == wanted.interfaces || anywhere.contains(present.interfaces) else {
            throw SetupError("""
                Exim listens on "\(present.interfaces)" (local_interfaces) by the site's own choice; nothing was changed. If guardd is to listen there instead, make it \
                dc_local_interfaces='' in update-exim4.conf.conf (or take MAIN_LOCAL_INTERFACES away) and try again; else put by hand: MAIN_\(line.uppercasedName)
                """)
        }
        guard proxy.isEmpty || proxy == place.address else {
            throw SetupError("Exim has hosts_proxy = \(proxy) already; nothing was changed. Put there, if it is right for you: hosts_proxy = \(place.address)")
        }
        return (present.interfaces == wanted.interfaces ? [] : ["MAIN_" + line.uppercasedName]) + (proxy.isEmpty ? ["hosts_proxy = \(place.address)"] : [])
    }

    /// Ports besides 25: of the command line, which goes before, or of daemon_smtp_ports.
    private static func others(_ present: DebianExim.Facts) throws(SetupError) -> [Int] {
        if let listening = present.listening {
            guard let ports = EximPorts.others(listening) else {
                throw SetupError("""
                    /etc/default/exim4 has -oX \(listening), which goes before local_interfaces; nothing was changed. Take the addresses out of it \
                    (-oX with ports alone may stay), and try again
                    """)
            }
            return ports
        }
        guard let ports = EximPorts.others(present.ports) else {
            throw SetupError("Exim's daemon_smtp_ports = \(present.ports) can't be read; nothing was changed. Write numbers there, and try again")
        }
        return ports
    }

    /// Behind what the site's own parts say; where nobody has said anything yet Debian's value has to be said too.
    private static func log(_ present: DebianExim.Facts, _ wanted: inout DebianExim.Facts) throws(SetupError) -> [String] {
        let lacking = present.selector.lacking(EximLogSelector.wanted)
        wanted.selector = present.selector.adding(lacking)
        guard !lacking.isEmpty else { return [] }
        if let item = lacking.first(where: { present.selector.forbids($0) }) {
            throw SetupError("Exim has log_selector = \(present.selector.text), which switches \(item.rawValue) off; nothing was changed. Take that out, and try again")
        }
        return [
            ".ifdef MAIN_LOG_SELECTOR", "MAIN_LOG_SELECTOR == MAIN_LOG_SELECTOR \(EximLogSelector("").adding(lacking).text)", ".else",
            "MAIN_LOG_SELECTOR = \(wanted.selector.text)", ".endif",
        ]
    }

    /// Whether Exim does what was meant, and all else as before.
    func check(_ now: DebianExim.Facts) throws(SetupError) {
        guard now.selector == wanted.selector else { throw unlike("log_selector", now.selector.text, wanted.selector.text) }
        guard now.interfaces == wanted.interfaces else { throw unlike("local_interfaces", now.interfaces, wanted.interfaces) }
        guard now.proxy == wanted.proxy else { throw unlike("hosts_proxy", now.proxy ?? "", wanted.proxy ?? "") }
    }

    private func unlike(_ option: String, _ value: String, _ wanted: String) -> SetupError {
        SetupError("with these lines in \(name) Exim still has \(option) = \(value) instead of \(wanted): another part sets it")
    }
}

extension String {
    /// `LOCAL_INTERFACES = …` of `local_interfaces = …`.
    fileprivate var uppercasedName: String {
        let name = prefix { $0 != " " }
        return name.uppercased() + self[name.endIndex...]
    }
}
