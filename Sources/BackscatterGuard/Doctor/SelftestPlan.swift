// How a selftest goes, by the configuration: what records outgoing mail here, and where do bounces come in?

/// The way out and the way in.
struct SelftestPlan: Sendable {
    enum Way: Sendable {
        case smtp(SelftestDoor)
        /// Path of sendmail(1).
        case program(String)

        var name: String {
            switch self {
            case .smtp(let door): door.name
            case .program(let path): path
            }
        }
    }

    private static let programs = ["/usr/sbin/sendmail", "/usr/lib/sendmail", "/var/qmail/bin/sendmail"]
    /// Where a mail server takes strangers' mail.
    private static let standardMX = "127.0.0.1:25"

    let out: Way
    let back: SelftestDoor
    let from: String
    let to: String
    let sink: PeerAddress?

    /// - Throws: that nothing records, nothing judges, or an address won't do.
    init(_ configuration: Configuration, _ policy: Policy, _ settings: SelftestSettings) throws(SelftestFault) {
        sink = try SelftestPlan.sink(settings)
        (from, to) = try SelftestPlan.addresses(policy, settings)
        out = try SelftestPlan.wayOut(configuration, settings)
        back = try SelftestPlan.wayBack(configuration, settings)
    }

    private static func sink(_ settings: SelftestSettings) throws(SelftestFault) -> PeerAddress? {
        guard let text = settings.sink else { return nil }
        guard let address = ConfigurationAddress.socket(text) else { throw SelftestFault(text: "--sink \(text): write an address and a port, as 127.0.0.1:10099", exitStatus: 64) }
        return address
    }

    private static func addresses(_ policy: Policy, _ settings: SelftestSettings) throws(SelftestFault) -> (from: String, to: String) {
        let to = try settings.to.map { text throws(SelftestFault) in try path(text, "--to") }
        let given = try settings.from.map { text throws(SelftestFault) in try path(text, "--from") }
        let own = to.flatMap { policy.treatment(of: $0).isJudged ? $0 : nil }
        guard let from = given ?? own ?? standard(policy) else {
            throw SelftestFault(text: "protected_domains names no domain whose bounces could be judged: name one, or give an address with --from")
        }
        guard policy.treatment(of: from).isJudged else {
            throw SelftestFault(text: "bounces to \(text(from)) are not judged (not in protected_domains, or postmaster, or tagged): give another address with --from")
        }
        return (text(from), to.map(text) ?? (settings.sink == nil ? text(from) : "guardd-selftest@selftest.invalid"))
    }

    private static func text(_ path: ForwardPath) -> String { String(decoding: path.octets, as: UTF8.self) }

    private static func path(_ text: String, _ flag: String) throws(SelftestFault) -> ForwardPath {
        guard let path = ForwardPath(Octets(text.utf8)), path.hasPlainDomain, !text.hasPrefix("-") else { throw SelftestFault(text: "\(flag) \(text): no mail address", exitStatus: 64) }
        return path
    }

    private static func standard(_ policy: Policy) -> ForwardPath? {
        guard let domain = policy.protectedPatterns.filter({ !$0.hasPrefix(".") }).sorted().first else { return nil }
        return ForwardPath(Octets("guardd-selftest@\(domain)".utf8))
    }

    private static func wayOut(_ configuration: Configuration, _ settings: SelftestSettings) throws(SelftestFault) -> Way {
        if let via = settings.via { return .smtp(try SelftestDoor(via)) }
        let listeners = configuration.listeners.filter { $0.direction == .outbound } + configuration.listeners.filter { $0.direction == .auto }
        if settings.sendmail == nil, let door = listeners.lazy.compactMap({ SelftestDoor($0, .outgoing, of: configuration) }).first { return .smtp(door) }
        let isRecordedElsewhere = !configuration.sources.isEmpty || configuration.controlSocket != nil || configuration.listeners.contains { $0.kind == .milter && $0.direction != .inbound }
        guard isRecordedElsewhere || settings.sendmail != nil else {
            throw SelftestFault(text: "nothing here records what leaves, as far as a client on this machine can try it: name a way with --via host:port")
        }
        let programs = settings.sendmail.map { [$0] } ?? SelftestPlan.programs
        guard let program = programs.first(where: { ConfigurationSystem.problem(withProgram: $0) == nil }) else {
            throw SelftestFault(text: "\(programs.joined(separator: ", ")): no sendmail(1) here: name the mail server with --via host:port")
        }
        return .program(program)
    }

    private static func wayBack(_ configuration: Configuration, _ settings: SelftestSettings) throws(SelftestFault) -> SelftestDoor {
        if let mx = settings.mx { return try SelftestDoor(mx) }
        let listeners = configuration.listeners.filter { $0.direction == .inbound } + configuration.listeners.filter { $0.direction == .auto }
        if let door = listeners.lazy.compactMap({ SelftestDoor($0, .incoming, of: configuration) }).first { return door }
        guard configuration.listeners.contains(where: { $0.kind == .milter && $0.direction != .outbound }) else {
            throw SelftestFault(text: "no listener judges bounces of a client on this machine: name the server that takes strangers' mail with --mx host:port")
        }
        return try SelftestDoor(standardMX)
    }
}
