// What the event store keeps of one judged notification: enough to answer "did we lose something?" Everything of a stranger
// in it is washed and bounded when it is made, so that files, pages and terminals may show it as it is.

/// A notification that was judged, or several of the same kind that were only counted.
public struct VerdictEvent: Sendable, Equatable {
    /// Events of the same kind that are told in one, because they came too often.
    public struct Repeats: Sendable, Equatable {
        /// How many notifications.
        public var count: Int
        /// Of how many clients; beyond 64 an estimate.
        public var clients: Int
        /// Seconds since 1970 of the last one.
        public var until: Int64

        public init(count: Int, clients: Int, until: Int64) { (self.count, self.clients, self.until) = (count, clients, until) }
    }

    /// Seconds since 1970; of repeats: of the first one.
    public var time: Int64
    /// `S0000002a`, as in the log; nil for repeats.
    public var session: String?
    public var verdict: Verdict
    public var reason: Reason
    /// It would have been refused, but for observe mode or a sent log that is not complete.
    public var wouldRefuse = false
    /// Address of the host that brought it; nil for repeats.
    public var client: String?
    /// As a MAIL argument has it, without `<>`.
    public var reversePath = ""
    /// Without `<>`: at most ten. The first is the victim, where the notification is forged.
    public var recipients: [String] = []
    /// How many were accepted; of repeats: the sum.
    public var recipientCount = 0
    /// The Message-ID that decided, without `<>`.
    public var messageID: String?
    public var kind: NotificationKind?
    /// Octets of content.
    public var size: Int?
    /// What the client was told; nil when it went away before.
    public var reply: String?
    public var repeats: Repeats?

    public init(time: Int64, verdict: Verdict, reason: Reason) {
        (self.time, self.verdict, self.reason) = (time, verdict, reason)
    }

    /// How many notifications it stands for.
    public var count: Int { repeats?.count ?? 1 }

    /// A forged bounce, by what guardd knows: refused or marked as such, or let pass because nothing may be refused.
    public var isBackscatter: Bool { wouldRefuse || verdict == .refuse || reason == .neverSent }
}

extension VerdictEvent {
    /// - Returns: nil for a transaction in which nothing was judged.
    init?(_ summary: TransactionSummary, at now: Int64) {
        guard let judgement = summary.judgement else { return nil }
        self.init(time: now, verdict: judgement.verdict, reason: judgement.reason)
        session = SessionEvent.name(summary.session)
        wouldRefuse = judgement.wouldRefuse
        client = summary.shownClient
        reversePath = ASCII.washed(summary.reversePath)
        recipients = summary.forwardPaths.map { ASCII.washed($0) }
        recipientCount = summary.recipientCount
        messageID = (judgement.decidingID ?? summary.evidence?.originalMessageIDs.first).map { ASCII.washed($0.octets) }
        kind = summary.evidence?.kind
        size = summary.size
        reply = summary.reply.map { ASCII.washed($0.prefix { $0 != ASCII.cr }) }
    }

    /// What makes two events the same for folding: the verdict, why, and the first recipient.
    struct Key: Hashable, Sendable {
        var verdict: Verdict
        var reason: Reason
        var wouldRefuse: Bool
        /// nil: any.
        var victim: String?
    }

    var key: Key { Key(verdict: verdict, reason: reason, wouldRefuse: wouldRefuse, victim: recipients.first) }

    /// What was counted instead of told.
    init(_ repeats: RepeatFolding<Key>.Repeats) {
        self.init(time: repeats.first, verdict: repeats.key.verdict, reason: repeats.key.reason)
        wouldRefuse = repeats.key.wouldRefuse
        recipients = repeats.key.victim.map { [$0] } ?? []
        recipientCount = repeats.recipients
        self.repeats = Repeats(count: repeats.count, clients: repeats.clients, until: repeats.last)
    }
}
