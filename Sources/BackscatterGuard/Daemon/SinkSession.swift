// One client's dialogue with the sink: octets in, replies and messages out, no socket and no clock. It keeps to RFC 5321
// strictly (a command line ends in CRLF, MAIL is not nested, BDAT is not mixed with DATA), because what it is for is to
// see whether guardd does. SinkSession+Commands.swift has the commands.
//
// RFC 5321, 2920 (PIPELINING), 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 3461 (DSN), 3030 (CHUNKING), 2034.

/// The sink's side of a session.
public struct SinkSession: Sendable {
    enum State: Sendable {
        case proxyHeader(ProxyHeaderReader)
        case command
        case content
        case chunk(left: Int, isLast: Bool)
        case closed
    }

    /// MAIL was accepted.
    struct Transaction: Sendable {
        var reversePath: Octets
        var parameters: Octets
        var forwardPaths: [Octets] = []
        var content: SinkContent
        var isChunked = false
    }

    /// Without CRLF. RFC 5321 4.5.3.1.4 wants 512; extensions add to it.
    static let longestLine = 4_096

    let settings: SinkSettings
    let number: UInt64
    var client: PeerAddress
    var hello = Octets()
    var state = State.command
    var transaction: Transaction?
    private var line = Octets()
    private var isLineTooLong = false
    private var accepted = 0

    /// What is to be sent to the client; the caller takes it away.
    public var replies = Octets()
    /// Messages that were acknowledged; the caller takes them away.
    public var messages: [SinkMessage] = []
    /// The replies are the last ones.
    public var isClosed: Bool { if case .closed = state { true } else { false } }

    /// - Parameter number: part of the queue ids.
    public init(number: UInt64, client: PeerAddress, settings: SinkSettings) {
        self.number = number
        self.client = client
        self.settings = settings
        if settings.expectsProxyHeader { state = .proxyHeader(ProxyHeaderReader()) } else { greet() }
    }

    /// The client's next octets, in any division.
    public mutating func receive(_ span: Span<UInt8>) {
        var index = 0
        while index < span.count {
            switch state {
            case .proxyHeader(let header): index = readProxyHeader(header, span, from: index)
            case .command: index = readLine(span, from: index)
            case .content: index = readContent(span, from: index)
            case .chunk(let left, let isLast): index = readChunk(span, from: index, left: left, isLast: isLast)
            case .closed: return
            }
        }
    }

    mutating func reply(_ code: Int, _ status: EnhancedStatusCode?, _ text: String) {
        replies += Reply(code, status, text).octets
    }

    private mutating func greet() {
        reply(220, nil, "\(settings.hostname) ESMTP sink")
    }

    private mutating func readProxyHeader(_ old: ProxyHeaderReader, _ span: Span<UInt8>, from start: Int) -> Int {
        var header = old
        switch header.read(span.extracting(start..<span.count)) {
        case .needsMore:
            state = .proxyHeader(header)
            return span.count
        case .ended(let end, let told):
            client = told?.client ?? client
            state = .command
            greet()
            return start + end
        case .malformed:
            reply(421, "4.3.0", "PROXY header expected")
            state = .closed
            return span.count
        }
    }

    private mutating func readLine(_ span: Span<UInt8>, from start: Int) -> Int {
        let end = span.firstIndex(of: ASCII.lf, from: start)
        let piece = span.extracting(start..<(end ?? span.count))
        if line.count + piece.count > Self.longestLine + 1 { isLineTooLong = true }
        if !isLineTooLong { line.append(piece) }
        guard let end else { return span.count }
        var whole = line
        let wasTooLong = isLineTooLong
        line = []
        isLineTooLong = false
        if wasTooLong {
            reply(500, "5.5.2", "Line too long")
        } else if whole.popLast() == ASCII.cr {
            perform(whole.span)
        } else {
            reply(500, "5.5.2", "Command lines end in CRLF")
        }
        return end + 1
    }

    private mutating func readContent(_ span: Span<UInt8>, from start: Int) -> Int {
        guard let end = transaction?.content.read(span, from: start) else { return span.count }
        acknowledge()
        return end
    }

    private mutating func readChunk(_ span: Span<UInt8>, from start: Int, left: Int, isLast: Bool) -> Int {
        let end = start + min(left, span.count - start)
        transaction?.content.append(span.extracting(start..<end))
        let rest = left - (end - start)
        if rest > 0 { state = .chunk(left: rest, isLast: isLast) } else { endChunk(isLast: isLast) }
        return end
    }

    /// All octets of a chunk are there. Chunks of no transaction were refused before they came.
    mutating func endChunk(isLast: Bool) {
        state = .command
        guard transaction != nil else { return }
        if isLast { acknowledge() } else { reply(250, "2.0.0", "Chunk received") }
    }

    /// The message is whole.
    private mutating func acknowledge() {
        state = .command
        guard let ended = transaction else { return }
        transaction = nil
        guard !ended.content.isTooLarge else { return reply(552, "5.3.4", "Message larger than \(settings.sizeLimit) octets") }
        accepted += 1
        let digits = String(number, radix: 16, uppercase: true)
        let queueID = "SINK" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "-\(accepted)"
        messages.append(SinkMessage(
            queueID: queueID, client: client, hello: hello, reversePath: ended.reversePath, mailParameters: ended.parameters,
            forwardPaths: ended.forwardPaths, content: ended.content.octets, isChunked: ended.isChunked
        ))
        reply(250, "2.0.0", "Ok: queued as \(queueID)")
    }
}
