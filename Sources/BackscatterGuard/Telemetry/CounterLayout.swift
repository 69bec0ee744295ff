// Where each counter stands in a row of numbers: one row a worker, so counting costs an addition and no lock. What is
// counted has closed sets of labels; so the row has a fixed length.

/// Some slots of the row: one for each combination of label values.
struct CounterFamily: Sendable {
    let metric: Metric
    let start: Int
    /// The labels of each slot.
    let labels: [[String]]
}

/// The slots of a histogram: one for each bound, one for what is above, and the sum in microseconds.
struct HistogramFamily: Sendable {
    /// Microseconds.
    static let bounds = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000, 60_000_000, 300_000_000]

    let metric: Metric
    let start: Int
    var sum: Int { start + Self.bounds.count + 1 }

    /// - Parameter duration: microseconds.
    func slot(_ duration: Int) -> Int { start + (Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count) }
}

/// All of the row. An object, so that who counts copies nothing of it.
final class CounterLayout: Sendable {
    static let shared = CounterLayout()

    /// Outcomes of transactions, in the order of `transactions`.
    enum Outcome: Int, CaseIterable { case judged, relay, send, cut, envelope }
    enum Refusal: String, CaseIterable { case total, perClient = "per_client", rate, proxyHeader = "proxy_header", milterClient = "milter_client", stopping }
    enum Lookup: String, CaseIterable { case known, pair, unknown, failed, silent }
    enum Traffic: Int, CaseIterable { case clientReceived, clientSent, upstreamReceived, upstreamSent, mtaReceived, mtaSent }
    enum Conversation: String, CaseIterable { case smtp, milter }
    enum TLSVersion: String, CaseIterable { case v12 = "TLSv1.2", v13 = "TLSv1.3", other }

    let verdicts, wouldRefuse, notifications, transactions, mailsRecorded, idsRecorded, idsLookedUp, idsKnown, lookups: CounterFamily
    let sessionsOpened, clientsRefused, networkBytes, tlsSessions, errors: CounterFamily
    let lookupSeconds, recordSeconds, holdSeconds: HistogramFamily
    /// Sessions that have ended, by `Conversation`; no metric of its own.
    let sessionsClosed: Int
    /// Not a counter: what is held now.
    let heldBytes: Int
    /// Length of the row.
    let size: Int

    private init() {
        var next = 0
        func family(_ metric: Metric, _ labels: [[String]] = [[]]) -> CounterFamily {
            defer { next += labels.count }
            return CounterFamily(metric: metric, start: next, labels: labels)
        }
        func histogram(_ metric: Metric) -> HistogramFamily {
            defer { next += HistogramFamily.bounds.count + 2 }
            return HistogramFamily(metric: metric, start: next)
        }
        verdicts = family(Metrics.verdicts, Verdict.allCases.flatMap { verdict in Reason.allCases.map { [verdict.rawValue, $0.rawValue] } })
        wouldRefuse = family(Metrics.wouldRefuse, Reason.allCases.map { [$0.rawValue] })
        notifications = family(Metrics.notifications, NotificationKind.allCases.map { [$0.rawValue] })
        transactions = family(Metrics.transactions, Outcome.allCases.map { ["\($0)"] })
        mailsRecorded = family(Metrics.mailsRecorded, [["durable"], ["failed"]])
        idsRecorded = family(Metrics.idsRecorded)
        idsLookedUp = family(Metrics.idsLookedUp)
        idsKnown = family(Metrics.idsKnown)
        lookups = family(Metrics.lookups, Lookup.allCases.map { [$0.rawValue] })
        sessionsOpened = family(Metrics.sessionsOpened, Conversation.allCases.map { [$0.rawValue] })
        clientsRefused = family(Metrics.clientsRefused, Refusal.allCases.map { [$0.rawValue] })
        networkBytes = family(Metrics.networkBytes, ["client", "upstream", "mta"].flatMap { [[$0, "received"], [$0, "sent"]] })
        tlsSessions = family(Metrics.tlsSessions, TLSVersion.allCases.map { [$0.rawValue] })
        errors = family(Metrics.errors, SessionError.allCases.map { [$0.rawValue] })
        lookupSeconds = histogram(Metrics.lookupSeconds)
        recordSeconds = histogram(Metrics.recordSeconds)
        holdSeconds = histogram(Metrics.holdSeconds)
        sessionsClosed = next
        heldBytes = next + Conversation.allCases.count
        size = heldBytes + 1
    }

    var families: [CounterFamily] {
        [
            verdicts, wouldRefuse, notifications, transactions, mailsRecorded, idsRecorded, idsLookedUp, idsKnown, lookups,
            sessionsOpened, clientsRefused, networkBytes, tlsSessions, errors,
        ]
    }

    var histograms: [HistogramFamily] { [lookupSeconds, recordSeconds, holdSeconds] }
}

/// What is counted as an error of a session.
enum SessionError: String, CaseIterable, Sendable {
    case identityRefused = "identity_refused"
    case unlistedClient = "unlisted_client"
    case upstreamGarbled = "upstream_garbled"
    case upstreamUnavailable = "upstream_unavailable"
    case upstreamTimeout = "upstream_timeout"
    case upstreamTLS = "upstream_tls"
    case clientTimeout = "client_timeout"
    case clientTLS = "client_tls"
    case unrecorded
    case milterMalformed = "milter_malformed"
    case milterVersion = "milter_version"
    case milterOrder = "milter_order"
    case milterTimeout = "milter_timeout"
    case milterUndecided = "milter_undecided"

    /// nil for what is none.
    init?(_ event: SessionEvent) {
        switch event {
        case .transaction: return nil
        case .identityRefused: self = .identityRefused
        case .unlistedClient: self = .unlistedClient
        case .upstreamGarbled: self = .upstreamGarbled
        case .upstreamUnavailable: self = .upstreamUnavailable
        case .upstreamTimedOut: self = .upstreamTimeout
        case .clientTimedOut: self = .clientTimeout
        case .clientHandshakeFailed: self = .clientTLS
        case .upstreamHandshakeFailed: self = .upstreamTLS
        case .unrecorded: self = .unrecorded
        case .milterClosed(_, .malformed): self = .milterMalformed
        case .milterClosed(_, .version): self = .milterVersion
        case .milterClosed(_, .order): self = .milterOrder
        case .milterClosed(_, .timeout): self = .milterTimeout
        case .milterClosed(_, .undecided): self = .milterUndecided
        }
    }
}
