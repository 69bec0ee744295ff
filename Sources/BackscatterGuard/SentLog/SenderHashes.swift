// What the log keeps of a reverse-path: enough to tell later whether a bounce comes back to where the mail came from.

/// Hashes of a reverse-path: the whole address, its domain, and the parents of the domain down to two labels.
struct SenderHashes: Sendable, Equatable {
    /// Domains deeper than this keep their nearest parents only.
    static let domainLimit = 8

    let address: UInt64
    /// The domain itself, then its parents, longest first; 1...`domainLimit`.
    let domains: [UInt64]

    init(address: UInt64, domains: [UInt64]) {
        self.address = address
        self.domains = domains
    }

    /// - Parameter reversePath: without `<>`.
    /// - Returns: nil for a path without a domain: the MTA completes it with one that we don't know.
    init?(_ reversePath: Octets, key: SentKey) {
        guard let at = reversePath.lastIndex(of: ASCII.at) else { return nil }
        let domains = SenderHashes.domains(of: Octets(reversePath[(at + 1)...]), key: key)
        guard !domains.isEmpty else { return nil }
        self.init(address: SenderHashes.address(reversePath, key: key), domains: domains)
    }

    /// Equal, or one the parent of the other.
    func belongs(to asked: [UInt64]) -> Bool {
        guard let own = domains.first, let other = asked.first else { return false }
        return domains.contains(other) || asked.contains(own)
    }

    static func address(_ address: Octets, key: SentKey) -> UInt64 {
        key.hash(.address, ASCII.lowercased(withoutRootDot(address))).high
    }

    /// The domain and its parents of two labels and more; an address literal or a single label stands alone.
    static func domains(of domain: Octets, key: SentKey) -> [UInt64] {
        var rest = ASCII.lowercased(withoutRootDot(domain))[...]
        guard !rest.isEmpty else { return [] }
        var hashes = [key.hash(.domain, Octets(rest)).high]
        guard rest.first != 0x5B else { return hashes }
        while hashes.count < domainLimit, let dot = rest.firstIndex(of: ASCII.dot) {
            rest = rest[(dot + 1)...]
            guard rest.contains(ASCII.dot) else { break }
            hashes.append(key.hash(.domain, Octets(rest)).high)
        }
        return hashes
    }

    private static func withoutRootDot(_ domain: Octets) -> Octets {
        domain.last == ASCII.dot ? domain.dropLast() : domain
    }
}
