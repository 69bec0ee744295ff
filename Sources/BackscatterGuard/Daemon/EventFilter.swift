// Which events `guardd events` shows.

/// What is asked for; what is nil or empty asks for nothing.
public struct EventFilter: Sendable {
    /// How `guardd events` calls what was done: a verdict, or that it would have been to refuse.
    public enum Outcome: String, Sendable, CaseIterable {
        case deliver, mark, divert, `defer`, refuse
        case wouldRefuse = "would-refuse"
    }

    /// Seconds since 1970.
    public var since: Int64 = .min
    public var outcomes: Set<Outcome> = []
    public var reasons: Set<Reason> = []
    /// An address, or a domain with or without `@`; in any case.
    public var recipient: String?
    /// With or without `<>`.
    public var messageID: String?
    public var client: String?

    public init() {}

    public func takes(_ event: VerdictEvent) -> Bool {
        guard (event.repeats?.until ?? event.time) >= since else { return false }
        if !outcomes.isEmpty, !outcomes.contains(event.outcome) { return false }
        if !reasons.isEmpty, !reasons.contains(event.reason) { return false }
        if let client, event.client != client { return false }
        if let messageID, event.messageID != messageID.trimmingBrackets { return false }
        guard let recipient else { return true }
        return event.recipients.contains { EventFilter.fits($0, recipient) }
    }

    private static func fits(_ address: String, _ wanted: String) -> Bool {
        let (address, wanted) = (ASCII.lowercased(address.utf8), ASCII.lowercased(wanted.trimmingBrackets.utf8))
        guard let at = wanted.lastIndex(of: ASCII.at) else { return address.suffix(wanted.count + 1).elementsEqual([ASCII.at] + wanted) }
        return at == 0 && wanted.count > 1 ? address.suffix(wanted.count).elementsEqual(wanted) : address == wanted
    }
}

extension String {
    fileprivate var trimmingBrackets: String {
        hasPrefix("<") && hasSuffix(">") && utf8.count > 1 ? String(dropFirst().dropLast()) : self
    }
}

extension VerdictEvent {
    public var outcome: EventFilter.Outcome {
        if wouldRefuse { return .wouldRefuse }
        return switch verdict {
        case .deliver: .deliver
        case .mark: .mark
        case .divert: .divert
        case .defer: .defer
        case .refuse: .refuse
        }
    }

    /// What stands above the columns of `row`.
    public static let heading = row("TIME (UTC)", "VERDICT", "REASON", "RECIPIENT", "CLIENT", "MESSAGE-ID")

    /// A line for people. Nothing is cut off, because it is there to be copied from.
    public var row: String {
        let victim = (recipients.first ?? "-") + (recipientCount > 1 && repeats == nil ? " +\(recipientCount - 1)" : "")
        let host = repeats.map { "\($0.clients) client\($0.clients == 1 ? "" : "s")" } ?? client ?? "-"
        let id = repeats.map { "\($0.count) more until \(UTC.text($0.until).dropFirst(11).dropLast())" } ?? messageID.map { "<\($0)>" } ?? "-"
        return Self.row(String(UTC.text(time).dropLast()), outcome.rawValue, reason.rawValue, victim, host, id)
    }

    private static func row(_ time: String, _ outcome: String, _ reason: String, _ victim: String, _ host: String, _ id: String) -> String {
        func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.utf8.count)) }
        return [padded(time, 19), padded(outcome, 12), padded(reason, 12), padded(victim, 28), padded(host, 15), id].joined(separator: " ")
    }
}
