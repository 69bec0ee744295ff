// Which verdict each reason leads to, as one number: 4 bits a reason. So a treatment is compared and hashed without
// allocation, and "these two recipients are handled alike" is one comparison.

/// A verdict for every reason.
public struct Actions: Sendable, Hashable {
    private var packed: UInt64 = 0

    /// DESIGN.md's defaults.
    public static let standard = Actions { $0.standardAction }

    /// - Parameter verdict: called once for each reason.
    public init(_ verdict: (Reason) -> Verdict) {
        for reason in Reason.allCases { self[reason] = verdict(reason) }
    }

    public subscript(reason: Reason) -> Verdict {
        get { Self.verdicts[Int(packed >> Self.shift(reason) & 0xF)] }
        set {
            packed &= ~(0xF << Self.shift(reason))
            packed |= UInt64(newValue.severity) << Self.shift(reason)
        }
    }

    /// The same, with some reasons set otherwise.
    func overridden(by changes: [Reason: Verdict]) -> Actions {
        Actions { changes[$0] ?? self[$0] }
    }

    /// What is left of them where nothing may be refused or deferred: a domain in observe mode.
    ///
    /// `mark` and `divert` stay: they are what the administrator asked for, and no mail is turned away by them.
    var observed: Actions {
        Actions { reason in
            switch self[reason] {
            case .refuse, .defer: .deliver
            case .deliver, .mark, .divert: self[reason]
            }
        }
    }

    private static let verdicts = Verdict.allCases.sorted { $0.severity < $1.severity }

    private static func shift(_ reason: Reason) -> UInt64 {
        UInt64(reason.rank) * 4
    }
}
