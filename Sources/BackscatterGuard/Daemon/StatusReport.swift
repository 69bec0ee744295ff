// What `guardd status` prints: which protected domains forged bounces are refused for, and what stands in the way.

/// The standing of each protected domain.
public struct StatusReport {
    /// One line for each pattern of `protected_domains`.
    public private(set) var lines: [String] = []
    /// Forged bounces are refused for every domain that is not to be observed.
    public private(set) var isEnforced = true

    /// - Parameters:
    ///   - isCovered: the sent log's word.
    ///   - blocks: as the daemon left them in the state directory.
    public init(_ policy: Policy, isCovered: Bool, blocks: EnforcementBlocks) {
        let blocked = blocks.all
        for pattern in policy.protectedPatterns.sorted() {
            let mode = policy.mode(ofPattern: pattern)
            if mode == .observe {
                lines.append("\(pattern): observed, nothing is refused (mode = \"observe\")")
            } else if !isCovered {
                add("\(pattern): not enforced yet, the sent log does not cover bounce_window")
            } else if mode == .auto, let block = blocked[pattern] {
                add("\(pattern): \(block.text)")
            } else {
                lines.append("\(pattern): enforced, forged bounces are refused")
            }
        }
        if lines.isEmpty { add("no domain is protected (protected_domains)") }
    }

    private mutating func add(_ line: String) {
        lines.append(line)
        isEnforced = false
    }
}
