// What a recorder knows of one outgoing mail (or of one transaction of it: a mail may go out in several).

/// One outgoing mail, as it is handed to the sent log.
public struct SentEntry: Sendable, Equatable {
    /// Its Message-IDs; empty when it left without one.
    public var ids: [MessageID]
    /// The id under which the MTA behind queued it: an id made of it (`<…QID@…>`) then counts as sent.
    public var queueID: Octets?
    /// MAIL argument without `<>`. Empty: not known; then every sender counts as its own, and no pairs are kept.
    /// Mail with the null reverse-path is not to be recorded: no bounce of it exists (RFC 5321 §6.1).
    public var reversePath: Octets
    /// RCPT arguments without `<>`. Their number is kept, and unless `keepsPairs` is false the pairs with `reversePath`.
    public var forwardPaths: [Octets]
    /// Whether each pair (`reversePath`, forward-path) is to vouch for a bounce.
    public var keepsPairs: Bool
    /// How many recipients, where `forwardPaths` does not name all of them.
    public var recipients: Int?
    /// The ids count only for a bounce to exactly `reversePath`: a stranger chose them, and the mail went on under an
    /// address of ours.
    public var isBound = false
    /// Beginnings of ids that a log cut off (LoggedID); an id that begins so counts as sent.
    public var idBeginnings: [Octets] = []

    public init(
        ids: [MessageID], queueID: Octets? = nil, reversePath: Octets = [], forwardPaths: [Octets] = [], keepsPairs: Bool = true,
        recipients: Int? = nil
    ) {
        self.recipients = recipients
        self.keepsPairs = keepsPairs
        self.ids = ids
        self.queueID = queueID
        self.reversePath = reversePath
        self.forwardPaths = forwardPaths
    }

    /// What its ids, their beginnings and its queue id are found by.
    func names(_ key: SentKey) -> [Hash128] {
        var names = ids.map { key.hash(id: $0) } + idBeginnings.map { key.hash(.idBeginning, $0) }
        if let queueID, !queueID.isEmpty { names.append(key.hash(.queueID, queueID)) }
        return names
    }

    /// There is nothing in it that could be looked up.
    var isEmpty: Bool { ids.isEmpty && idBeginnings.isEmpty && (queueID ?? []).isEmpty && (reversePath.isEmpty || forwardPaths.isEmpty || !keepsPairs) }
}
