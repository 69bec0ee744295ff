// The local log as one event loop asks it. The log belongs to all loops and to those that record: the end of one loop is
// not its end.

/// Asks a log of this machine.
public final class LocalSentLogReader: SentLogReader {
    private let log: LMDBSentLog

    public init(_ log: LMDBSentLog) { self.log = log }

    /// Answers within the call.
    public func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void) { log.ask(inquiry, at: now, answered: answered) }

    public func close() {}
}
