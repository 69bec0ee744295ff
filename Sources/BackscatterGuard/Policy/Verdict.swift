// The decision about a notification. Everywhere the same five words: code, log, metrics, configuration.

/// What happens to a notification, from the mildest to the harshest.
///
/// Source: Postfix access(5); DESIGN.md, "Words".
public enum Verdict: String, Sendable, CaseIterable {
    /// It goes on to the upstream unchanged.
    case deliver
    /// It goes on, with an `X-Guardd-Verdict` field before its content.
    case mark
    /// It goes to a review mailbox. Configuration refuses the word until there is one.
    case divert
    /// 451: the other side keeps it and comes back.
    case `defer`
    /// 550 5.7.1.
    case refuse

    /// 0 for the mildest. The order in which several recipients' verdicts are compared.
    var severity: Int {
        switch self {
        case .deliver: 0
        case .mark: 1
        case .divert: 2
        case .defer: 3
        case .refuse: 4
        }
    }

    /// The harsher of two.
    static func harsher(_ one: Verdict, _ other: Verdict) -> Verdict {
        one.severity >= other.severity ? one : other
    }
}
