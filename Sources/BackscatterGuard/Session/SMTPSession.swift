// The SMTP proxy session: everything that guardd decides between one client and its upstream connection, without
// sockets and clocks (RFC 5321, 2920, 3030). Octets and events come in, a `SessionSink` performs; time is an argument.
//
// Invariants that callers may rely on:
// - octets of mail that is not held reach the upstream unchanged and once, out of the caller's span;
// - a 2xx that takes responsibility for mail is only ever the upstream's own;
// - every command is answered once, in order; what can't be answered in step ends in 421 and a close;
// - `clientSent` takes what it can and says how much; the rest must be offered again after the next event.

public struct SMTPSession {
    /// What the client's next octets are.
    enum Input {
        case command
        /// Answers to AUTH's 334; never logged.
        case authentication
        /// Content after 354, up to CRLF.CRLF.
        case content
        /// `chunkLeft` octets of a BDAT chunk.
        case chunk
        /// `chunkLeft` octets of a chunk that was refused.
        case discardedChunk
        /// A line too long: thrown away to its end.
        case discardedLine
        /// An event has to come first: a reply, a verdict, a durable record.
        case nothing
        /// TLS is being agreed on; what came in clear is thrown away (THREATS R7).
        case handshake
        /// The session is over; whatever comes is thrown away.
        case closed
    }

    /// Where content goes.
    enum Flow {
        /// Ordinary mail: to the upstream, at once.
        case through
        /// A notification that waits for its verdict.
        case held
        /// A notification that outgrew its hold: to the upstream, but its end waits for the verdict.
        case undecided
        /// Nowhere: the client gets this reply at the end of its content.
        case nowhere(Octets)
    }

    /// The upstream connection.
    enum Link {
        case none, dialling, greeting
        /// guardd's own EHLO before STARTTLS, STARTTLS itself, the handshake.
        case offeringTLS, startingTLS, securing
        /// guardd's own EHLO before XCLIENT.
        case identifying
        case xclient(left: [Octets])
        case standing
    }

    /// Why the link is being made.
    enum Need {
        /// For this command of the client's.
        case command(Octets)
        /// To release a held notification.
        case release
    }

    /// A number of its own, never a descriptor.
    public let number: UInt64
    public let settings: SessionSettings
    public let client: PeerAddress
    public let server: PeerAddress
    let direction: Direction
    let isExempt: Bool
    let isOutgoingClient: Bool
    let records: RecordRule
    /// Listed in `xforward_clients`: it says whose mail it brings.
    let mayForward: Bool
    /// How this client comes to TLS.
    let clientTLS: ClientTLS

    var input = Input.command
    var flow = Flow.through
    var link = Link.none
    var need: Need?

    /// A command line that is not complete yet, or complete and waiting.
    var line: Octets = []
    var lineIsComplete = false
    var discarded = 0
    var awaited = AwaitedReplies()
    var replies = ReplyScanner()
    var content = ContentScanner()
    var chunkLeft = 0
    var chunkIsLast = false
    /// The client's LAST chunk went up as one that is not the last.
    var lastIsWithheld = false
    /// What the client hears when the octets of a refused chunk have been thrown away.
    var chunkRefusal: Octets = []
    var headerUnstuffer = DotUnstuffer()

    /// What the client's TLS connection agreed on; nil in clear.
    var tls: TLSSummary?
    /// The upstream heard things before STARTTLS that count no more: only a new hello may follow them there.
    var upstreamIsStale = false
    /// The link is to a program of guardd's own: its environment tells it the client.
    var linkIsProgram = false
    /// With `upstream_tls = "may"` a handshake has failed: this session goes on in clear.
    var upstreamStaysInClear = false

    var helo: Octets = []
    var isExtended = false
    var keywords: Keywords?
    /// A hello of the client's was accepted: a re-made link says it again.
    var saidHello = false
    var isAuthenticated = false
    /// The link broke in a place where the client can't be kept in step: the next command gets 421.
    var isBroken = false
    /// Nothing has shown yet that upstream understood the PROXY header.
    var isUnproven = false
    /// Records asked for that the sent log has not answered yet, also those of mails that were given up.
    var recordsAwaited = 0
    var transaction: MailTransaction?
    /// What XFORWARD said of the client of the next mail, or of the one under way.
    var forwarded = XForward()
    /// The upstream has heard it, or is hearing it.
    var hasToldForwarded = false
    /// What the next upstream on the list may still replace: the greeting's refusal.
    var greetingRefusal: Octets?
    /// Terminator or last chunk that waits for the record or the verdict.
    var owed: Owed? { didSet { owedIsDue = false } }
    /// It may go up, once the reply to the chunk before it is there (RFC 2920 §3.1).
    var owedIsDue = false
    enum Owed {
        /// `.` CRLF, or CRLF when the dot has gone out already.
        case terminator(withDot: Bool)
        /// `BDAT 0 LAST`.
        case lastChunk
    }
    /// Upstream has a transaction that will not be finished; RSET goes up with the next command, or at the next tick.
    var owesReset = false
    /// Since the last delivered mail.
    var errors = 0
    var junkCommands = 0
    var penalty = Penalty.none
    /// guardd is nearly full; the driver says so when it opens the session and at each tick.
    public var isStressed = false
    var clientHasEnded = false
    /// Close as soon as upstream's outstanding replies have been passed on.
    var endsWhenAnswered = false
    /// The daemon is stopping: no further transaction begins.
    var isStopping = false

    var clientDeadline: Int64 = .max
    /// Since when the client's command is due.
    var clientExpected: Int64 = 0
    var upstreamDeadline: Int64 = .max
    var contentBegan: Int64 = 0
    var contentReceived = 0

    /// - Parameters:
    ///   - isExempt: listed in `exempt_clients`: neither judged nor recorded.
    ///   - isOutgoingClient: listed in `outgoing_networks`.
    ///   - records: of its outgoing mail.
    public init(
        number: UInt64, settings: SessionSettings, client: PeerAddress, server: PeerAddress,
        direction: Direction, isExempt: Bool, isOutgoingClient: Bool, records: RecordRule = .all, clientTLS: ClientTLS = ClientTLS()
    ) {
        self.number = number
        self.settings = settings
        self.client = client
        self.server = server
        self.direction = direction
        self.isExempt = isExempt
        self.isOutgoingClient = isOutgoingClient
        self.records = records
        mayForward = settings.networks.forwarding.contains { $0.contains(client) }
        self.clientTLS = clientTLS
    }

    // MARK: events

    /// The client is there: guardd greets by itself, at once, or when TLS stands.
    public mutating func opened(at now: Int64, into sink: some SessionSink) {
        if clientTLS.start == .implicit, tls == nil { return shakeHands(at: now, into: sink) }
        if settings.identity == .xforward, !mayForward { return refuseUnlisted(into: sink) }
        sink.toClient(settings.greeting)
        expectClient(at: now)
    }

    /// Octets of the client.
    ///
    /// - Returns: how many were taken. The rest is to be offered again, in front of what comes next, after the next event.
    public mutating func clientSent(_ octets: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Int {
        var start = 0
        defer { if clientHasEnded || isStopping { endIfDone(into: sink) } }
        while start < octets.count || lineIsComplete {
            let before = start
            switch input {
            case .command, .authentication: start = readLine(octets, from: start, at: now, into: sink)
            case .content: start = readContent(octets, from: start, at: now, into: sink)
            case .chunk: start = readChunk(octets, from: start, at: now, into: sink)
            case .discardedChunk: start = discardChunk(octets, from: start, at: now, into: sink)
            case .discardedLine: start = discardLine(octets, from: start, into: sink)
            case .nothing: return start
            case .handshake, .closed: return octets.count
            }
            if start == before && !madeProgress { return start }
            madeProgress = false
        }
        return start
    }
    /// A step that took no octets but changed the state: a kept line was run.
    var madeProgress = false

    /// Whether octets of the client would be taken now.
    public var takesClientOctets: Bool {
        if case .nothing = input { return false }
        return true
    }

    /// A whole command is kept that waits for its turn.
    public var hasWaitingCommand: Bool { lineIsComplete }

    /// The client has sent its FIN, and everything before it was taken.
    public mutating func clientEnded(at now: Int64, into sink: some SessionSink) {
        clientHasEnded = true
        endIfDone(into: sink)
    }

    /// Reading from or writing to the client failed.
    public mutating func clientFailed(into sink: some SessionSink) { drop(into: sink) }

    /// No reply is owed and no content is on its way.
    var isIdle: Bool {
        guard awaited.isEmpty, need == nil, owed == nil else { return false }
        if case .command = input { return true }
        return false
    }

    /// After every event: the end, when the client has sent its last or the daemon stops. What was said whole is answered
    /// first; what was cut is dropped (RFC 5321 §3.8).
    mutating func endIfDone(into sink: some SessionSink) {
        if clientHasEnded {
            switch input {
            case .content, .chunk, .discardedChunk, .authentication, .handshake: return drop(into: sink)
            case .command where !line.isEmpty && !lineIsComplete,
                 .discardedLine:
                if awaited.isEmpty { return drop(into: sink) }
                endsWhenAnswered = true
                input = .closed
            case .command where isIdle && !lineIsComplete: return close(into: sink)
            case .command, .nothing, .closed: break
            }
        }
        if isStopping, isIdle, transaction == nil { end(Replies.stopping, into: sink) }
    }

    // MARK: ending

    /// The client is gone or cut its content short: the upstream must never see an end that was not sent (RFC 5321 §3.8).
    mutating func drop(into sink: some SessionSink) {
        endTransaction(nil, into: sink)
        input = .closed
        unlink(into: sink)
        sink.dropClient()
    }

    /// Replies are flushed, then both sides are closed.
    mutating func close(saidQuit: Bool = false, into sink: some SessionSink) {
        endTransaction(nil, into: sink)
        input = .closed
        unlink(into: sink)
        sink.closeClient(saidQuit: saidQuit)
    }

    /// The upstream connection is closed, or given up before it stood; what it owes is forgotten.
    mutating func unlink(into sink: some SessionSink) {
        awaited.removeAll()
        replies = ReplyScanner()
        isUnproven = false
        hasToldForwarded = false
        upstreamDeadline = .max
        need = nil
        owed = nil
        owesReset = false
        if case .none = link { return }
        link = .none
        sink.hangUpUpstream()
    }

    /// 421: this session can't go on in step (RFC 5321 §3.8).
    mutating func end(_ reply: Octets, into sink: some SessionSink) {
        endTransaction(reply, into: sink)
        sink.toClient(reply)
        close(into: sink)
    }

    // MARK: replies of our own

    /// Answers a command that does not go upstream, in its place among upstream's replies.
    mutating func answer(_ reply: Octets, into sink: some SessionSink) {
        if awaited.isEmpty { sink.toClient(reply) } else { awaited.append(.own(reply)) }
    }

    /// Likewise for a command that guardd itself refuses; too many of them end the session.
    mutating func refuse(_ reply: Octets, at now: Int64, into sink: some SessionSink) {
        errors += 1
        let wasFull = awaited.isFull            // commands wait then; lines that are none come here all the same
        answer(reply, into: sink)
        if hasTooManyErrors || wasFull { endBehindReplies(into: sink) }
    }
}
