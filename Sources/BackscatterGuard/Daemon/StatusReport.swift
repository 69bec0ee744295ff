// What `guardd status` prints of the protected domains: which of them forged bounces are refused for, and what stands in
// the way.

/// The standing of each protected domain.
public struct StatusReport {
    /// One for each pattern of `protected_domains`.
    public private(set) var domains: [StatusDocument.Domain] = []

    /// - Parameters:
    ///   - isCovered: the sent log's word.
    ///   - blocks: as the daemon left them in the state directory.
    public init(_ policy: Policy, isCovered: Bool, blocks: EnforcementBlocks) {
        let blocked = blocks.all
        for pattern in policy.protectedPatterns.sorted() {
            let mode = policy.mode(ofPattern: pattern)
            if mode == .observe {
                add(pattern, "observed", "observed, nothing is refused (mode = \"observe\")")
            } else if !isCovered {
                add(pattern, "not_covered", "not enforced yet, the sent log does not cover bounce_window")
            } else if mode == .auto, let block = blocked[pattern] {
                add(pattern, "blocked", block.text)
            } else {
                add(pattern, "enforced", "enforced, forged bounces are refused")
            }
        }
    }

    private mutating func add(_ pattern: String, _ state: String, _ text: String) {
        domains.append(.init(pattern: pattern, state: state, text: text))
    }

    /// Forged bounces are refused for every domain that is not to be observed.
    public var isEnforced: Bool { !domains.isEmpty && domains.allSatisfy { $0.state == "enforced" || $0.state == "observed" } }

    public var lines: [String] {
        domains.isEmpty ? ["no domain is protected (protected_domains)"] : domains.map { "\($0.pattern): \($0.text)" }
    }
}
