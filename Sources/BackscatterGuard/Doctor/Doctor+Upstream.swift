// The mail server behind: is it there, what does it offer, and does it see the true clients, or does it take the whole
// world for guardd's own address and relay for it?

extension Doctor {
    /// Addresses of one name that are visited.
    private static let addressLimit = 2

    var upstreamFindings: [Finding] { configuration.upstreams.flatMap(findings) }

    private func findings(_ upstream: Configuration.Upstream) -> [Finding] {
        if case .program(let command) = upstream {
            return [Finding(.upstream, .ok, "\(command.first ?? ""): can be started, and is for each client; it was not tried")]
        }
        guard !deadline.isOver else { return [Finding(.upstream, .unseen, "\(upstream.text): no time was left", remedy: "see why the others take so long, then again")] }
        do throws(ProbeFailure) {
            return try addresses(of: upstream).prefix(Doctor.addressLimit).flatMap { address in
                let name = addressName(address, upstream)
                let visit = UpstreamVisit(
                    address, name: name, hostname: configuration.hostname, kind: configuration.upstreamIdentity,
                    relay: servesStrangers ? stranger : nil, domains: servesStrangers ? askedDomains : [], until: deadline)
                return findings(visit, name)
            }
        } catch {
            return [Finding(.upstream, .error, "\(upstream.text): \(error.text)", remedy: "mend upstream, or the DNS")]
        }
    }

    private func addresses(of upstream: Configuration.Upstream) throws(ProbeFailure) -> [SocketAddress] {
        switch upstream {
        case .address(let address): return [SocketAddress(address)]
        case .host(let name, let port): return try SocketAddress.all(of: name, port: port, until: deadline.within(UpstreamVisit.patience))
        case .unix(let path):
            guard let address = SocketAddress.unix(path) else { throw ProbeFailure(text: "too long for a socket") }
            return [address]
        case .program: return []
        }
    }

    private func addressName(_ address: SocketAddress, _ upstream: Configuration.Upstream) -> String {
        if case .host = upstream { return "\(upstream.text) at \(PeerAddress(address))" }
        return upstream.text
    }

    /// Strangers' mail goes to the upstream, with their addresses: it must not relay for them. Behind XFORWARD the mail
    /// server in front has seen to that, and one that only brings out mail is meant to relay.
    private var servesStrangers: Bool {
        configuration.upstreamIdentity != .xforward && configuration.listeners.contains { $0.kind == .smtp && $0.direction != .outbound }
    }

    /// An address that no mail server here delivers to.
    private var stranger: String {
        let names = ["example.net", "example.com", "example.org"]
        let policy = try? configuration.makePolicy()
        let domain = names.first { policy?.protects(Octets($0.utf8)) != true } ?? names[0]
        return "guardd-doctor@\(domain)"
    }

    /// Plain protected domains, for which a stranger's bounces are to be taken.
    private var askedDomains: [String] {
        ((try? configuration.makePolicy().protectedPatterns) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    private func findings(_ visit: UpstreamVisit, _ name: String) -> [Finding] {
        var findings: [Finding] = []
        if let keywords = visit.keywords {
            let words = keywords.lines.map { ASCII.washed($0, limit: 80) }.joined(separator: ", ")
            findings.append(Finding(.upstream, .ok, "\(name): \(visit.greeting); passed on to clients: \(words.isEmpty ? "nothing" : words)"))
        }
        if let failure = visit.failure, visit.identity == .none || visit.identity == .taken {
            let text = failure.hasPrefix(name) ? failure : "\(name): \(failure)"
            findings.append(Finding(.upstream, .error, text, remedy: "start the mail server, or mend upstream; clients get 421 meanwhile, and come again"))
        }
        findings += identityFindings(visit, name) + tlsFindings(visit, name)
        for (domain, words) in visit.refusedDomains {
            findings.append(Finding(
                .upstream, .warning, "\(name): takes no mail from <> to postmaster@\(domain): \(words)",
                remedy: "bounces to \(domain) are refused by the mail server itself: see why (relay domains, virtual domains; RFC 5321 4.5.1 wants a postmaster)"))
        }
        return findings
    }

    private func identityFindings(_ visit: UpstreamVisit, _ name: String) -> [Finding] {
        if case .refused(let words, let remedy) = visit.identity {
            let text = words.hasPrefix(name) ? words : "\(name): \(words)"
            return [Finding(.upstream, .error, "\(text), so it can't see the true clients, and guardd answers them all with 421", remedy: remedy)]
        }
        guard visit.keywords != nil, visit.failure == nil else { return [] }
        let kind = configuration.upstreamIdentity.rawValue
        if let words = visit.relays {
            let isTold = visit.identity == .taken
            let who = isTold ? "a client at \(UpstreamVisit.client), which it was told by \(kind)," : "any client, because it sees guardd's own address,"
            return [Finding(
                .upstream, .error, "\(name): relays for \(who) to \(stranger): \(words): it is an open relay",
                remedy: isTold ? "mend smtpd_relay_restrictions and mynetworks of that port: strangers may send to your own domains only"
                    : "tell it the true client (upstream_identity = \"proxy-v2\" or \"xclient\"), or take guardd's address out of its mynetworks")]
        }
        switch visit.identity {
        case .taken where configuration.upstreamIdentity == .xforward: return [Finding(.upstream, .ok, "\(name): is told the true client by XFORWARD, for its log")]
        case .taken where servesStrangers: return [Finding(.upstream, .ok, "\(name): sees the true client (\(kind)), and does not relay for one at \(UpstreamVisit.client)")]
        case .taken: return [Finding(.upstream, .ok, "\(name): is told the true client (\(kind))")]
        case .none where servesStrangers:
            return [Finding(.upstream, .warning, "\(name): sees guardd as the client of all mail (upstream_identity = \"none\"); it does not relay for it", remedy: "its block lists, rate limits and SPF checks see one client only: proxy-v2 or xclient would show the true ones")]
        case .none, .refused: return []
        }
    }

    private func tlsFindings(_ visit: UpstreamVisit, _ name: String) -> [Finding] {
        let level = configuration.effectiveUpstreamTLS
        guard level == .verify, let keywords = visit.keywords, !keywords.hasStartTLS else { return [] }
        return [Finding(
            .upstream, .error, "\(name): offers no STARTTLS, but upstream_tls = \"\(level.rawValue)\"",
            remedy: "give it a certificate (smtpd_tls_security_level = may), or write upstream_tls = \"none\" if the way to it is private")]
    }
}
