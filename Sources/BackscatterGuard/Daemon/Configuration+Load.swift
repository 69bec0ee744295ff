// From a file and flags to a configuration that is known to be consistent, or to the list of all that is wrong with it.

import Glibc

extension Configuration {
    /// Used when no file is named, and neither `--listen` nor `--upstream` is given.
    public static let standardFile = "/etc/guardd/guardd.toml"

    /// Reads, checks and joins a file and flags; flags win.
    ///
    /// - Parameter file: nil: `standardFile` under the conditions written there, else flags alone.
    /// - Throws: `ConfigurationError` with every fault found: an unreadable file, TOML syntax, an unknown key, a bad value,
    ///   a missing key, values that contradict each other.
    public static func load(file: String?, overrides: ConfigurationOverrides) throws(ConfigurationError) -> Configuration {
        try load(file: file, overrides: overrides, standardFile: standardFile, own: interfaceAddresses())
    }

    static func load(
        file: String?, overrides: ConfigurationOverrides, standardFile: String, own: [PeerAddress]
    ) throws(ConfigurationError) -> Configuration {
        let usesStandard = file == nil && !overrides.sufficeAlone
        let path = file ?? (usesStandard ? standardFile : nil)
        var document: [String: ConfigurationValue] = [:]
        if let path {
            switch ConfigurationSystem.contents(of: path) {
            case .success(let octets): document = try ConfigurationValue.parse(octets, file: path)
            case .failure(.system(ENOENT)) where usesStandard: throw ConfigurationError([.init(file: path, problem: Configuration.noStandardFile(path))])
            case .failure(let error): throw ConfigurationError([.init(file: path, problem: "can't be read: \(error)")])
            }
        }
        var configuration = Configuration()
        configuration.file = path
        var reader = ConfigurationReader(file: path)
        configuration.apply(document, with: &reader)
        let faults = reader.faults + configuration.apply(overrides)
        let says = Set(document.keys).union(overrides.values.map(\.key))
        try configuration.check(says: says, after: faults, own: own)
        return configuration
    }

    private static func noStandardFile(_ path: String) -> String {
        """
        is not there, and no other file is named; guardd check --print-reference toml > \(path) begins one with every option explained, \
        the README has a short one; or name a file: --config FILE
        """
    }

    /// What the policy is made of, with the file of protected domains as it is now.
    ///
    /// - Throws: when that file can't be read or a line of it is no domain.
    ///
    /// - Parameter blocks: what keeps domains of mode `auto` from being enforced.
    public func makePolicy(blocks: EnforcementBlocks = EnforcementBlocks()) throws(ConfigurationError) -> Policy {
        Policy(policySettings, moreDomains: try domainsOfFile(), blocks: blocks)
    }

    /// Relative paths begin at the folder of the configuration file.
    var protectedDomainsPath: String? { protectedDomainsFile.map(path) }

    static let credentials = "$CREDENTIALS_DIRECTORY/"

    /// The path of a file that the configuration names.
    ///
    /// `$CREDENTIALS_DIRECTORY/` at its beginning is where systemd's LoadCredential= puts files (systemd.exec(5)).
    func path(_ name: String) -> String {
        if name.hasPrefix(Configuration.credentials) {
            guard let folder = ConfigurationSystem.variable("CREDENTIALS_DIRECTORY") else { return name }
            return folder + "/" + name.dropFirst(Configuration.credentials.count)
        }
        guard !name.hasPrefix("/"), let slash = file?.lastIndex(of: "/"), let folder = file?[...slash] else { return name }
        return folder + name
    }

    func domainsOfFile() throws(ConfigurationError) -> [DomainPattern] {
        guard let path = protectedDomainsPath else { return [] }
        switch ConfigurationSystem.contents(of: path) {
        case .failure(let error):
            throw ConfigurationError([.init(file: file, keyPath: "protected_domains_file", problem: "\(path) can't be read: \(error)")])
        case .success(let octets):
            let (patterns, badLines) = DomainPattern.list(in: octets)
            guard badLines.isEmpty else {
                throw ConfigurationError(badLines.map { bad in
                    .init(file: path, line: bad.line, problem: "\"\(bad.text)\" is no domain; write example.org, or .example.org for those below it")
                })
            }
            return patterns
        }
    }

    // MARK: The parts of the file

    private mutating func apply(_ document: [String: ConfigurationValue], with reader: inout ConfigurationReader) {
        let options = Options.top.flatMap(\.options)
        reader.read(document, at: "", with: options, others: ["listener", "certificate", "source", "actions", "domain", "address"], into: &self)
        applyListeners(document["listener"], with: &reader)
        applyCertificates(document["certificate"], with: &reader)
        applySources(document["source"], with: &reader)
        let actions = reader.table(document["actions"], at: "actions", example: "[actions]")
        reader.read(actions, at: "actions", with: Options.actions, into: &policySettings.actions)
        applyDomains(document["domain"], with: &reader)
        applyAddresses(document["address"], with: &reader)
    }

    private mutating func applyListeners(_ value: ConfigurationValue?, with reader: inout ConfigurationReader) {
        guard let value else { return }
        guard case .array(let elements) = value else {
            return reader.fault("listener", "\(value.shown) won't do; write [[listener]], in double brackets, and the keys below it")
        }
        for (index, element) in elements.enumerated() {
            let path = "listener[\(index)]"
            guard case .table(let table) = element else {
                reader.fault(path, "\(element.shown) won't do; write [[listener]] and below it address = \"0.0.0.0:25\"")
                continue
            }
            var draft = ListenerDraft()
            reader.read(table, at: path, with: Options.listener, into: &draft)
            if let address = draft.address {
                var listener = Listener(address: address, direction: draft.direction, tls: draft.tls, tlsLevel: draft.tlsLevel)
                (listener.kind, listener.path, listener.socketMode, listener.socketGroup) = (draft.kind, draft.path, draft.socketMode, draft.socketGroup)
                listener.records = draft.records
                listener.proxyClients = draft.proxyClients
                listeners.append(listener)
            } else if table["address"] == nil {
                reader.fault("\(path).address", "missing; write an IP address and a port, as \"0.0.0.0:25\" or \"[::]:25\"")
            }
        }
    }

    private mutating func applyDomains(_ value: ConfigurationValue?, with reader: inout ConfigurationReader) {
        let example = "[domain.\"example.org\"]"
        for (name, value) in reader.table(value, at: "domain", example: example).sorted(by: { $0.key < $1.key }) {
            let path = ConfigurationReader.path("domain", name)
            let table = reader.table(value, at: path, example: example)
            guard let pattern = DomainPattern(Octets(name.utf8)) else {
                reader.fault(path, "no domain; write \(example) or [domain.\".example.org\"]")
                continue
            }
            if !name.utf8.contains(ASCII.dot), table.contains(where: { $0.key != "actions" && $0.value.typeName == "a table" }) {
                reader.fault(path, "a domain with dots needs quotes; write \(example)")
                continue
            }
            var settings = PolicySettings.Domain()
            reader.read(table, at: path, with: Options.domain, others: ["actions"], into: &settings)
            readActions(table, at: path, into: &settings.actions, with: &reader)
            policySettings.domains[pattern] = settings
        }
    }

    private mutating func applyAddresses(_ value: ConfigurationValue?, with reader: inout ConfigurationReader) {
        let example = "[address.\"ann@example.org\"]"
        for (name, value) in reader.table(value, at: "address", example: example).sorted(by: { $0.key < $1.key }) {
            let path = ConfigurationReader.path("address", name)
            let table = reader.table(value, at: path, example: example)
            guard let address = ForwardPath(Octets(name.utf8)), address.hasPlainDomain else {
                reader.fault(path, "no address; write \(example)")
                continue
            }
            let none: [ConfigurationOption<Configuration>] = []
            reader.read(table, at: path, with: none, others: ["actions"], into: &self)
            var actions: [Reason: Verdict] = [:]
            readActions(table, at: path, into: &actions, with: &reader)
            policySettings.addresses[Policy.key(of: address)] = actions
        }
    }

    private func readActions(
        _ table: [String: ConfigurationValue], at path: String, into actions: inout [Reason: Verdict], with reader: inout ConfigurationReader
    ) {
        let inner = reader.table(table["actions"], at: "\(path).actions", example: "actions = { never_sent = \"mark\" }")
        reader.read(inner, at: "\(path).actions", with: Options.actions, into: &actions)
    }

    // MARK: The flags

    private mutating func apply(_ overrides: ConfigurationOverrides) -> [ConfigurationError.Fault] {
        var reader = ConfigurationReader(file: nil)
        let options = Options.top.flatMap(\.options)
        for (flag, key, value) in overrides.values {
            guard let option = options.first(where: { $0.key == key }) else { preconditionFailure("flag \(flag) for no option: \(key)") }
            do {
                try option.read(value, &self)
            } catch {
                reader.fault(flag, error.problem)
            }
        }
        if !overrides.listen.isEmpty { listeners = [] }
        for text in overrides.listen {
            if let address = ConfigurationAddress.socket(text) {
                listeners.append(Listener(address: address))
            } else {
                reader.fault("--listen", "\(ConfigurationValue.text(text).shown) won't do; write an IP address and a port, as 0.0.0.0:25 or [::]:25")
            }
        }
        return reader.faults
    }
}
