// What a reader of MTA logs has to know of the site: who is one of us. Given as questions, because the answers are made
// of networks and domains, which the log of sent mail does not know.

/// The site whose log is read.
public struct LogSite: Sendable {
    /// Which mails have their pairs (reverse-path, forward-path) recorded.
    public enum Pairs: Sendable { case withoutID, always }

    /// Whether mail from a client begins here. The address is text, as `192.0.2.7`.
    public let isOwnClient: @Sendable (Octets) -> Bool
    /// Whether bounces to an address come to us: it is in a protected domain, or has no domain at all.
    public let isOwnAddress: @Sendable (Octets) -> Bool
    /// Names of relays, in lower case, whose `250` tells the id that they give the mail. `*.example` stands for all below.
    public let relays: [Octets]
    public let pairs: Pairs
    /// Domains of ours by which an address is completed that a log shows without one; it may be any of them.
    public let domains: @Sendable () -> [Octets]

    public init(
        relays: [Octets] = [], pairs: Pairs = .withoutID, domains: @escaping @Sendable () -> [Octets] = { [] },
        isOwnClient: @escaping @Sendable (Octets) -> Bool, isOwnAddress: @escaping @Sendable (Octets) -> Bool
    ) {
        self.relays = relays.map { ASCII.lowercased($0) }
        self.pairs = pairs
        self.domains = domains
        self.isOwnClient = isOwnClient
        self.isOwnAddress = isOwnAddress
    }

    /// More domains complete nothing.
    static let domainLimit = 100

    /// The addresses that one in a log may stand for; none when no bounce to it comes to us.
    func ownAddresses(_ address: Octets) -> [Octets] {
        guard !address.isEmpty else { return [] }
        if address.contains(ASCII.at) { return isOwnAddress(address) ? [address] : [] }
        return domains().prefix(LogSite.domainLimit).map { address + [ASCII.at] + $0 }
    }

    func isRelay(_ name: Span<UInt8>) -> Bool {
        guard !relays.isEmpty, name.count > 0, name.count <= 255 else { return false }
        let name = ASCII.lowercased(name.copied())
        return relays.contains { relay in
            relay.first == 0x2A ? name.count >= relay.count && name.suffix(relay.count - 1) == relay.dropFirst() : name == relay
        }
    }
}

/// What a line of a log told: mail that left, or more about it.
public struct LoggedMail: Sendable, Equatable {
    public var entry: SentEntry
    /// When, by the log; seconds since 1970.
    public var time: Int64
}

/// Why a log's ids were not recorded, and how many were.
public struct LogCounts: Sendable, Equatable, Codable {
    /// Lines, whatever they are.
    public var lines = 0
    /// Lines of the mail server that the source names; nil: an earlier guardd did not count them.
    public var ownLines: Int?
    /// Mails of ours.
    public var mails = 0
    /// Ids, ids' beginnings and relays' ids told.
    public var ids = 0
    /// Ids of strangers' mail: mail that came in, was forwarded or injected again.
    public var strangers = 0
    /// Mails of ours with the null reverse-path.
    public var nullPaths = 0
    /// Mails that began here under an address that is not ours, and so bring no bounce.
    public var foreignPaths = 0
    /// Deliveries of strangers' mail to other sites under a return path that the log does not tell (Exim); nil: none yet.
    public var untoldPaths: Int?

    public init() {}

    public static func += (left: inout LogCounts, right: LogCounts) {
        left.lines += right.lines
        left.mails += right.mails
        left.ids += right.ids
        left.strangers += right.strangers
        left.nullPaths += right.nullPaths
        left.foreignPaths += right.foreignPaths
        if let more = right.ownLines { left.ownLines = (left.ownLines ?? 0) + more }
        if let more = right.untoldPaths { left.untoldPaths = (left.untoldPaths ?? 0) + more }
    }
}
