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
    /// Files of a mailbox that could not be read: their ids are not in the log.
    public var unread = UnreadMail()
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

    /// - Parameter path: a log, an mbox or a single mail, plain or `.gz`; a Maildir.
    /// - Throws: cannotOpen; unreadable, also for a log that can't be understood: what could be is recorded.
    public func read(_ path: String, as format: ImportFormat) throws(SentLogError) -> ImportOutcome {
        if MailFiles.isDirectory(path), format.log == nil {
            return try readMail(.maildir) { (mail: MailFiles.Taker) throws(SentLogError) in try MailFiles.read(path, mail) }
        }
        // Opened once: it may be a pipe, and nobody may put another file in its place.
        guard let file = ZipReader(path: path) else { throw .cannotOpen(file: path, reason: systemReason()) }
        let format = try LogImporter.guess(file, path, format)
        if let log = format.log { return try readLog(file, path, log, format) }
        return try readMail(format) { (mail: MailFiles.Taker) throws(SentLogError) in try MailFiles.read(file, path, mail) }
    }

    private func readLog(_ file: ZipReader, _ path: String, _ logFormat: MTALogFormat, _ format: ImportFormat) throws(SentLogError) -> ImportOutcome {
        // The year of its stamps is that in which it was written last.
        var reader = MTALog(logFormat, site(logFormat), now: min(now, Int64(file.status.st_mtim.tv_sec)))
        var outcome = ImportOutcome(format: format)
        var waiting: [LoggedMail] = []
        while true {
            guard let octets = file.read(LogImporter.chunk) else {
                try record(&waiting, &outcome)
                throw .unreadable(file: path, reason: "damaged: it ends in the middle; import an undamaged copy of it")
            }
            if octets.isEmpty { reader.finish() } else { reader.read(octets.span) }
            waiting += reader.take()
            if waiting.count >= LogImporter.group || octets.isEmpty { try record(&waiting, &outcome) }
            if octets.isEmpty { break }
        }
        if let doubt = reader.recognition.conclude() { throw .unreadable(file: path, reason: doubt.textOfPast(logFormat)) }
        outcome.counts = reader.counts
        (outcome.first, outcome.last) = (reader.firstTime, reader.lastTime)
        return outcome
    }

    /// - Parameter source: tells the mails, and returns what it could not read.
    private func readMail(_ format: ImportFormat, from source: (MailFiles.Taker) throws(SentLogError) -> UnreadMail) throws(SentLogError) -> ImportOutcome {
        var outcome = ImportOutcome(format: format)
        var waiting: [LoggedMail] = []
        outcome.unread = try source { (ids: [MessageID], modified: Int64) throws(SentLogError) in
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

    // MARK: What it is

    /// Looks at the beginning of a file, and gives it back.
    ///
    /// - Parameter told: what the user says that it is.
    /// - Throws: unreadable, also for what is none of the formats.
    private static func guess(_ file: ZipReader, _ path: String, _ told: ImportFormat) throws(SentLogError) -> ImportFormat {
        guard let start = file.read(chunk) else { throw .unreadable(file: path, reason: "damaged; import an undamaged copy of it") }
        if let reason = MailFiles.otherForm(start) { throw .unreadable(file: path, reason: reason) }
        file.push(start)
        if told != .auto { return told }
        if start.starts(with: Octets("From ".utf8)) { return .mbox }
        var clock = LogClock(now: .max / 2)
        var other = 0
        for line in start.split(separator: ASCII.lf, maxSplits: 400) where line.count < MTALog.lineLimit {
            let line = Octets(line)
            if let format = format(of: line.span, &clock) { return format }
            other += 1
        }
        guard looksLikeMail(start) else {
            throw .unreadable(
                file: path, reason: "no log of Postfix, Exim or sendmail, no mbox and no mail among its first \(other) lines; say --format if it is one of them, else leave it out")
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
