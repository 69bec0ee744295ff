// `guardd import` for the command line: who is one of us by the configuration, and what is printed.

/// Imports with a configuration's knowledge of the site, and tells about it.
public struct ImportReport {
    private let configuration: Configuration
    private let policy: Policy
    private let log: any SentLogDesk
    private let now: Int64
    private let importer: LogImporter
    /// Over all logs imported so far.
    private var first: Int64?
    private var last: Int64?
    /// Files of mailboxes that could not be read.
    public private(set) var unread = 0

    /// - Throws: what keeps the log from being read.
    public init(_ configuration: Configuration, _ policy: Policy, _ log: any SentLogDesk, at now: Int64) throws(SentLogError) {
        self.configuration = configuration
        self.policy = policy
        self.log = log
        self.now = now
        importer = try LogImporter(log, at: now) { format in ImportReport.site(format, configuration, policy) }
    }

    /// The networks, domains and relays of all sources of a format.
    private static func site(_ format: MTALogFormat, _ configuration: Configuration, _ policy: Policy) -> LogSite {
        var all = Configuration.Source(format: format, path: "")
        for source in configuration.sources where source.format == format {
            all.networks += source.networks
            all.senderDomains += source.senderDomains
            all.relayIDs += source.relayIDs
        }
        return SourceSite(all, configuration, policy).logSite
    }

    /// Imports one file.
    ///
    /// - Returns: lines for people.
    public mutating func read(_ path: String, as format: ImportFormat) throws(SentLogError) -> [String] {
        let outcome = try importer.read(path, as: format)
        unread += outcome.unread.count
        if let time = outcome.first { first = min(first ?? time, time) }
        if var time = outcome.last {
            // A log that is still written is complete up to now: its end was reached.
            if configuration.sources.contains(where: { !$0.isJournal && configuration.path($0.path) == path }) { time = max(time, now) }
            last = max(last ?? time, time)
        }
        return ImportReport.lines(path, outcome)
    }

    private static func lines(_ path: String, _ outcome: ImportOutcome) -> [String] {
        let counts = outcome.counts
        var lines = ["\(path): \(outcome.format.rawValue), \(counts.lines) lines, \(counts.mails) mails of ours, \(outcome.recorded) ids recorded"]
        if outcome.format == .mbox || outcome.format == .maildir {
            lines = ["\(path): \(outcome.format.rawValue), \(counts.mails) mails, \(outcome.recorded) ids recorded"]
        }
        if let first = outcome.first, let last = outcome.last { lines.append("  from \(UTC.text(first)) to \(UTC.text(last))") }
        let passed: [(Int, String)] = [
            (counts.strangers, "ids of mail that did not begin here"), (counts.foreignPaths, "mails under an address that is not ours"),
            (counts.nullPaths, "mails with the null reverse-path"), (outcome.expired, "ids older than the retention"),
            (outcome.withoutID, "mails without an id"),
        ]
        for (count, what) in passed where count > 0 { lines.append("  not recorded: \(count) \(what)") }
        return lines + outcome.unread.lines.map { "  not read: \($0)" }
    }

    /// States, if it is to be stated, that the imported logs hold all mail of their time; tells the coverage that results.
    ///
    /// - Parameter isWhole: whether all files could be read; if not, nothing is stated.
    public func conclude(covers: Bool, isWhole: Bool) throws(SentLogError) -> [String] {
        var lines: [String] = []
        if !isWhole, covers || first != nil {
            lines.append("nothing is stated as complete: not all could be read")
        } else if let first, let last {
            if covers { try log.complete(from: first, to: last + 1) }
            let time = "from \(UTC.text(first)) to \(UTC.text(last))"
            lines.append(covers ? "stated as complete: \(time)" : "if these logs tell of all mail that left \(time), say so: guardd import --covers")
        } else if covers {
            lines.append("nothing is stated as complete: no log with stamps was imported (see guardd sent cover)")
        }
        return lines + (try log.coverageText(at: now))
    }
}
