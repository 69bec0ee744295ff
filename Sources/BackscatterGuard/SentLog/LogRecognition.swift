// Does a log tell what its source says: is it the named mail server's, in a form that is read? If not, mail leaves
// unrecorded, and nothing else would show it. A line of the mail server's ends all doubt. What speaks against it is counted
// since the last of them, by what the lines look like, because other programs write into the same log, and a mail server
// may be quiet for days.

/// What speaks against a log.
struct LogDoubt: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// Lines without stamp, program and text in a known place.
        case strange
        /// Lines of another mail server.
        case foreign(MTALogFormat)
    }

    let kind: Kind
    /// Lines when the doubt became one.
    let lines: Int
    /// One of them, with its beginning only.
    let sample: Octets
    /// When the first of them was read, seconds since 1970.
    let since: Int64
}

/// Judges the lines of one log.
struct LogRecognition: Sendable {
    /// So many lines leave no doubt at once.
    static let many = 100
    /// So many that look like the mail server's, when others of its lines were read before and `patience` is over.
    static let some = 10
    /// Seconds after which fewer will do.
    static let patience: Int64 = 300
    private static let sampleLength = 160

    /// Lines of the mail server's.
    private(set) var own = 0
    /// What there has been no line of the mail server's for since it was clear.
    private(set) var doubt: LogDoubt?
    /// Since the last line of the mail server's.
    private var (others, foreign, strange, likely) = (0, 0, 0, 0)
    private var other: MTALogFormat?
    private var since: Int64 = 0
    private var sample: Octets = []
    private var ended: LogDoubt?

    /// A line of the mail server's, in a known form.
    mutating func readOwn() {
        own += 1
        guard others | foreign | strange > 0 else { return }
        if let doubt, ended == nil { ended = doubt }
        clear()
    }

    private mutating func clear() {
        (doubt, others, foreign, strange, likely) = (nil, 0, 0, 0, 0)
        sample = []
    }

    /// What was read until now raises no doubt.
    mutating func forget() {
        clear()
        ended = nil
    }

    /// A line of a program that is no mail server.
    mutating func readOther() { others += 1 }

    mutating func readForeign(_ format: MTALogFormat, _ line: Span<UInt8>, at now: Int64) {
        guard own == 0 else { return others += 1 }
        note(line, at: now)
        foreign += 1
        other = format
        judge(at: now)
    }

    /// - Parameter isLikely: it looks like one of the mail server's.
    mutating func readStrange(_ line: Span<UInt8>, isLikely: Bool, at now: Int64) {
        note(line, at: now)
        strange += 1
        if isLikely {
            if likely == 0 { sample = LogRecognition.beginning(of: line) }
            likely += 1
        }
        judge(at: now)
    }

    /// To be called from time to time: doubt grows when nothing speaks against it.
    mutating func judge(at now: Int64) {
        guard doubt == nil else { return }
        let isLate = now >= since + LogRecognition.patience || now < since
        let enough = isLate ? (own == 0 ? 1 : LogRecognition.some) : LogRecognition.many
        if foreign >= (isLate ? 1 : LogRecognition.many), let other {
            doubt = LogDoubt(kind: .foreign(other), lines: foreign, sample: sample, since: since)
        } else if likely >= enough || strange >= (own == 0 ? enough : LogRecognition.many) && isMostlyStrange {
            doubt = LogDoubt(kind: .strange, lines: strange, sample: sample, since: since)
        }
    }

    /// Lines came whose meaning will be clear soon: what they tell may be missing.
    func isUnsure(at now: Int64) -> Bool {
        doubt == nil && (likely > 0 || foreign > 0 || strange > 0 && own == 0 && isMostlyStrange) && (since..<since + LogRecognition.patience).contains(now)
    }

    /// What speaks against a log that was read to its end: no line of the mail server's will come.
    mutating func conclude() -> LogDoubt? {
        if let ended { return ended }
        judge(at: .max)
        return doubt
    }

    /// A doubt that a line of the mail server's has ended, once.
    mutating func takeEnded() -> LogDoubt? {
        defer { ended = nil }
        return ended
    }

    /// Traces of several lines, or of what a program wrote besides, stand between whole lines.
    private var isMostlyStrange: Bool { strange >= 9 * others }

    private mutating func note(_ line: Span<UInt8>, at now: Int64) {
        guard foreign == 0, strange == 0 else { return }
        since = now
        sample = LogRecognition.beginning(of: line)
    }

    private static func beginning(of line: Span<UInt8>) -> Octets { line.extracting(0..<min(line.count, sampleLength)).copied() }
}

extension MTALogFormat {
    /// Whose line it is, by the program; nil: no mail server's.
    static func of(program: Span<UInt8>) -> MTALogFormat? {
        if program.spells("postfix") { return .postfix }
        if program.spells("exim") { return .exim }
        if program.spells("sendmail") || program.spells("sm-") { return .sendmail }
        if case .other = PostfixLogReader.program(program) { return nil }
        return .postfix
    }

    /// A line that can't be cut has words of this mail server's.
    func isLikely(_ line: Span<UInt8>) -> Bool {
        switch self {
        case .postfix: line.firstPlace(of: "postfix") != nil || line.firstPlace(of: "message-id=<") != nil || line.firstPlace(of: "status=sent") != nil
        case .exim: line.firstPlace(of: "exim") != nil || line.firstPlace(of: " <= ") != nil || line.firstPlace(of: " => ") != nil
        case .sendmail: line.firstPlace(of: "sendmail") != nil || line.firstPlace(of: "sm-mta") != nil || line.firstPlace(of: "stat=Sent") != nil
        }
    }

    /// As its makers write it.
    var product: String {
        switch self {
        case .postfix: "Postfix"
        case .exim: "Exim"
        case .sendmail: "sendmail"
        }
    }
}

extension LogDoubt {
    /// The fact, and behind a semicolon what to do.
    func text(_ format: MTALogFormat) -> String { "\(fact(format)), and mail sent since \(UTC.text(since)) is not known; \(remedy(format))" }

    /// The same of a log of past days.
    func textOfPast(_ format: MTALogFormat) -> String { "\(fact(format)), as \"\(ASCII.washed(sample, limit: 120))\"; say --format if it is another's" }

    private func fact(_ format: MTALogFormat) -> String {
        switch kind {
        case .strange: "not read as \(format.product)'s log: \(lines) lines can't be cut into time, program and text"
        case .foreign(let other): "not \(format.product)'s log: \(lines) lines of \(other.product), none of \(format.product)'s"
        }
    }

    private func remedy(_ format: MTALogFormat) -> String {
        let shown = ASCII.washed(sample, limit: 120)
        return switch kind {
        case .strange: "look whether format and path fit, and let syslog write one of the forms in docs/sources.md. The first line: \(shown)"
        case .foreign(let other): "write format = \"\(other.rawValue)\", or the path of \(format.product)'s log. The first line: \(shown)"
        }
    }
}
