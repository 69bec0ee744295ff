// What the configuration says to a reader of logs. A reload changes it while the reader goes on.

import Synchronization

/// Who is one of us, for one source. Any thread.
final class SourceSite: Sendable {
    private struct Facts: Sendable {
        var networks: [Network]
        var senderDomains: DomainMap<Void>
        var policy: Policy
    }

    private let facts: Mutex<Facts>
    private let source: Configuration.Source
    private let pairs: LogSite.Pairs

    init(_ source: Configuration.Source, _ configuration: Configuration, _ policy: Policy) {
        self.source = source
        pairs = configuration.recordPairs == .always ? .always : .withoutID
        facts = Mutex(SourceSite.facts(source, configuration, policy))
    }

    /// What a reload may change.
    func take(_ configuration: Configuration, _ policy: Policy) {
        let new = SourceSite.facts(source, configuration, policy)
        facts.withLock { $0 = new }
    }

    var logSite: LogSite {
        LogSite(relays: source.relayIDs.map { Octets($0.utf8) }, pairs: pairs, domains: { [self] in facts.withLock { $0.policy.protectedNames } }) { [self] address in
            guard let peer = PeerAddress(String(decoding: address, as: UTF8.self)) else { return false }
            return facts.withLock { $0.networks.contains { $0.contains(peer) } }
        } isOwnAddress: { [self] address in
            guard let at = address.lastIndex(of: ASCII.at) else { return true }
            let domain = ASCII.lowercased(address[(at + 1)...])
            return facts.withLock { facts in
                !facts.policy.protectsAnything || facts.policy.protects(domain) || facts.senderDomains.covers(domain)
            }
        }
    }

    private static func facts(_ source: Configuration.Source, _ configuration: Configuration, _ policy: Policy) -> Facts {
        var domains = DomainMap<Void>()
        for pattern in source.senderDomains { domains[pattern] = () }
        return Facts(networks: configuration.outgoingNetworks + source.networks, senderDomains: domains, policy: policy)
    }
}
