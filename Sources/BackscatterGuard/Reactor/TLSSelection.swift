// Which certificates stand for which server name: for each name the first of every key type that covers it, so that RSA
// and ECDSA go side by side and the client's abilities choose between them. RFC 6066 §3, RFC 6125 §6.4.

/// What the choice needs to know of a certificate.
struct TLSIdentity: Equatable {
    var names: [String]
    var keyType: String
}

/// Names to sets of certificates, each set by its indices in the configured order.
struct TLSSelection: Equatable {
    /// The sets; the first is for clients that name no server, or one that nobody knows.
    private(set) var sets: [[Int]] = []
    private var exact: [String: Int] = [:]
    /// `*.example.org` under `example.org`.
    private var wildcard: [String: Int] = [:]

    /// - Parameter identities: at least one.
    init(_ identities: [TLSIdentity]) {
        add(standardSet(identities))
        for name in identities.flatMap(\.names) {
            let index = add(TLSSelection.set(for: name, identities))
            if name.hasPrefix("*.") { wildcard[String(name.dropFirst(2))] = index } else { exact[name] = index }
        }
    }

    /// - Parameter name: as the client sent it; case does not matter, nor does a dot at the end.
    /// - Returns: an index into `sets`; nil when no certificate is for that name.
    func index(for name: String) -> Int? {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if let index = exact[name] { return index }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex else { return nil }
        return wildcard[String(name[name.index(after: dot)...])]
    }

    @discardableResult
    private mutating func add(_ set: [Int]) -> Int {
        if let index = sets.firstIndex(of: set) { return index }
        sets.append(set)
        return sets.count - 1
    }

    /// The first certificate and its fellows of other key types.
    private func standardSet(_ identities: [TLSIdentity]) -> [Int] {
        guard let name = identities.first?.names.first else { return [0] }
        let set = TLSSelection.set(for: name, identities)
        return set.contains(0) ? set : [0]
    }

    private static func set(for name: String, _ identities: [TLSIdentity]) -> [Int] {
        let above = name.firstIndex(of: ".").map { "*" + name[$0...] }
        var chosen: [String: Int] = [:]
        for isExact in [true, false] {
            for (index, identity) in identities.enumerated() where chosen[identity.keyType] == nil {
                let covers = isExact ? identity.names.contains(name) : above.map(identity.names.contains) == true
                if covers { chosen[identity.keyType] = index }
            }
        }
        return chosen.values.sorted()
    }
}
