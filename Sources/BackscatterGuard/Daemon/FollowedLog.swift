// What a follower reads: a log file through its rotations, or the journal through journalctl.

/// A log that grows. Used by one thread.
protocol FollowedLog: AnyObject {
    /// What comes next.
    ///
    /// - Parameter now: milliseconds of the monotonic clock.
    func next(at now: Int64) -> LogTail.Step

    /// Octets that were written and not read; 0 where nobody knows.
    var behind: Int { get }

    /// A descriptor that is readable when there is more; nil: look from time to time.
    var wake: CInt? { get }

    /// Milliseconds that it may take until what was logged just now can be read, once it was asked for.
    var patience: Int64 { get }

    /// Milliseconds before now up to which all was read when nobody has asked and `next` says `.end`.
    var lateness: Int64 { get }

    /// Somebody wants all that is logged by now: `next` says `.end` only when that was read.
    func look()

    /// What has to be saved to go on here after a stop; nil: nothing was read yet.
    func position(caughtUp: Int64) -> String?

    /// Once, at the end.
    func close()
}

extension Configuration.Source {
    /// - Parameter position: what an earlier run has saved.
    /// - Returns: the log, and when that run had read all that was there.
    func open(position text: String?) -> (log: any FollowedLog, caughtUp: Int64?) {
        if isJournal {
            let left = text.flatMap(JournalPosition.read)
            return (JournalTail(program: journalctl, format: format, position: left?.position), left?.caughtUp)
        }
        let left = text.flatMap(LogPosition.init)
        return (LogTail(path: path, position: left), left?.caughtUp)
    }
}

extension MTALog {
    /// A message of the journal; those without text or program are none of a mail server's.
    mutating func read(_ message: JournalMessage) {
        guard let text = message.text, !message.program.isEmpty else { return }
        let span = text.span
        read(message: span.extracting(0..<min(span.count, MTALog.lineLimit)), program: message.program.span, process: message.process, at: message.time)
    }
}
