// What the configuration says about programs as upstreams, checked as far as that goes without starting one.

extension Configuration {
    /// Addresses need `upstream_identity`; a program learns the client from its environment.
    var hasProgramsOnly: Bool { !upstreams.isEmpty && upstreams.allSatisfy(\.isProgram) }

    func checkPrograms(says: Set<String>, _ add: (String?, String) -> Void) {
        for case .program(let command) in upstreams {
            guard let path = command.first, let problem = ConfigurationSystem.problem(withProgram: path) else { continue }
            add("upstream", "\(path) \(problem)")
        }
        if upstreamIdentity == .xforward, upstreams.contains(where: \.isProgram), !hasProgramsOnly {
            add("upstream_identity", "\"xforward\" can't be told to a program; remove that from upstream, or write another identity")
        }
        guard hasProgramsOnly else { return }
        if says.contains("upstream_identity") {
            add("upstream_identity", "is for an upstream with an address; a program learns the client from its environment: remove it")
        }
        if let upstreamTLS, upstreamTLS != .none {
            add("upstream_tls", "is for an upstream with an address; a program is spoken to on this machine, in clear: remove it")
        }
    }

    /// What qmail-smtpd would refuse is refused by guardd (THREATS R2).
    var refusesBareLineEndings: Bool { bareLineEndings.map { $0 == .refuse } ?? upstreams.contains(where: \.isProgram) }

    var programSettings: Programs.Settings { .init(limit: maxProcesses, patience: processEndTimeout.clockMilliseconds) }

    func program(_ command: [String]) -> UpstreamProgram {
        let environment = upstreamEnvironment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return UpstreamProgram(arguments: command, hostname: hostname, environment: environment)
    }
}

extension Configuration.Upstream {
    var isProgram: Bool { if case .program = self { true } else { false } }
}
