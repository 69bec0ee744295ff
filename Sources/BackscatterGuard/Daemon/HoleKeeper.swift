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
            guard since == nil else { return since = max(since ?? now, now) }
            since = now
            log.write(.error, "coverage: a mail left unrecorded; unknown ids are not refused until bounce_window is over")
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

    private func change(_ change: CoverageChange) {
        let log = log
        sentLog.change(change) { error in
            if let error { log.write(.error, "coverage: \(error.text)") }
        }
    }
}
