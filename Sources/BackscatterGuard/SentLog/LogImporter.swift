// Behind `guardd import`: past days out of logs and mailboxes, so that a site need not wait for the bounce window. What is
// recorded carries the time at which it was sent; what is older than the retention is passed over. Runs beside the daemon.

import Glibc

/// What kind of file is imported.
public enum ImportFormat: String, Sendable, CaseIterable {
    case auto, postfix, exim, sendmail, mbox, maildir

    fileprivate var log: MTALogFormat? { MTALogFormat(rawValue: rawValue) }
}

/// What became of one file.
public struct ImportOutcome: Sendable, Equatable {
    public var format = ImportFormat.auto
    public var counts = LogCounts()
    /// Ids that are in the log now.
    public var recorded = 0
    /// Ids older than the retention.
    public var expired = 0
    /// Mails in a mailbox without an id.
    public var withoutID = 0
    /// Stamps of the first and the last line; nil for mailboxes and for a log without lines.
    public var first: Int64?
    public var last: Int64?
}

/// Imports files, one after the other, in groups that are durable before the next.
public struct LogImporter {
    private static let group = 1_000
    private static let chunk = 256 << 10

    private let log: any SentLogDesk
    private let now: Int64
    private let oldest: Int64
    private let site: (MTALogFormat) -> LogSite

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - site: who is one of us, by the format of the log.
    public init(_ log: any SentLogDesk, at now: Int64, site: @escaping (MTALogFormat) -> LogSite) throws(SentLogError) {
        self.log = log
        self.now = now
        self.site = site
        oldest = now - (try log.retention(at: now))
    }

    /// - Parameter path: a log, plain or `.gz`; an mbox or a single mail; a Maildir.
    /// - Throws: cannotOpen, also for a log that can't be understood; what could be is recorded.
    public func read(_ path: String, as format: ImportFormat) throws(SentLogError) -> ImportOutcome {
        let format = format == .auto ? try LogImporter.guess(path) : format
        guard let log = format.log else { return try readMail(path, format) }
        return try readLog(path, log, format)
    }

    private func readLog(_ path: String, _ logFormat: MTALogFormat, _ format: ImportFormat) throws(SentLogError) -> ImportOutcome {
        let file = try LogImporter.open(path)
        // The year of its stamps is that in which it was written last.
        var reader = MTALog(logFormat, site(logFormat), now: min(now, LogImporter.modified(path) ?? now))
        var outcome = ImportOutcome(format: format)
        var waiting: [LoggedMail] = []
        while true {
            guard let octets = file.read(LogImporter.chunk) else { throw .cannotOpen(file: path, reason: "damaged: it ends in the middle") }
            if octets.isEmpty { reader.finish() } else { reader.read(octets.span) }
            waiting += reader.take()
            if waiting.count >= LogImporter.group || octets.isEmpty { try record(&waiting, &outcome) }
            if octets.isEmpty { break }
        }
        if let doubt = reader.recognition.conclude() { throw .cannotOpen(file: path, reason: doubt.textOfPast(logFormat)) }
        outcome.counts = reader.counts
        (outcome.first, outcome.last) = (reader.firstTime, reader.lastTime)
        return outcome
    }

    private func readMail(_ path: String, _ format: ImportFormat) throws(SentLogError) -> ImportOutcome {
        var outcome = ImportOutcome(format: format)
        var waiting: [LoggedMail] = []
        try MailFiles.read(path) { (ids: [MessageID], modified: Int64) throws(SentLogError) in
            outcome.counts.mails += 1
            if ids.isEmpty { outcome.withoutID += 1 }
            waiting.append(LoggedMail(entry: SentEntry(ids: ids, keepsPairs: false), time: min(now, modified)))
            if waiting.count >= LogImporter.group { try record(&waiting, &outcome) }
        }
        try record(&waiting, &outcome)
        return outcome
    }

    private func record(_ mails: inout [LoggedMail], _ outcome: inout ImportOutcome) throws(SentLogError) {
        var fresh: [(entry: SentEntry, sent: Int64)] = []
        for mail in mails {
            let count = mail.entry.ids.count + mail.entry.idBeginnings.count + (mail.entry.queueID == nil ? 0 : 1)
            if mail.time < oldest {
                outcome.expired += count
            } else {
                outcome.recorded += count
                fresh.append((mail.entry, mail.time))
            }
        }
        mails.removeAll(keepingCapacity: true)
        if !fresh.isEmpty { try log.recordAndWait(past: fresh) }
    }

    private static func open(_ path: String) throws(SentLogError) -> ZipReader {
        guard let file = ZipReader(path: path) else { throw .cannotOpen(file: path, reason: systemReason()) }
        return file
    }

    private static func modified(_ path: String) -> Int64? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int64(status.st_mtim.tv_sec) : nil
    }

    // MARK: What it is

    /// Looks at the beginning of a file.
    ///
    /// - Throws: cannotOpen, also for what is none of the formats.
    static func guess(_ path: String) throws(SentLogError) -> ImportFormat {
        if MailFiles.isDirectory(path) { return .maildir }
        let file = try open(path)
        guard let start = file.read(chunk) else { throw .cannotOpen(file: path, reason: "damaged") }
        if start.starts(with: Octets("From ".utf8)) { return .mbox }
        var clock = LogClock(now: .max / 2)
        var other = 0
        for line in start.split(separator: ASCII.lf, maxSplits: 400) where line.count < MTALog.lineLimit {
            let line = Octets(line)
            if let format = format(of: line.span, &clock) { return format }
            other += 1
        }
        guard looksLikeMail(start) else {
            throw .cannotOpen(file: path, reason: "no log of Postfix, Exim or sendmail, no mbox and no mail among its first \(other) lines: say --format")
        }
        return .mbox
    }

    private static func format(of line: Span<UInt8>, _ clock: inout LogClock) -> ImportFormat? {
        if let stamp = clock.stamp(line, at: 0), line.octet(at: 10) == ASCII.space, line.octet(at: stamp.end + 7) == ASCII.hyphen { return .exim }
        guard let cut = LogLine.cut(line, &clock) else { return nil }
        let program = line.extracting(cut.program)
        if program.spells("exim") { return .exim }
        if program.spells("sendmail") || program.spells("sm-") { return .sendmail }
        for name in ["/qmgr", "/cleanup", "/smtpd", "/smtp", "/pickup", "/master"] where program.count > name.utf8.count {
            if program.extracting(program.count - name.utf8.count..<program.count).copied() == Octets(name.utf8) { return .postfix }
        }
        return program.spells("postfix") ? .postfix : nil
    }

    private static func looksLikeMail(_ octets: Octets) -> Bool {
        var reader = SentHeaderReader()
        reader.read(octets.span)
        reader.finish()
        return !reader.messageIDs.isEmpty
    }
}
