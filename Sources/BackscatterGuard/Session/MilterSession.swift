// The milter session: what guardd decides for an MTA that asks it about each mail, without sockets and clocks (milter
// protocol, version 6 and older). Packets and events come in, a `MilterSink` performs; time is an argument.
//
// Invariants that callers may rely on:
// - the end of an outgoing mail is answered only when its Message-IDs are durable in the sent log;
// - mail that is neither outgoing nor a notification is let go at MAIL, and costs nothing more;
// - trouble of guardd's own is a temporary failure or a close, which is one where `milter_default_action` is as Postfix
//   has it; nothing is ever discarded;
// - while an answer of the sent log is awaited `received` takes nothing.

public struct MilterSession {
    enum State {
        /// SMFIC_OPTNEG comes first.
        case negotiating
        /// Then SMFIC_CONNECT, once for each client of the MTA.
        case connecting
        /// Between messages.
        case idle
        /// A message that guardd looks at.
        case message
        /// Its end was said, and the reply waits for the sent log.
        case deciding
        /// A message that guardd has let go.
        case passed
        case closed
    }

    /// A number of its own, never a descriptor.
    public let number: UInt64
    public let settings: MilterSettings
    let direction: Direction

    var state = State.negotiating
    private var scanner = MilterPacketScanner()
    var macros = MilterMacros()
    /// What was agreed on.
    var options = MilterOptions(version: 0, actions: [], steps: [])
    /// The MTA's client.
    var client = PeerAddress.unixSocket
    var message: MilterMessage?
    private var messages = 0
    /// The messages whose records are awaited, in the order of asking.
    var recordsAwaited: [Int] = []
    var isStopping = false
    /// For the MTA's next command, or for the sent log's answer.
    var deadline: Int64 = .max
    var progressDue: Int64 = .max

    public init(number: UInt64, settings: MilterSettings, direction: Direction) {
        self.number = number
        self.settings = settings
        self.direction = direction
    }

    // MARK: events

    public mutating func opened(at now: Int64) { deadline = now + settings.timeout }

    /// Whether octets would be taken now.
    public var takesOctets: Bool {
        if case .deciding = state { false } else { true }
    }

    /// Octets of the MTA.
    ///
    /// - Returns: how many were taken. The rest is to be offered again, in front of what comes next, after the next event.
    public mutating func received(_ octets: Span<UInt8>, at now: Int64, into sink: some MilterSink) -> Int {
        var start = 0
        while start < octets.count {
            switch state {
            case .closed: return octets.count
            case .deciding: return start
            default: break
            }
            switch scanner.step(octets, from: start) {
            case .needsMore: return octets.count
            case .malformed:
                breakOff(.malformed, into: sink)
                return octets.count
            case .inSpan(let letter, let data, let next):
                take(letter, octets.extracting(data), at: now, into: sink)
                start = next
            case .inCarry(let letter, let next):
                let packet = scanner.takeCarried()
                take(letter, packet.span.extracting(MilterPacketScanner.carriedDataStart..<packet.count), at: now, into: sink)
                start = next
            }
        }
        return start
    }

    /// The connection has ended, in order or not.
    public mutating func ended(into sink: some MilterSink) {
        guard !isClosed else { return }
        endMessage(nil, into: sink)
        close(into: sink)
    }

    public mutating func ticked(at now: Int64, into sink: some MilterSink) {
        switch state {
        case .closed: return
        case .deciding:
            if now > deadline {
                sink.report(.milterClosed(session: number, reason: .undecided))
                answer(.temporaryFailure, logged: nil, into: sink)
                return close(into: sink)
            }
            if now >= progressDue {
                progressDue = now + settings.progressInterval
                send(.progress, into: sink)
            }
        default:
            if now > deadline { breakOff(.timeout, into: sink) }
        }
    }

    /// The daemon stops: a session between messages ends now, one within when that is answered.
    public mutating func stop(into sink: some MilterSink) {
        isStopping = true
        closeIfStopping(into: sink)
    }

    // MARK: commands

    private mutating func take(_ letter: UInt8, _ data: Span<UInt8>, at now: Int64, into sink: some MilterSink) {
        deadline = now + settings.timeout
        guard let command = MilterCommand(rawValue: letter) else { return breakOff(.malformed, into: sink) }
        switch command {
        case .quit:
            ended(into: sink)
            return
        case .negotiate: return negotiate(data, into: sink)
        default: break
        }
        if case .negotiating = state { return breakOff(.order, into: sink) }
        switch command {
        case .negotiate, .quit: break
        case .macro: if !macros.read(data) { breakOff(.malformed, into: sink) }
        case .connect: connect(data, into: sink)
        case .helo: reply(unless: .noReplyHelo, into: sink)
        case .unknown: reply(unless: .noReplyUnknown, into: sink)
        case .data: reply(unless: .noReplyData, into: sink)
        case .endOfHeader: reply(unless: .noReplyEndOfHeader, into: sink)
        case .mail: mail(data, into: sink)
        case .rcpt: recipient(data, into: sink)
        case .header: header(data, into: sink)
        case .body: body(data, into: sink)
        case .endOfMessage: endOfMessage(data, at: now, into: sink)
        case .abort: abort(into: sink)
        case .quitNewConnection:
            endMessage(nil, into: sink)
            macros.endConnection()
            client = .unixSocket
            state = .connecting
            closeIfStopping(into: sink)
        }
    }

    private mutating func negotiate(_ data: Span<UInt8>, into sink: some MilterSink) {
        guard case .negotiating = state else { return breakOff(.order, into: sink) }
        guard let offer = MilterOptions(data) else { return breakOff(.malformed, into: sink) }
        guard let agreed = MilterOptions.answer(to: offer) else { return breakOff(.version, into: sink) }
        options = agreed
        state = .connecting
        send(.negotiate(agreed, macros: MilterMacros.wanted), into: sink)
    }

    private mutating func connect(_ data: Span<UInt8>, into sink: some MilterSink) {
        guard case .connecting = state else { return breakOff(.order, into: sink) }
        guard let connect = MilterConnect(data) else { return breakOff(.malformed, into: sink) }
        client = PeerAddress(connect)
        state = .idle
        reply(unless: .noReplyConnect, into: sink)
    }

    private mutating func abort(into sink: some MilterSink) {
        guard !isConnecting else { return }
        endMessage(nil, into: sink)
        state = .idle
        closeIfStopping(into: sink)
    }

    private var isConnecting: Bool { if case .connecting = state { true } else { false } }
    private var isClosed: Bool { if case .closed = state { true } else { false } }

    /// MAIL: most mail is let go here.
    private mutating func mail(_ data: Span<UInt8>, into sink: some MilterSink) {
        guard !isConnecting else { return breakOff(.order, into: sink) }
        guard let argument = MilterData.texts(data, atMost: 1)?.first else { return breakOff(.malformed, into: sink) }
        endMessage(nil, keepsMacros: true, into: sink)
        let sender = MilterSender(data.extracting(argument), understood: macros.mailAddress)
        messages += 1
        let message = MilterMessage(number: messages, sender: sender, isOutgoing: isOutgoing)
        message.queueID = macros.queueID
        self.message = message
        state = .message
        guard isWanted(message) else { return answer(.accept, logged: MilterSession.accepted, next: .passed, into: sink) }
        send(.continue, into: sink)
    }

    private func isWanted(_ message: MilterMessage) -> Bool {
        if isExempt { return false }
        // Bounces that leave from here are not mail that can bounce back.
        if message.isOutgoing { return !message.sender.isNull }
        let policy = settings.session.policy
        guard policy.protectsAnything else { return false }
        return message.sender.isNull || message.sender.path.map(policy.isNotification) ?? true
    }

    /// The message is none of guardd's business, or has been answered before its end: the rest passes.
    static let accepted = Octets("accept".utf8)

    /// Whether the message is looked at; else the MTA gets the answer that lets it go.
    func messageOrPass(_ steps: MilterSteps, into sink: some MilterSink) -> MilterMessage? {
        if case .message = state, let message { return message }
        if case .passed = state { reply(unless: steps, into: sink) }
        return nil
    }

    /// A command that belongs to a message while there is none.
    var isOutOfOrder: Bool {
        switch state {
        case .message, .passed: false
        default: true
        }
    }

    // MARK: answers

    func send(_ response: MilterResponse, into sink: some MilterSink) {
        var octets: Octets = []
        response.append(to: &octets)
        sink.toMTA(octets)
    }

    /// CONTINUE, unless it was agreed that this step has no reply.
    func reply(unless step: MilterSteps, into sink: some MilterSink) {
        if !options.steps.contains(step) || step.isEmpty { send(.continue, into: sink) }
    }

    /// The last answer about this message.
    ///
    /// - Parameter logged: what the log line says of it.
    mutating func answer(_ response: MilterResponse, logged: Octets?, next: State = .idle, into sink: some MilterSink) {
        send(response, into: sink)
        endMessage(logged, into: sink)
        state = next
        closeIfStopping(into: sink)
    }

    mutating func closeIfStopping(into sink: some MilterSink) {
        guard isStopping, message == nil, !isClosed else { return }
        close(into: sink)
    }

    mutating func close(into sink: some MilterSink) {
        state = .closed
        deadline = .max
        sink.closeMTA()
    }

    /// The MTA can't be understood: it hears nothing more, and does what `milter_default_action` says.
    mutating func breakOff(_ reason: MilterFault, into sink: some MilterSink) {
        guard !isClosed else { return }
        sink.report(.milterClosed(session: number, reason: reason))
        endMessage(nil, into: sink)
        close(into: sink)
    }
}
