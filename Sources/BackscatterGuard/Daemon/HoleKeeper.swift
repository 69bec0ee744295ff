// A mail that left unrecorded (`record_failure = "pass"`) is a hole in coverage: it begins with that mail and ends with
// the next one that is recorded. THREATS section 4.

import Synchronization

/// Opens and closes the hole for all workers.
final class HoleKeeper: Sendable {
    private let sentLog: any SentLog
    private let log: LogWriter
    /// Since when; nil: there is none.
    private let openedAt = Mutex<Int64?>(nil)

    init(_ sentLog: any SentLog, log: LogWriter) {
        self.sentLog = sentLog
        self.log = log
    }

    /// A mail goes on without a record.
    func unrecorded(at now: Int64) {
        openedAt.withLock { since in
            if since == nil { log.write(.error, "coverage: a mail left unrecorded; unknown ids are not refused until bounce_window is over") }
            since = max(since ?? now, now)
            // Each time, because a guardd that hands over to this one, or takes over from it, may have closed it.
            change(.openHole(at: now))
        }
    }

    /// A mail that was sent at `now` was recorded. One that is older than the last unrecorded one ends no hole.
    func recorded(at now: Int64) {
        openedAt.withLock { since in
            guard let last = since, now >= last else { return }
            since = nil
            change(.closeHole(at: now))
        }
    }

    /// The guardd before this one has ended, and with it what it let pass.
    func predecessorEnded(at now: Int64) {
        openedAt.withLock { if $0 == nil { change(.closeHole(at: now)) } }
    }

    private func change(_ change: CoverageChange) {
        let log = log
        sentLog.change(change) { error in
            if let error { log.write(.error, "coverage: \(error.text)") }
        }
    }
}
