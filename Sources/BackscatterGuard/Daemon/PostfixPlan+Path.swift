// The positions in the way of the mail itself: in front of Postfix, and between smtpd and the queue.

extension PostfixPlan {
    // MARK: In front

    mutating func front() throws(SetupError) {
        let identity = configuration.upstreamIdentity
        guard !configuration.publicListeners.isEmpty else {
            throw SetupError("guardd.toml has no listener for incoming mail; write [[listener]], address = \"0.0.0.0:25\" and direction = \"inbound\"")
        }
        switch identity {
        case .none: throw SetupError("upstream_identity = \"none\" would make Postfix take the world for its own network; write \"proxy-v2\" or \"xclient\"")
        case .xforward: throw SetupError("upstream_identity = \"xforward\" is for --position before-queue; write \"proxy-v2\" or \"xclient\"")
        case .proxyV1, .proxyV2, .xclient: break
        }
        let (name, port) = try upstreamService()
        let present = facts.service("\(name)/inet") ?? facts.services.first { $0.port == port && !isReplaced($0) }
        let old = facts.services.filter { $0.id != present?.id && isReplaced($0) }
        guard let service = present ?? moved(old.first, to: name) else { throw SetupError("master.cf can't be understood") }
        if present == nil { add(.service(id: service.id, text: service.text)) }
        try tellClient(identity, to: service)
        for service in old { add(.removal(id: service.id, text: service.text)) }
        if old.contains(where: { $0.text.dropFirst($0.name.count) != old[0].text.dropFirst(old[0].name.count) }) {
            note("The lines that go differ; the new one is made of the first. Compare their options.")
        }
        try outgoingThroughFilter(except: service.id)
    }

    /// guardd's ports are not Postfix's any more.
    private func isReplaced(_ service: PostfixFacts.Service) -> Bool {
        guard service.type == "inet", ["smtpd", "postscreen"].contains(service.command) else { return false }
        if !outside.isEmpty { return outside.contains(service.id) }
        return configuration.publicListeners.contains { listener in
            guard listener.address.port == service.port else { return false }
            guard let host = service.host, let own = PeerAddress(host, port: listener.address.port) else { return true }
            return own.hasSameHost(as: listener.address) || own.family == listener.address.family && (listener.address.isWildcard || own.isWildcard)
        }
    }

    private mutating func upstreamService() throws(SetupError) -> (name: String, port: UInt16) {
        switch configuration.upstreams.first {
        case .address(let address):
            if !address.isLoopback { note("These lines are for the Postfix that listens on \(address).") }
            return (address.description, address.port)
        case .host(let name, let port):
            note("These lines are for the Postfix on \(name).")
            return ("\(name):\(port)", port)
        case .unix(let path): throw SetupError("upstream = \"unix:\(path)\" can't carry a place in master.cf made here; write upstream = \"127.0.0.1:10025\"")
        case .program: throw SetupError("upstream is a program: that is qmail's place; write upstream = \"127.0.0.1:10025\", or: guardd setup qmail")
        case nil: throw SetupError("guardd.toml has no upstream; write upstream = \"127.0.0.1:10025\"")
        }
    }

    /// The entry as it was, at another address.
    private func moved(_ old: PostfixFacts.Service?, to name: String) -> PostfixFacts.Service? {
        let text = old.map { name + $0.text.dropFirst($0.name.count) } ?? "\(name) inet n - - - - smtpd"
        var service = PostfixFacts(services: text, options: "", parameters: "").services.first
        service?.options = old?.options ?? [:]
        return service
    }

    private mutating func tellClient(_ identity: UpstreamIdentity, to service: PostfixFacts.Service) throws(SetupError) {
        let remedy = "make it fit upstream_identity = \"\(identity.rawValue)\""
        if identity != .xclient {
            return try set("\(service.command)_upstream_proxy_protocol", "haproxy", on: service, orElse: remedy)
        }
        guard service.command == "smtpd" else {
            throw SetupError("postscreen does not speak XCLIENT; write upstream_identity = \"proxy-v2\"")
        }
        let host = service.host ?? "127.0.0.1"
        let trusted = PeerAddress(host, port: 1).map { $0.isLoopback ? $0.text : "127.0.0.1" } ?? "127.0.0.1"
        try set("smtpd_authorized_xclient_hosts", trusted.contains(":") ? "[\(trusted)]" : trusted, on: service, orElse: remedy)
    }

    /// What leaves goes round through guardd's outbound listener, or is read in the log.
    private mutating func outgoingThroughFilter(except own: String) throws(SetupError) {
        guard let listener = configuration.outboundListener else {
            if configuration.sources.contains(where: { $0.format == .postfix }) { return try log() }
            return note("Nothing records what leaves: add a [[listener]] with direction = \"outbound\", a [[source]] or outgoing_networks, and run this again.")
        }
        let filter = "guardd-out:[\(listener.address.reachable.text)]:\(listener.address.port)"
        let remedy = "guardd's outbound listener would take its place: take a [[source]] (docs/sources.md) or the milter instead"
        let global = facts.parameter("content_filter")
        guard global.isEmpty || global == filter else { throw SetupError("content_filter = \(global) stands in main.cf; \(remedy)") }
        let text = "guardd-out unix - - n - - smtp -o smtp_tls_security_level=none"
        if facts.service("guardd-out/unix")?.text != text { add(.service(id: "guardd-out/unix", text: text)) }
        for service in facts.services where service.id != own && !isReplaced(service) && (service.isSubmission || service.command == "pickup") {
            try set("content_filter", filter, on: service, orElse: remedy)
            let overrides = service.options["receive_override_options"]?.split(separator: ",").map(String.init) ?? []
            guard !overrides.contains("no_address_mappings") else { continue }
            add(.option(id: service.id, name: "receive_override_options", value: (overrides + ["no_address_mappings"]).joined(separator: ",")))
        }
    }

    // MARK: Before the queue

    mutating func beforeQueue() throws(SetupError) {
        guard configuration.upstreamIdentity == .xforward, let listener = configuration.publicListeners.first else {
            throw SetupError("before the queue guardd.toml needs upstream_identity = \"xforward\", xforward_clients and a [[listener]] on loopback: docs/positions.md")
        }
        let (name, port) = try upstreamService()
        let filter = listener.address.reachable.description
        for service in try proxied() {
            try set("smtpd_proxy_filter", filter, on: service, orElse: "Postfix has one before-queue filter: chain them, or take the milter")
            if service.options["smtpd_client_connection_count_limit"] == nil {
                add(.option(id: service.id, name: "smtpd_client_connection_count_limit", value: "10"))
            }
        }
        if let present = facts.services.first(where: { $0.type == "inet" && $0.port == port }) {
            if present.text != after(present.name) { note("\(present.name) inet is in master.cf already and stays as it is; compare: \(after(present.name))") }
        } else {
            add(.service(id: "\(name)/inet", text: after(name)))
        }
        if let outbound = configuration.outboundListener {
            for service in facts.services where service.isSubmission {
                try set("smtpd_proxy_filter", outbound.address.reachable.description, on: service, orElse: "Postfix has one before-queue filter")
            }
        }
        if !configuration.recordsOutgoingMail { note("Nothing records what leaves: write outgoing_networks, an outbound listener for submission, or a [[source]].") }
        note("Mail of local programs (pickup) does not pass a before-queue filter: a [[source]] or the milter records it.")
    }

    /// The services that get the filter: those on port 25, behind postscreen the smtpd that it hands clients to.
    private func proxied() throws(SetupError) -> [PostfixFacts.Service] {
        let wanted = outside.isEmpty ? facts.services.filter { $0.port == 25 && ["smtpd", "postscreen"].contains($0.command) } : outside.compactMap(facts.service)
        let found = wanted.contains { $0.command == "postscreen" } ? facts.services.filter { $0.type == "pass" && $0.command == "smtpd" } : wanted
        guard !found.isEmpty else { throw SetupError("no service of master.cf takes mail on port 25; name it: --service smtp/inet") }
        return found
    }

    /// The smtpd behind guardd: it trusts what the one in front has checked.
    private func after(_ name: String) -> String {
        let options = [
            "syslog_name=postfix/after-guardd", "smtpd_authorized_xforward_hosts=127.0.0.0/8", "mynetworks=127.0.0.0/8", "smtpd_client_restrictions=",
            "smtpd_helo_restrictions=", "smtpd_sender_restrictions=", "smtpd_relay_restrictions=permit_mynetworks,reject",
            "smtpd_recipient_restrictions=permit_mynetworks,reject", "smtpd_data_restrictions=", "receive_override_options=no_unknown_recipient_checks",
        ]
        return "\(name) inet n - n - - smtpd" + options.map { " -o \($0)" }.joined()
    }
}
