// What all sessions of one configuration share; a reload makes a new one for new sessions. Immutable, but for the memory
// of upstream's last EHLO answer: it is nearly always the same, and reading it costs as much as a small mail.

import Synchronization

/// How the upstream is told who the client is.
///
/// Source: HAProxy's proxy-protocol.txt; Postfix XCLIENT_README, XFORWARD_README.
public enum UpstreamIdentity: String, Sendable, CaseIterable {
    case proxyV2 = "proxy-v2", proxyV1 = "proxy-v1", xclient
    /// It isn't. Then the upstream must trust no client for its address.
    case none
    /// For its log only: the upstream grants nothing for it, so none but `xforward_clients`, which have checked theirs, may come.
    case xforward
}

/// Which way the mail of a listener goes.
public enum Direction: String, Sendable, CaseIterable {
    /// Notifications are judged.
    case inbound
    /// Message-IDs are recorded.
    case outbound
    /// Outgoing when the client authenticated or is in `outgoing_networks`, else inbound.
    case auto
}

/// What becomes of an outgoing mail that can't be recorded (THREATS.md section 4).
public enum RecordFailure: String, Sendable, CaseIterable {
    /// It is refused for now; nothing leaves unrecorded.
    case tempfail
    /// It leaves, and the coverage of the sent log gets a hole.
    case pass
}

/// Of which outgoing mail the pairs (reverse-path, forward-path) are recorded: a known pair delivers a bounce whose ids are
/// not known.
public enum PairRecording: String, Sendable, CaseIterable {
    /// Of mail without a Message-ID: nothing else could vouch for its bounce.
    case withoutID = "without_id"
    /// Of all, for sites whose relay gives mail another Message-ID.
    case always
}

/// Limits, deadlines and texts of a session. Durations are in milliseconds of a monotonic clock.
public final class SessionSettings: Sendable {
    public let hostname: String
    public let identity: UpstreamIdentity
    public let policy: Policy
    public let recordFailure: RecordFailure
    public let recordPairs: PairRecording
    public let refusesBareLineEndings: Bool
    public let refusalURL: String?
    public let holdLimit: Int
    public let limits: SessionLimits
    public let timeouts: SessionTimeouts
    public let upstreamTLS: UpstreamTLS
    /// AUTH is carried in clear too.
    public let authWithoutTLS: Bool
    public let networks: ClientNetworks
    /// The 220 to the client.
    let greeting: Octets
    /// What ends the 550: the configured URL, washed, and CRLF.
    let refusalTail: Octets
    /// By place, see `offer`.
    private let lastKeywords = Mutex<[OfferKey: (reply: Octets, offer: Offer)]>([:])

    /// Upstream's keywords and guardd's own answer made of them.
    struct Offer: Sendable {
        let keywords: Keywords
        let answer: Octets
    }

    /// Where a client stands; what it is offered depends on it.
    enum OfferPlace: Hashable { case clear, beforeTLS, insideTLS }
    private struct OfferKey: Hashable {
        let place: OfferPlace
        let withXForward: Bool
    }

    /// What to offer the client after upstream's `reply` to EHLO (THREATS R12).
    func offer(for reply: Octets, at place: OfferPlace, withXForward: Bool = false) -> Offer {
        let key = OfferKey(place: place, withXForward: withXForward)
        if let last = lastKeywords.withLock({ $0[key] }), last.reply == reply { return last.offer }
        var keywords = Keywords(reply: reply.span, isInsideTLS: place == .insideTLS)
        if place == .beforeTLS, !authWithoutTLS { keywords.remove("auth") }
        let own = (place == .beforeTLS ? ["STARTTLS"] : []) + (withXForward ? [XForward.keyword] : [])
        let offer = Offer(keywords: keywords, answer: keywords.reply(hostname: hostname, adding: own))
        lastKeywords.withLock { $0[key] = (reply, offer) }
        return offer
    }

    public init(
        hostname: String, identity: UpstreamIdentity, policy: Policy, recordFailure: RecordFailure = .tempfail, recordPairs: PairRecording = .withoutID,
        refusesBareLineEndings: Bool = false, refusalURL: String? = nil, holdLimit: Int = 256 * 1024,
        limits: SessionLimits = SessionLimits(), timeouts: SessionTimeouts = SessionTimeouts(),
        upstreamTLS: UpstreamTLS = .none, authWithoutTLS: Bool = false,
        networks: ClientNetworks = ClientNetworks()
    ) {
        self.hostname = hostname
        self.identity = identity
        self.policy = policy
        self.recordFailure = recordFailure
        self.recordPairs = recordPairs
        self.refusesBareLineEndings = refusesBareLineEndings
        self.refusalURL = refusalURL
        self.holdLimit = holdLimit
        self.limits = limits
        self.timeouts = timeouts
        self.upstreamTLS = upstreamTLS
        self.authWithoutTLS = authWithoutTLS
        self.networks = networks
        refusalTail = Octets((refusalURL.map { ", see \(ASCII.washed($0.utf8, limit: 120))" } ?? "").utf8) + [ASCII.cr, ASCII.lf]
        greeting = Reply(220, nil, "\(hostname) ESMTP").octets
    }
}

/// RFC 5321 §4.5.3.2, in milliseconds.
public struct SessionTimeouts: Sendable, Equatable {
    /// A client's next command, whole (§4.5.3.2.7; THREATS R21).
    public var clientCommand: Int64 = 300_000
    /// A TLS handshake, whole (THREATS R8).
    public var handshake: Int64 = 60_000
    /// Content may take this long, and `clientOctet` more for each octet that came.
    public var clientContent: Int64 = 300_000
    /// Octets a second that slow content must reach: 500.
    public var clientOctetsPerSecond: Int64 = 500
    /// connect(2) to one upstream.
    public var upstreamConnect: Int64 = 30_000
    public var upstreamGreeting: Int64 = 300_000      // §4.5.3.2.1
    public var upstreamCommand: Int64 = 300_000       // §4.5.3.2.2, .3
    public var upstreamDataInitiation: Int64 = 120_000 // §4.5.3.2.4
    public var upstreamDataBlock: Int64 = 180_000     // §4.5.3.2.5
    public var upstreamDataTermination: Int64 = 600_000 // §4.5.3.2.6

    public init() {}
}
