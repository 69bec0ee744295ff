// The interface of the log of mail really sent: what recorders write and what verdicts ask.
// Times are seconds since 1970 and always arguments; no implementation reads a clock.

/// Where outgoing mail is recorded. Every call may come from any thread.
public protocol SentLog: AnyObject, Sendable {
    /// Records one outgoing mail.
    ///
    /// - Parameter now: the time of sending, seconds since 1970.
    /// - Parameter whenDurable: called exactly once, on a thread of the log, never within this call while the log is
    ///   open: nil when the entry survives a crash, else why it does not.
    func record(_ entry: SentEntry, at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void)

    /// Records past mail; `whenDurable` as for `record`. The times say nothing about the clock.
    func record(past entries: [(entry: SentEntry, sent: Int64)], whenDurable: @escaping @Sendable (SentLogError?) -> Void)

    /// Changes coverage; `whenDurable` as for `record`. An opened hole counts before this returns.
    func change(_ change: CoverageChange, whenDurable: @escaping @Sendable (SentLogError?) -> Void)

    /// The heartbeat, once a minute or so: days expire and the clock is watched while no mail goes out.
    func keep(at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void)

    /// Since when, without a hole, everything is recorded, as far as is known now; nil: it isn't, or a hole is open.
    func recordedSince(at now: Int64) -> Int64?

    /// Commits what is queued and closes. Idempotent.
    func close()
}

/// Asks the log for one event loop, on whose thread it lives. A log that other machines share answers later; a layer
/// that has to do something first (import a spool, catch up with the MTA's log) wraps another reader.
public protocol SentLogReader: AnyObject {
    /// Looks up what a notification claims. Never throws: a log that can't be read, or is silent past its deadline, is
    /// a value of the answer.
    ///
    /// - Parameter answered: called exactly once, on this thread: within this call, or later by the event loop. Within
    ///   this call no other question may be answered: the asker is in the middle of serving its own session. The asker
    ///   may have lost interest by then, and says nothing about it.
    /// - Complexity: bounded by constants and the number of days kept, whatever the inquiry holds.
    func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void)

    /// The event loop ends: nothing that is still asked will be answered. Idempotent.
    func close()
}

extension SentLogReader {
    /// The same, of a log that may lack something that was sent: then an unknown id proves nothing.
    func ask(_ inquiry: Inquiry, at now: Int64, isWhole: Bool, answered: @escaping (Findings) -> Void) {
        ask(inquiry, at: now) { findings in
            var findings = findings
            if !isWhole { findings.isCovered = false }
            answered(findings)
        }
    }
}
