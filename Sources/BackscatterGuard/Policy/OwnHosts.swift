// Which hosts are ours, as far as returned mail tells where it began: by the address that the oldest hop came from, or by
// the name of the host that took it first. Private addresses are everybody's: they tell nothing.

/// The hosts of this site.
public struct OwnHosts: Sendable {
    private let networks: [Network]
    private let addresses: Set<PeerAddress>
    private let names: DomainMap<Void>

    /// - Parameters:
    ///   - networks: `outgoing_networks`.
    ///   - addresses: this machine's, without ports.
    ///   - names: its own name and the protected domains; each stands for the names below it too.
    public init(networks: [Network], addresses: [PeerAddress], names: [Octets]) {
        self.networks = networks
        self.addresses = Set(addresses)
        var map = DomainMap<Void>()
        for name in names {
            for form in [name, [ASCII.dot] + name] {
                if let pattern = DomainPattern(form) { map[pattern] = () }
            }
        }
        self.names = map
    }

    /// The host of ours that `evidence` shows to have sent the returned mail; nil when none did.
    ///
    /// What the mail names itself was written by whoever sent the bounce: good for holding back, never for refusing.
    public func origin(of evidence: Evidence) -> String? {
        if let text = evidence.originAddresses.last, let address = PeerAddress(text), !address.isPrivate,
           addresses.contains(address) || networks.contains(where: { $0.contains(address) }) {
            return address.text
        }
        guard let host = evidence.firstReceivedHost, names.covers(host) else { return nil }
        return ASCII.washed(host, limit: 253)
    }
}

extension PeerAddress {
    /// Not unique in the internet: RFC 1918, RFC 6598, loopback, link-local, RFC 4193.
    var isPrivate: Bool { Self.privateNetworks.contains { $0.contains(self) } }

    private static let privateNetworks = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10", "fc00::/7",
    ].compactMap(Network.init)
}
