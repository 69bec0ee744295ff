// What the command line says over the file: texts as they were typed. They pass through the same options as the file, so
// a flag takes what its key takes.

/// The flags of `guardd run`. nil or empty: the file, or the default, holds. A list replaces the file's.
public struct ConfigurationOverrides: Sendable, Equatable {
    /// `--listen`, each with direction `auto`.
    public var listen: [String] = []
    public var upstream: [String] = []
    public var upstreamIdentity: String?
    /// `--protect`. Takes the place of `protected_domains`; a file of domains stays.
    public var protect: [String] = []
    public var stateDirectory: String?
    public var mode: String?
    public var user: String?
    public var workers: Int?
    public var outgoingNetworks: [String] = []

    public init() {}

    /// Flag, key, and value where one is given.
    var values: [(flag: String, key: String, value: ConfigurationValue)] {
        func list(_ texts: [String]) -> ConfigurationValue? { texts.isEmpty ? nil : .array(texts.map { .text($0) }) }
        let all: [(String, String, ConfigurationValue?)] = [
            ("--upstream", "upstream", list(upstream)),
            ("--upstream-identity", "upstream_identity", upstreamIdentity.map { .text($0) }),
            ("--protect", "protected_domains", list(protect)),
            ("--state-dir", "state_dir", stateDirectory.map { .text($0) }),
            ("--user", "user", user.map { .text($0) }),
            ("--mode", "mode", mode.map { .text($0) }),
            ("--workers", "workers", workers.map { .integer($0) }),
            ("--outgoing-network", "outgoing_networks", list(outgoingNetworks)),
        ]
        return all.compactMap { flag, key, value in value.map { (flag, key, $0) } }
    }

    /// Whether they say by themselves what stands in front of what, so that the file at the usual place isn't meant.
    var sufficeAlone: Bool { !listen.isEmpty || !upstream.isEmpty }
}
