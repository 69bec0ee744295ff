// What can be seen only in the configuration as a whole: what is missing, what contradicts, what is probably not meant.

extension Configuration {
    /// - Parameter says: the keys that the file or a flag gave.
    /// - Parameter earlier: faults found until here. A key that is faulty itself isn't called missing as well.
    /// - Throws: all faults, earlier ones first.
    mutating func check(says: Set<String>, after earlier: [ConfigurationError.Fault], own: [PeerAddress]) throws(ConfigurationError) {
        var found = earlier
        func add(_ keyPath: String?, _ problem: String) { found.append(.init(file: file, keyPath: keyPath, problem: problem)) }
        func isFaulty(_ key: String, _ flag: String) -> Bool {
            earlier.contains { $0.keyPath == key || $0.keyPath == flag || $0.keyPath?.hasPrefix(key + "[") == true || $0.keyPath?.hasPrefix(key + ".") == true }
        }
        if listeners.isEmpty, !isFaulty("listener", "--listen") {
            add("listener", "missing; write [[listener]] with address = \"0.0.0.0:25\", or --listen 0.0.0.0:25")
        }
        let needsUpstream = hasSMTPListener || listeners.isEmpty && !isFaulty("listener", "--listen")
        if needsUpstream, upstreams.isEmpty, !isFaulty("upstream", "--upstream") {
            add("upstream", "missing; write upstream = \"127.0.0.1:10025\", or --upstream 127.0.0.1:10025, with the mail server's address")
        }
        // Said in the wrong place is told already; a program needs none, also one that is written wrongly.
        let isMisplaced = earlier.contains { $0.keyPath?.hasSuffix(".upstream_identity") == true || $0.keyPath?.hasPrefix("upstream.exec") == true }
        if upstreamIdentity == .xforward, xforwardClients.isEmpty, !isFaulty("xforward_clients", "") {
            add("xforward_clients", "missing; upstream_identity = \"xforward\" serves no other clients: write the addresses that Postfix connects from, as [\"127.0.0.1\"]")
        }
        if needsUpstream, !says.contains("upstream_identity"), !isMisplaced, !hasProgramsOnly { add("upstream_identity", Self.identityMissing) }
        checkAddresses(own: own, add)
        checkPolicyWindow(add)
        checkTLS(add)
        checkPrograms(says: says, add)
        checkMilter(add)
        checkSharedLog(add)
        checkStatus(add)
        if holdTotalLimit < holdLimit {
            add("hold_total_limit", "less than hold_limit (\(ConfigurationUnits.text(size: holdLimit))); write at least as much")
        }
        do {
            try collectWarnings(moreDomains: domainsOfFile())
        } catch {
            found += error.faults
        }
        guard found.isEmpty else { throw ConfigurationError(found) }
    }

    static let identityMissing = """
        missing, and there is no default: without it Postfix would see every mail come from guardd's own address, take the whole world \
        for mynetworks, and be an open relay. Write "proxy-v2" (Postfix: -o smtpd_upstream_proxy_protocol=haproxy on a port of its own in \
        master.cf), "xclient" (Postfix: smtpd_authorized_xclient_hosts = guardd's address), "proxy-v1", or, only for an upstream that \
        trusts no client for its address, "none"; as a flag: --upstream-identity proxy-v2
        """

    private func checkAddresses(own: [PeerAddress], _ add: (String?, String) -> Void) {
        for (index, listener) in listeners.enumerated() where listeners[..<index].contains(where: { ($0.address, $0.path) == (listener.address, listener.path) }) {
            add("listener[\(index)].address", "\(listener.text) stands twice; remove one")
        }
        for upstream in upstreams {
            let isOwn = switch upstream {
            case .address(let address): isOwnListener(address, own: own)
            case .host(let name, let port): isOwnName(name, port: port, own: own)
            case .unix, .program: false
            }
            if isOwn { add("upstream", "\(upstream.text) is one of guardd's own listeners: mail would go in a circle; write the mail server's address") }
        }
    }

    /// A name that can mean this machine only. Others are looked up at each dialling and asked about then.
    private func isOwnName(_ name: String, port: UInt16, own: [PeerAddress]) -> Bool {
        let isLocal = name == "localhost" || name == "localhost.localdomain" || name.hasSuffix(".localhost")
        guard isLocal else { return false }
        return ["127.0.0.1", "::1"].compactMap { PeerAddress($0, port: port) }.contains { isOwnListener($0, own: own) }
    }

    private func checkPolicyWindow(_ add: (String?, String) -> Void) {
        let least = bounceWindow + .seconds(7 * 86_400)
        if retention < least {
            add("retention", "\(ConfigurationUnits.text(retention)) is less than bounce_window + 7 days; write at least \"\(ConfigurationUnits.text(least))\"")
        }
        for (key, duration) in [("bounce_window", bounceWindow), ("retention", retention)] where duration.milliseconds % 1_000 != 0 {
            add(key, "\(ConfigurationUnits.text(duration)) has a part of a second; write whole seconds")
        }
    }

    private mutating func collectWarnings(moreDomains: [DomainPattern]) {
        let policy = Policy(policySettings, moreDomains: moreDomains)
        let place = file.map { "\($0): " } ?? ""
        func warn(_ text: String) { warnings.append(place + text) }
        if !policy.protectsAnything {
            warn("protected_domains: no domain is protected, so no bounce will be judged; name yours, or use --protect example.org")
        }
        for pattern in policySettings.domains.keys.sorted(by: { $0.description < $1.description }) where !policy.mayProtect(pattern) {
            warn("domain.\"\(pattern)\": has settings but is not protected; add it to protected_domains")
        }
        for reason in [Reason.sent, .pair, .notABounce] where policySettings.actions[reason] == .refuse {
            warn("actions.\(reason.rawValue): \"refuse\" turns genuine mail away")
        }
        milterWarnings.forEach(warn)
        for (key, networks) in [("proxy_clients", proxyClients), ("xforward_clients", xforwardClients)] where networks.contains(where: { $0.prefixLength == 0 }) {
            warn("\(key): \"/0\" lets everyone say who he is; name the addresses of your own machines")
        }
        if upstreamIdentity == .none, !hasProgramsOnly, hasSMTPListener {
            warn("upstream_identity: \"none\": the upstream sees guardd's address as the client; make sure that it trusts no client for that address")
        }
    }
}

extension Configuration.Upstream {
    /// As the configuration writes it.
    public var text: String {
        switch self {
        case .address(let address): address.description
        case .host(let name, let port): "\(name):\(port)"
        case .unix(let path): "unix:\(path)"
        case .program(let command): command.joined(separator: " ")
        }
    }
}
