// Something kept by domain pattern, found by domain: the exact name first, then the longest suffix. Used for the list of
// protected domains (the value is nothing) and for the settings of single domains.

/// Values by domain, where the narrowest pattern wins.
struct DomainMap<Value: Sendable>: Sendable {
    private var exact: [Octets: Value] = [:]
    private var suffixes: [Octets: Value] = [:]

    var isEmpty: Bool { exact.isEmpty && suffixes.isEmpty }

    subscript(pattern: DomainPattern) -> Value? {
        get { pattern.isSuffix ? suffixes[pattern.domain] : exact[pattern.domain] }
        set {
            if pattern.isSuffix { suffixes[pattern.domain] = newValue } else { exact[pattern.domain] = newValue }
        }
    }

    /// Patterns that stand for one name.
    var names: [Octets] { Array(exact.keys) }

    var values: [Value] { Array(exact.values) + Array(suffixes.values) }

    /// All values whose pattern covers `domain`, the narrowest first.
    ///
    /// - Parameter domain: in lower case, without a trailing dot.
    /// - Complexity: O(length × labels); `domain` is remote and at most a command line long.
    func values(covering domain: Octets) -> [Value] {
        var found: [Value] = []
        if let value = exact[domain] { found.append(value) }
        guard !suffixes.isEmpty else { return found }
        var rest = domain[...]
        while let dot = rest.firstIndex(of: ASCII.dot) {
            rest = rest[(dot + 1)...]
            if let value = suffixes[Octets(rest)] { found.append(value) }
        }
        return found
    }

    /// Whether a pattern stands for names below `domain`, however deep.
    func hasName(below domain: Octets) -> Bool {
        let end = [ASCII.dot] + domain
        return exact.keys.contains { $0.suffix(end.count) == end[...] } || suffixes.keys.contains { $0 == domain || $0.suffix(end.count) == end[...] }
    }

    func covers(_ domain: Octets) -> Bool { !values(covering: domain).isEmpty }
}
