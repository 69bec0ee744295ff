// The question that a notification puts to the sent log.

/// What is looked up for one notification.
///
/// More ids, references or pairs than the limits below are not looked up and count as unknown:
/// a stranger chooses how many a notification holds.
public struct Inquiry: Sendable, Equatable {
    /// At most so many of `ids`, and of `references`, are looked up.
    public static let idLimit = 64
    /// At most so many pairs (recipient, failed recipient) are looked up.
    public static let pairLimit = 256
    /// Of so many recipients, at most, it is asked whether an id is bound to them. A bounce has one.
    static let boundLimit = 8

    /// Ids of the mail that is said to come back, strongest first.
    public var ids: [MessageID]
    /// Ids of second rank: In-Reply-To and References of the notification itself.
    public var references: [MessageID]
    /// Whom the notification is for, without `<>`.
    public var recipients: [Octets]
    /// To whom the returned mail went, without `<>`.
    public var failedRecipients: [Octets]
    /// The last question about this notification: it is counted for the reason `replayed`.
    public var countsReturn: Bool

    public init(
        ids: [MessageID] = [], references: [MessageID] = [], recipients: [Octets] = [],
        failedRecipients: [Octets] = [], countsReturn: Bool = false
    ) {
        self.ids = ids
        self.references = references
        self.recipients = recipients
        self.failedRecipients = failedRecipients
        self.countsReturn = countsReturn
    }
}
