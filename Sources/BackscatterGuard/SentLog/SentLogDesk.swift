// A sent log as the administrator's commands see it: calls that wait. Never from an event loop.

/// What `guardd record`, `guardd sent` and `guardd inspect` need of a log, its kind aside.
public protocol SentLogDesk: AnyObject {
    /// Records, and returns when all entries are durable.
    func recordAndWait(_ entries: [SentEntry], at now: Int64) throws(SentLogError)
    /// Likewise past mail, each with the time of its sending.
    func recordAndWait(past entries: [(entry: SentEntry, sent: Int64)]) throws(SentLogError)
    func answer(_ inquiry: Inquiry, at now: Int64) -> Findings
    /// What is known of one id, however it is written.
    func lookup(_ id: MessageID, at now: Int64) throws(SentLogError) -> SentRecord?
    /// The administrator's statement that the log is complete since `since`.
    func cover(since: Int64, at now: Int64) throws(SentLogError)
    /// Likewise over a time in the past.
    func complete(from: Int64, to: Int64) throws(SentLogError)
    /// Takes such statements back: nothing that was stated counts any more.
    func uncover() throws(SentLogError)
    /// Seconds that records are kept.
    func retention(at now: Int64) throws(SentLogError) -> Int64
    /// Lets the days expire that are due.
    func expire(at now: Int64) throws(SentLogError) -> ExpiryOutcome
    /// What `guardd sent stats` prints.
    func statisticsText(at now: Int64) throws(SentLogError) -> String
    /// What it says of coverage, line by line.
    func coverageText(at now: Int64) throws(SentLogError) -> [String]
    /// Takes a machine that sends no more off the list of a shared log.
    ///
    /// - Returns: false when there is none of that name.
    func retire(_ name: String) throws(SentLogError) -> Bool
    /// Takes an id out again that was never a mail of anybody's: the probe of `guardd selftest`.
    ///
    /// - Parameter pair: reverse-path and forward-path that were not known as a pair before; nil: pairs stay as they are.
    func forget(_ id: MessageID, pair: (from: Octets, to: Octets)?, at now: Int64) throws(SentLogError)
    func close()
}

extension LMDBSentLog: SentLogDesk {
    public func recordedSince(at now: Int64) -> Int64? { (try? statistics(at: now))?.recordedSince }
    public func complete(from: Int64, to: Int64) throws(SentLogError) { try change(.complete(from: from, to: to)) }
    public func uncover() throws(SentLogError) { try change(.withdraw) }
    public func retention(at now: Int64) throws(SentLogError) -> Int64 { try statistics(at: now).retention }
    public func statisticsText(at now: Int64) throws(SentLogError) -> String { SentReport.statistics(try statistics(at: now), at: now) }
    public func coverageText(at now: Int64) throws(SentLogError) -> [String] { SentReport.coverage(try statistics(at: now), at: now) }
    public func forget(_ id: MessageID, pair: (from: Octets, to: Octets)?, at now: Int64) throws(SentLogError) {
        try withFile { file throws(LMDBFailure) in try file.forget(id, pair: pair.map { file.key.hash(pairFrom: $0.from, to: $0.to).octets }) }
    }
    public func retire(_ name: String) throws(SentLogError) -> Bool { throw .settings("only a log that machines share has senders that can be retired") }
}
