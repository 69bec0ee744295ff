// Policies that the targets share: the standard one, one whose refusals are other actions, one that only observes.

@testable import BackscatterGuard

enum Policies {
    static let all: [Policy] = [policy { _ in }, policy { settings in
        settings.actions = [.neverSent: .mark, .otherDomain: .defer, .unreadable: .mark, .undecided: .refuse]
        settings.bind = .address
    }, policy { $0.mode = .observe }]

    private static func policy(_ change: (inout PolicySettings) -> Void) -> Policy {
        var settings = PolicySettings()
        settings.protectedDomains = [DomainPattern(Octets("example.org".utf8))].compactMap(\.self)
        change(&settings)
        return Policy(settings)
    }
}
