// The interface of the log of mail really sent: what recorders write and what verdicts ask.
// Times are seconds since 1970 and always arguments; no implementation reads a clock.

/// Where outgoing mail is recorded and returned mail is looked up. Every call may come from any thread.
public protocol SentLog: AnyObject, Sendable {
    /// Records one outgoing mail.
    ///
    /// - Parameter now: the time of sending, seconds since 1970.
    /// - Parameter whenDurable: called exactly once, on a thread of the log, never within this call while the log is
    ///   open: nil when the entry survives a crash, else why it does not.
    func record(_ entry: SentEntry, at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void)

    /// Looks up what a notification claims. Never throws: a log that can't be read is a value of the answer.
    ///
    /// - Complexity: bounded by constants and the number of days kept, whatever the inquiry holds.
    func answer(_ inquiry: Inquiry, at now: Int64) -> Findings
}
