// What a notification says about the mail that it claims to return. Values only: the policy judges.

/// The evidence of one notification.
///
/// Every list is bounded and without repetitions; the octets are as the message has them, unwashed.
public struct Evidence: Sendable, Equatable {
    public var kind: NotificationKind = .other
    /// Ids of the returned mail, strongest first: of the innermost original (its Message-ID, then the ids that relays
    /// kept beside it), then of mails around it, then what report fields state. Empty for `autoReply` and `other`.
    public var originalMessageIDs: [MessageID] = []
    /// In-Reply-To and References of the notification's own header: second rank, for they prove nothing.
    public var referenceIDs: [MessageID] = []
    /// Addresses that the report, the text, or at last the To of the original names.
    public var failedRecipients: [Octets] = []
    /// Return-Path of the original, else its Sender or From; without `<>`.
    public var originalSender: Octets?
    /// Body of the original's Date field, unfolded.
    public var originalDate: Octets?

    /// It as seconds since 1970; nil also when it is no date.
    var originalTime: Int64? { originalDate.flatMap { MessageDate.seconds($0.span) } }
    /// IP addresses that the original's Received fields name as clients, in header order.
    public var originAddresses: [String] = []
    /// The host that the original's oldest Received field says it was received by: in lower case.
    public var firstReceivedHost: Octets?
    /// Original-Envelope-Id of the report (RFC 3464 2.2.1), as it stands there.
    public var originalEnvelopeID: Octets?
    /// The structure is broken, or a limit was hit; what the text scan found then is in the other fields all the same.
    public var isUnreadable = false

    public init() {}
}
