// A mail that left unrecorded (`record_failure = "pass"`) is a hole in coverage: it begins with that mail and ends with
// the next one that is recorded. THREATS section 4.

import Synchronization

/// Opens and closes the hole for all workers.
final class HoleKeeper: Sendable {
    private let sentLog: LMDBSentLog
    private let log: LogWriter
    private let isOpen = Atomic(false)

    init(_ sentLog: LMDBSentLog, log: LogWriter) {
        self.sentLog = sentLog
        self.log = log
    }

    /// A mail goes on without a record.
    func unrecorded(at now: Int64) {
        guard !isOpen.exchange(true, ordering: .acquiringAndReleasing) else { return }
        log.write(.error, "coverage: a mail left unrecorded; unknown ids are not refused until bounce_window is over")
        change(.openHole(at: now))
    }

    /// A mail was recorded.
    func recorded(at now: Int64) {
        guard isOpen.load(ordering: .relaxed), isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        change(.closeHole(at: now))
    }

    private func change(_ change: CoverageChange) {
        let log = log
        sentLog.change(change) { error in
            if let error { log.write(.error, "coverage: \(error.text)") }
        }
    }
}
