// A log as it is followed or imported: octets in, in any division; mails that left out. Cuts lines, reads what syslog puts
// before them, hands the rest to the reader of the MTA. Lines that are not understood count and mean nothing.

/// The formats of logs that can be read.
public enum MTALogFormat: String, Sendable, CaseIterable {
    case postfix, exim, sendmail
}

/// Reads the log of one MTA.
public struct MTALog: Sendable {
    /// Octets of a line that are looked at: Postfix and syslog write no longer ones.
    static let lineLimit = 16_384

    private var reader: any MTALogReader
    private let format: MTALogFormat
    private var clock: LogClock
    private var carried: Octets = []
    /// Octets behind the last line end, those that were not carried too.
    private(set) var unfinished = 0
    private var lines = 0
    /// Whether it is this mail server's log, in a form that is read.
    var recognition = LogRecognition()
    /// Time of the last line that told one; nil: none did yet.
    public private(set) var lastTime: Int64?
    public private(set) var firstTime: Int64?

    /// - Parameters:
    ///   - now: as in `now`.
    ///   - isUTC: stamps without a zone are UTC; for tests.
    public init(_ format: MTALogFormat, _ site: LogSite, now: Int64, isUTC: Bool = false) {
        self.format = format
        clock = LogClock(now: now, isUTC: isUTC)
        reader = switch format {
        case .postfix: PostfixLogReader(site)
        case .exim: EximLogReader(site)
        case .sendmail: SendmailLogReader(site)
        }
    }

    /// The present (for an old file: when it was written last), seconds since 1970. Nothing was sent later.
    public var now: Int64 {
        get { clock.now }
        set { clock.now = newValue }
    }

    public var counts: LogCounts {
        var counts = reader.counts
        counts.lines = lines
        counts.ownLines = recognition.own
        return counts
    }

    /// The mails found since the last call.
    public mutating func take() -> [LoggedMail] { reader.take() }

    /// The next octets of the log.
    public mutating func read(_ chunk: Span<UInt8>) {
        var index = 0
        while index < chunk.count {
            guard let end = chunk.firstIndex(of: ASCII.lf, from: index) else {
                carry(chunk.extracting(index..<chunk.count))
                return
            }
            if unfinished == 0 {
                line(chunk.extracting(index..<min(end, index + MTALog.lineLimit)))
            } else {
                carry(chunk.extracting(index..<end))
                finish()
            }
            index = end + 1
        }
    }

    /// The log has ended: what stands behind the last line end is a line too.
    public mutating func finish() {
        guard unfinished > 0 else { return }
        unfinished = 0
        var whole: Octets = []
        swap(&whole, &carried)
        line(whole.span)
        whole.removeAll(keepingCapacity: true)
        swap(&whole, &carried)
    }

    /// A line that began is forgotten: the file it stood in is gone.
    mutating func dropUnfinished() {
        unfinished = 0
        carried.removeAll(keepingCapacity: true)
    }

    /// A message that came without syslog's line around it, as from the journal.
    public mutating func read(message: Span<UInt8>, program: Span<UInt8>, process: Int, at time: Int64) {
        lines += 1
        note(time)
        recognize(message, program: program)
        hand(message, program: program, process: process, at: time)
    }

    private mutating func carry(_ part: Span<UInt8>) {
        unfinished += part.count
        let room = MTALog.lineLimit - carried.count
        if room > 0 { carried.append(part.extracting(0..<min(part.count, room))) }
    }

    private mutating func line(_ whole: Span<UInt8>) {
        lines += 1
        let line = whole.count > 0 && whole[whole.count - 1] == ASCII.cr ? whole.extracting(0..<whole.count - 1) : whole
        if let cut = LogLine.cut(line, &clock) {
            note(cut.time)
            recognize(line, program: line.extracting(cut.program))
            hand(line.extracting(cut.text..<line.count), program: line.extracting(cut.program), process: cut.process, at: cut.time)
        } else {
            recognizeOwnForm(line)
            if format == .exim { hand(line, program: line.extracting(0..<0), process: 0, at: lastTime ?? clock.now) }
        }
    }

    private mutating func recognize(_ line: Span<UInt8>, program: Span<UInt8>) {
        switch MTALogFormat.of(program: program) {
        case nil: recognition.readOther()
        case format: recognition.readOwn()
        case let other?: recognition.readForeign(other, line, at: clock.now)
        }
    }

    /// A line that is none of syslog's: one of Exim's own file, or one that can't be read.
    private mutating func recognizeOwnForm(_ line: Span<UInt8>) {
        guard line.skippingBlanks(from: 0) < line.count else { return }
        if let first = line.octet(at: 0), ASCII.isDigit(first), let stamp = clock.stamp(line, at: 0), line.octet(at: stamp.end) == ASCII.space {
            let isExims = EximLogReader.beginsWithMessageID(line.extracting(stamp.end + 1..<line.count))
            if format == .exim { return isExims ? recognition.readOwn() : recognition.readOther() }
            if isExims { return recognition.readForeign(.exim, line, at: clock.now) }
        }
        recognition.readStrange(line, isLikely: format.isLikely(line), at: clock.now)
    }

    /// Exim puts its own stamp before its lines, in syslog as well unless told otherwise.
    private mutating func hand(_ text: Span<UInt8>, program: Span<UInt8>, process: Int, at time: Int64) {
        let present = min(time, clock.now)
        guard format == .exim else { return reader.read(text, program: program, process: process, at: present) }
        guard program.count == 0 || program.spells("exim") else { return }
        guard let first = text.octet(at: 0), ASCII.isDigit(first), let stamp = clock.stamp(text, at: 0), text.octet(at: stamp.end) == ASCII.space else {
            if program.count > 0 { reader.read(text, program: program, process: process, at: present) }
            return
        }
        if program.count == 0 { note(stamp.time) }
        reader.read(text.extracting(stamp.end + 1..<text.count), program: program, process: process, at: min(stamp.time, clock.now))
    }

    private mutating func note(_ time: Int64) {
        if firstTime == nil { firstTime = time }
        lastTime = time
    }
}
