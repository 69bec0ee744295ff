// A client that knows what it has sent: it reads its own octets as RFC 5321 and 3030 say and matches every reply with
// what it answers. So it can tell which reply takes responsibility for which mail.

@testable import BackscatterGuard

/// Who sends to whom, as command lines.
struct Envelope: Equatable {
    var mail: Octets
    var recipients: [Octets] = []
}

final class ClientModel {
    enum Expected {
        case greeting, hello, data, authentication, reset, quit, other
        case mail(Octets)
        case recipient(Octets)
        case chunk(Octets, isLast: Bool)
        /// Of content that ended.
        case end(Octets, hasLookAlike: Bool)
    }
    private enum Mode { case command, authentication, content, chunk(left: Int, isLast: Bool), waiting }

    private unowned let stage: Stage
    private var mode = Mode.command
    private var unparsed: Octets = []
    private var chunk: Octets = []
    /// Octets of the chunks that were accepted.
    private var chunks: Octets = []
    private var partial: Octets = []
    private(set) var expected: [Expected] = [.greeting]
    private(set) var codes: [Int] = []
    private(set) var envelope: Envelope?
    /// DATA or a chunk was refused: whether the transaction stands is not for the client to know.
    private var isUncertain = false
    /// What follows can't be told: guardd threw a line away, or can't read the size of a chunk.
    private(set) var isLost = false
    /// 421 came: the session is over.
    private(set) var wasDismissed = false
    var hasHalfReply: Bool { !partial.isEmpty }

    init(_ stage: Stage) { self.stage = stage }

    // MARK: what it says

    func says(_ octets: Octets) {
        unparsed += octets
        parse()
    }

    private func parse() {
        while !isLost {
            switch mode {
            case .waiting: return
            case .command, .authentication:
                guard parseLine() else { return }
            case .content:
                guard case .ended(let dot, let end) = ReferenceContent.find(unparsed, reportsLookAlikes: false) else { return }
                var hasLookAlike = false
                if case .lookAlike = ReferenceContent.find(unparsed) { hasLookAlike = true }
                expected.append(.end(Octets(unparsed[..<dot]), hasLookAlike: hasLookAlike))
                unparsed.removeSubrange(..<end)
                mode = .command
            case .chunk(let left, let isLast):
                let part = unparsed.prefix(left)
                chunk += part
                unparsed.removeSubrange(..<part.endIndex)
                guard part.count == left else {
                    mode = .chunk(left: left - part.count, isLast: isLast)
                    return
                }
                expected.append(.chunk(chunk, isLast: isLast))
                mode = .command
            }
        }
    }

    private func parseLine() -> Bool {
        guard let lf = unparsed.firstIndex(of: ASCII.lf) else {
            isLost = unparsed.count > 2048
            return false
        }
        var line = Octets(unparsed[..<lf])
        unparsed.removeSubrange(...lf)
        guard line.count <= 2048 else {
            isLost = true
            return false
        }
        if case .authentication = mode {
            mode = .waiting
            expected.append(.authentication)
        } else if line.last == ASCII.cr {
            line.removeLast()
            command(line)
        } else {
            expected.append(.other)
        }
        return true
    }

    private func command(_ line: Octets) {
        let hasArguments = !Command.arguments(of: line.span).isEmpty
        switch Command.verb(of: line.span) {
        case .ehlo, .helo: expected.append(.hello)
        case .mail: expected.append(.mail(line))
        case .rcpt: expected.append(.recipient(line))
        case .rset where !hasArguments: expected.append(.reset)
        case .quit where !hasArguments: expected.append(.quit)
        case .data where !hasArguments:
            expected.append(.data)
            mode = .waiting
        case .auth:
            expected.append(.authentication)
            mode = .waiting
        case .bdat:
            guard let (size, isLast) = ChunkSize.parse(line.span) else {
                isLost = true
                return
            }
            chunk = []
            mode = .chunk(left: size, isLast: isLast)
        default: expected.append(.other)
        }
    }

    // MARK: what it hears

    func hears(_ octets: Span<UInt8>) {
        partial.append(octets)
        while let end = endOfReply() {
            let reply = Octets(partial[..<end])
            partial.removeSubrange(..<end)
            heard(reply.prefix(3).reduce(0) { $0 * 10 + Int($1 & 15) })
        }
    }

    /// A line whose code has no hyphen behind it ends a reply.
    private func endOfReply() -> Int? {
        var start = 0
        while let lf = partial[start...].firstIndex(of: ASCII.lf) {
            let line = partial[start..<lf]
            promise(line.count > 3 && line.last == ASCII.cr && line.prefix(3).allSatisfy(ASCII.isDigit), "no reply: \(line)")
            if line[start + 3] != ASCII.hyphen { return lf + 1 }
            start = lf + 1
        }
        return nil
    }

    private func heard(_ code: Int) {
        codes.append(code)
        guard !isLost, !wasDismissed else { return }
        wasDismissed = code == 421
        guard !expected.isEmpty else { return promise(wasDismissed, "a \(code) that answers nothing") }
        let entry = expected.removeFirst()
        answered(entry, code)
        if !wasDismissed { parse() }
    }

    private func answered(_ entry: Expected, _ code: Int) {
        let isYes = code < 300
        switch entry {
        case .data, .authentication: break
        default: promise(code < 300 || code >= 400, "\(code) for \(entry)")
        }
        switch entry {
        case .greeting: promise(isYes || wasDismissed, "greeting \(code)")
        case .hello, .reset:
            if isYes { (envelope, chunks, isUncertain) = (nil, [], false) }
        case .mail(let line):
            guard isYes else { return }
            promise(envelope == nil || isUncertain, "MAIL within a mail was accepted")
            (envelope, chunks, isUncertain) = (Envelope(mail: line), [], false)
        case .recipient(let line):
            guard isYes else { return }
            promise(envelope != nil, "a recipient without a sender was accepted")
            envelope?.recipients.append(line)
        case .data:
            promise(code == 354 || code >= 400, "\(code) for DATA")
            promise(code != 354 || envelope?.recipients.isEmpty == false, "content without recipients")
            mode = code == 354 ? .content : .command
            if code != 354 { isUncertain = true }                 // some servers forget the mail then
        case .authentication: mode = (300..<400).contains(code) ? .authentication : .command
        case .end(let content, let hasLookAlike):
            promise(!isYes || !hasLookAlike, "a look-alike was accepted")
            isYes ? stage.accepted(envelope, content) : stage.refused()
            envelope = nil
        case .chunk(let octets, let isLast): chunkAnswered(octets, isLast, isYes)
        case .quit, .other: break
        }
    }

    private func chunkAnswered(_ octets: Octets, _ isLast: Bool, _ isYes: Bool) {
        if isYes {
            chunks += octets
            guard isLast else { return }
            stage.accepted(envelope, chunks)
            (envelope, chunks) = (nil, [])
        } else {
            if isLast { stage.refused() }
            (chunks, isUncertain) = ([], true)
        }
    }

    /// The first content whose reply is still due.
    var contentDue: Octets? {
        for case .end(let content, false) in expected { return content }
        return nil
    }
}
