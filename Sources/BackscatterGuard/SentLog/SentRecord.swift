// The proof that a mail was sent. Senders stand in it as keyed hashes: it can be asked about one, not tell it.

/// What is known of one sent id, over all transactions that carried it out.
public struct SentRecord: Sendable, Equatable {
    /// Senders kept for one id; beyond that (an id sent under many addresses) every sender counts as its own.
    static let senderLimit = 8

    /// The newest time of sending, seconds since 1970.
    public var time: Int64
    /// All recipients, over all transactions.
    public var recipients: Int
    var senders: [SenderHashes]
    /// It was also sent under a reverse-path that is not known, or under more than were kept.
    var isOpen: Bool
    /// It counts only for bounces to exactly one of the senders.
    var isBound: Bool
    private let key: SentKey?

    init(time: Int64, recipients: Int, senders: [SenderHashes], isOpen: Bool, isBound: Bool = false, key: SentKey?) {
        self.isBound = isBound
        self.time = time
        self.recipients = recipients
        self.senders = senders
        self.isOpen = isOpen
        self.key = key
    }

    /// A record that no log holds: for logs that keep addresses otherwise, and for tests.
    ///
    /// - Parameter reversePath: without `<>`; empty: not known, every sender counts as its own.
    public init(time: Int64, recipients: Int, reversePath: Octets) {
        let key = SentKey(Octets(repeating: 0, count: SentKey.size))
        let sender = key.flatMap { SenderHashes(reversePath, key: $0) }
        self.init(time: time, recipients: recipients, senders: sender.map { [$0] } ?? [], isOpen: sender == nil, key: key)
    }

    /// Whether it left under this domain, a parent or a child of it; case-blind. True when the sender is not known.
    public func wasSent(from domain: Octets) -> Bool {
        guard !isOpen, let key else { return true }
        let asked = SenderHashes.domains(of: domain, key: key)
        return senders.contains { $0.belongs(to: asked) }
    }

    /// Whether it left under exactly this address (without `<>`); case-blind. True when the sender is not known.
    public func wasSent(fromAddress address: Octets) -> Bool {
        guard !isOpen, let key else { return true }
        let asked = SenderHashes.address(address, key: key)
        return senders.contains { $0.address == asked }
    }

    /// Whether it counts for a bounce to these recipients (without `<>`); none: whether it counts at all.
    func counts(for recipients: [Octets]) -> Bool {
        !isBound || recipients.isEmpty || recipients.contains { wasSent(fromAddress: $0) }
    }

    /// Takes in what another transaction, or another day, knows of the same id.
    ///
    /// What counts everywhere is not bound by what counts for one address, nor opened by it: a stranger chose that id.
    mutating func merge(_ other: SentRecord) {
        if isBound != other.isBound {
            if isBound { self = other }
            return
        }
        time = max(time, other.time)
        recipients = min(recipients + other.recipients, Int(UInt32.max))
        isOpen = isOpen || other.isOpen
        for sender in other.senders where !senders.contains(sender) {
            if senders.count < SentRecord.senderLimit { senders.append(sender) } else if !isBound { isOpen = true }
        }
    }

    public static func == (left: SentRecord, right: SentRecord) -> Bool {
        left.time == right.time && left.recipients == right.recipients && left.senders == right.senders && left.isOpen == right.isOpen
            && left.isBound == right.isBound
    }
}
