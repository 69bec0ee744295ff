// Why a verdict was reached: the rows of DESIGN.md's table "Verdict", in its order. The raw values are label values of
// metrics, words of the log and keys of `[actions]`; they are a closed set and never come from a message.

/// Why a notification was judged as it was.
///
/// The order of the cases counts: of two recipients with equal verdicts, the one whose reason stands first names it.
public enum Reason: String, Sendable, CaseIterable {
    /// An original Message-ID is in the sent log, recorded under the recipient's domain.
    case sent
    /// It is in the sent log, but was sent from another domain.
    case otherDomain = "other_domain"
    /// It is in the sent log, but came back more often than 3 × its recipients + 10.
    case replayed
    /// No id is known, but the recipient is known to have written to a failed recipient.
    case pair
    /// Ids, none of them known, and the sent log is complete for the whole bounce window.
    case neverSent = "never_sent"
    /// The same, but the sent log has a hole or is too young.
    case notCovered = "not_covered"
    /// No id and no known pair.
    case undecided
    /// No id, and the structure is broken or passed a limit.
    case unreadable
    /// The recipient carries a tag (`SRS0=`, `prvs=`, …) that the upstream checks by itself.
    case tagged
    /// A read receipt, an automatic reply, a feedback report, anything else from `<>`.
    case notABounce = "not_a_bounce"
    /// The own sent log can't be read.
    case logFailed = "log_failed"
    /// The shared sent log didn't answer within its deadline.
    case logSilent = "log_silent"

    /// What is done about it unless the configuration says otherwise: DESIGN.md's table.
    public var standardAction: Verdict {
        switch self {
        case .neverSent: .refuse
        case .logSilent: .defer
        case .sent, .otherDomain, .replayed, .pair, .notCovered, .undecided, .unreadable, .tagged, .notABounce, .logFailed: .deliver
        }
    }

    /// Place in `allCases`.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
