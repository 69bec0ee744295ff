// A strict mail server at the other end of one connection: it reads what guardd sends by the RFCs alone, holds guardd to
// their order, and answers as the script wants, but never what its state forbids.

@testable import BackscatterGuard

/// How the script wants a command answered.
enum Answer: Int, CaseIterable {
    case yes, later, no, goodbye
    /// A reply that is none to this command: the connection counts as lost.
    case odd
}

final class UpstreamModel {
    enum Pending {
        case greeting, ehlo, helo, data, reset, authentication, xclient, xforward, startTLS, quit, other
        case mail(Octets)
        case recipient(Octets)
        case end(Octets)
        case chunk(Octets, isLast: Bool)

        /// Nothing may be sent behind these before they are answered: RFC 2920 3.1, RFC 4954 4, XCLIENT_README.
        var endsGroup: Bool {
            switch self {
            case .greeting, .ehlo, .helo, .data, .end, .authentication, .xclient, .startTLS, .quit, .other: true
            case .reset, .xforward, .mail, .recipient: false
            case .chunk: false
            }
        }
    }
    private enum Mode { case header, command, authentication, handshake, content, chunk(left: Int, isLast: Bool) }

    private unowned let stage: Stage
    private let settings: StageSettings
    private var mode: Mode
    private var buffer: Octets = []
    private var chunk: Octets = []
    private(set) var pending: [Pending] = [.greeting]
    private var pipelines = false
    private var envelope: Envelope?
    private var chunks: Octets?
    /// XFORWARD has told whose the next mail is.
    private var knowsClient = false

    init(_ stage: Stage, _ settings: StageSettings) {
        self.stage = stage
        self.settings = settings
        let hasHeader = settings.identity == .proxyV1 || settings.identity == .proxyV2
        mode = hasHeader ? .header : .command
    }

    /// Content is on its way, so a reply now answers none of it.
    var isInContent: Bool {
        switch mode {
        case .content, .chunk: true
        default: false
        }
    }

    // MARK: what it hears

    func hears(_ octets: Span<UInt8>) {
        guard !octets.isEmpty else { return }
        if case .header = mode {} else if let last = pending.last {
            var isChunk = false
            if case .chunk = mode { isChunk = true }
            promise(isChunk || pipelines || !buffer.isEmpty, "octets without waiting for \(last), nothing may be pipelined")
            promise(isChunk || !last.endsGroup, "octets without waiting for \(last)")
        }
        buffer.append(octets)
        if case .handshake = mode { promise(false, "octets in clear instead of a handshake") }
        while parse() {}
    }

    private func parse() -> Bool {
        switch mode {
        case .header: return parseHeader()
        case .command: return parseLine()
        case .handshake: return false
        case .authentication:
            guard let line = takeLine() else { return false }
            checkLine(line)
            mode = .command
            pending.append(.authentication)
        case .content:
            switch ReferenceContent.find(buffer) {
            case .more: return false
            case .lookAlike: promise(false, "a look-alike of the end went upstream: \(buffer)")
            case .ended(let dot, let end):
                let content = Octets(buffer[..<dot])
                buffer.removeSubrange(..<end)
                mode = .command
                pending.append(.end(content))
                stage.contentArrived(envelope, content)
                promise(buffer.isEmpty, "octets behind the end: \(buffer)")
            }
        case .chunk(let left, let isLast):
            let part = buffer.prefix(left)
            chunk += part
            buffer.removeSubrange(..<part.endIndex)
            guard part.count == left else {
                mode = .chunk(left: left - part.count, isLast: isLast)
                return false
            }
            mode = .command
            pending.append(.chunk(chunk, isLast: isLast))
            if isLast { stage.lastChunkArrived(envelope) }
        }
        return true
    }

    private func parseHeader() -> Bool {
        let header = settings.identity == .proxyV1
            ? ProxyHeader.v1(client: Stage.client, server: Stage.server) : ProxyHeader.v2(client: Stage.client, server: Stage.server)
        guard buffer.count >= header.count else { return false }
        promise(buffer == header, "header \(buffer)")
        buffer = []
        mode = .command
        return false
    }

    private func takeLine() -> Octets? {
        guard let lf = buffer.firstIndex(of: ASCII.lf) else { return nil }
        let line = Octets(buffer[..<lf])
        buffer.removeSubrange(...lf)
        promise(line.last == ASCII.cr, "a line that LF alone ends: \(line)")
        return line.dropLast()
    }

    private func checkLine(_ line: Octets) {
        promise(!line.contains { ASCII.isControl($0) && $0 != ASCII.tab }, "controls in \(line)")
        promise(line.count <= 12_288, "a line of \(line.count)")
    }

    private func parseLine() -> Bool {
        guard let line = takeLine() else { return false }
        checkLine(line)
        let verb = Command.verb(of: line.span)
        switch verb {
        case .ehlo: pending.append(.ehlo)
        case .helo: pending.append(.helo)
        case .mail: pending.append(.mail(line))
        case .rcpt: pending.append(.recipient(line))
        case .data: pending.append(.data)
        case .rset: pending.append(.reset)
        case .auth: pending.append(.authentication)
        case .quit: pending.append(.quit)
        case .xclient:
            promise(settings.identity == .xclient, "XCLIENT of a client")
            pending.append(.xclient)
        case .bdat:
            guard let (size, isLast) = ChunkSize.parse(line.span) else { fatalError("broken: \(line)") }
            promise(settings.offersChunking, "BDAT was not offered")
            chunk = []
            mode = .chunk(left: size, isLast: isLast)
        case .noop, .vrfy, .expn, .help, .etrn: pending.append(.other)
        case .starttls:
            promise(settings.upstreamTLS != .none, "STARTTLS of a client")
            pending.append(.startTLS)
        case .xforward:
            promise(settings.mayForward && line.count <= 510, "XFORWARD of a client, or too long")
            pending.append(.xforward)
        case .proxy, .unknown, .malformed: promise(false, "\(verb) went upstream: \(line)")
        }
        return true
    }

    func secured() {
        mode = .command
        (envelope, chunks, pipelines) = (nil, nil, false)
    }

    // MARK: what it says

    /// The reply to what was heard first, nil when nothing waits for one.
    func reply(_ answer: Answer) -> (reply: Octets, ends: Bool, delivers: Bool)? {
        guard !pending.isEmpty else { return nil }
        let entry = pending.removeFirst()
        let delivered = stage.unclaimed.count
        let (code, text) = codeAndText(for: entry, answer)
        let lines = text.split(separator: "|", omittingEmptySubsequences: false)
        var reply = ""
        for (index, line) in lines.enumerated() { reply += "\(code)\(index == lines.count - 1 ? " " : "-")\(line)\r\n" }
        if case .quit = entry { return (Octets(reply.utf8), true, false) }
        return (Octets(reply.utf8), code == 421, stage.unclaimed.count > delivered)
    }

    private func codeAndText(for entry: Pending, _ answer: Answer) -> (Int, String) {
        if answer == .goodbye { return (421, "4.3.2 closing") }
        let isYes = answer == .yes
        let refusal = answer == .later ? (451, "4.3.0 later") : (550, "5.7.1 no|5.7.1 really")
        switch entry {
        case .greeting: return isYes ? (220, "mx.example.org ESMTP") : answer == .odd ? (354, "what") : refusal
        case .ehlo:
            guard isYes else { return answer == .odd ? (354, "what") : refusal }
            (envelope, chunks, pipelines, knowsClient) = (nil, nil, settings.offersPipelining, false)
            return (250, settings.keywords)
        case .helo:
            guard isYes else { return answer == .odd ? (354, "what") : refusal }
            (envelope, chunks, pipelines, knowsClient) = (nil, nil, false, false)
            return (250, "mx.example.org")
        case .xclient: return isYes ? (220, "mx.example.org ESMTP") : refusal
        case .startTLS:
            guard isYes else { return answer == .odd ? (354, "what") : refusal }
            mode = .handshake
            return (220, "2.0.0 go on")
        case .data: return dataReply(answer, refusal)
        case .authentication:
            guard isYes || answer == .odd else { return refusal }
            if answer == .odd { mode = .authentication }
            return answer == .odd ? (334, "VXNlcm5hbWU6") : (235, "2.7.0 yes")
        default: break
        }
        if answer == .odd { return (354, "what") }
        return isYes ? accept(entry) : refuse(entry, refusal)
    }

    private func dataReply(_ answer: Answer, _ refusal: (Int, String)) -> (Int, String) {
        guard answer != .odd else { return (250, "what") }
        guard answer == .yes, chunks == nil, envelope?.recipients.isEmpty == false else { return envelope == nil ? (503, "5.5.1 need MAIL") : refusal }
        mode = .content
        return (354, "go on")
    }

    private func accept(_ entry: Pending) -> (Int, String) {
        switch entry {
        case .mail(let line):
            guard envelope == nil else { return (503, "5.5.1 nested MAIL") }
            promise(settings.identity != .xforward || knowsClient, "MAIL, and its client is not known")
            envelope = Envelope(mail: line)
        case .recipient(let line):
            guard envelope != nil else { return (503, "5.5.1 need MAIL") }
            envelope?.recipients.append(line)
        case .end(let content): deliver(content)
        case .chunk(let octets, let isLast):
            guard envelope?.recipients.isEmpty == false else { return (503, "5.5.1 need RCPT") }
            chunks = (chunks ?? []) + octets
            if isLast { deliver(chunks ?? []) }
        case .xforward:
            guard envelope == nil else { return (503, "5.5.1 MAIL transaction in progress") }
            knowsClient = true
        case .reset: (envelope, chunks, knowsClient) = (nil, nil, false)
        default: break
        }
        return (250, "2.0.0 Ok: queued as 4ABCDEF")
    }

    private func refuse(_ entry: Pending, _ refusal: (Int, String)) -> (Int, String) {
        switch entry {
        case .end, .chunk: (envelope, chunks, knowsClient) = (nil, nil, false)
        default: break
        }
        return refusal
    }

    private func deliver(_ content: Octets) {
        guard let envelope else { fatalError("broken: content without a sender") }
        stage.delivers(Mail(envelope: envelope, content: content))
        (self.envelope, chunks, knowsClient) = (nil, nil, false)
    }
}
