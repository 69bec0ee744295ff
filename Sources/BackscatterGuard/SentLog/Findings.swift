// The sent log's answer to an Inquiry.

/// What the sent log knows of a notification's claims.
public struct Findings: Sendable, Equatable {
    public enum Availability: Sendable {
        case answered
        /// The own log can't be read; the rest of the findings says nothing.
        case failed
        /// A shared log did not answer within its deadline; the rest of the findings says nothing.
        case silent
        /// The same, for longer than bounces are to be deferred.
        case silentForLong
    }

    public var availability: Availability
    /// Parallel to `Inquiry.ids`; nil: not known to have been sent.
    public var ids: [SentRecord?]
    /// Parallel to `Inquiry.references`.
    public var references: [SentRecord?]
    /// Parallel to `Inquiry.recipients`: whether mail went from it to one of the failed recipients.
    public var knownPairs: [Bool]
    /// The log is complete, without a hole, from (now − bounce window) to now.
    public var isCovered: Bool
    /// How often the first known id came back, this time included; 0 unless the inquiry counts, or none is known.
    public var timesReturned: Int

    public init(
        availability: Availability = .answered, ids: [SentRecord?] = [], references: [SentRecord?] = [],
        knownPairs: [Bool] = [], isCovered: Bool = false, timesReturned: Int = 0
    ) {
        self.availability = availability
        self.ids = ids
        self.references = references
        self.knownPairs = knownPairs
        self.isCovered = isCovered
        self.timesReturned = timesReturned
    }

    /// Nothing known, of the right shape for `inquiry`.
    public init(nothingFor inquiry: Inquiry, _ availability: Availability) {
        self.init(
            availability: availability,
            ids: Array(repeating: nil, count: inquiry.ids.count),
            references: Array(repeating: nil, count: inquiry.references.count),
            knownPairs: Array(repeating: false, count: inquiry.recipients.count)
        )
    }
}
