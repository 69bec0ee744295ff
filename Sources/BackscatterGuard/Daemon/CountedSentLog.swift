// The sent log as the daemon uses it: every record that goes in, from a listener, a source or a hook, is counted and timed.

import Synchronization

/// Hands everything on to another log.
final class CountedSentLog: SentLog {
    let inner: any SentLog
    /// Counted by the threads of the log: they share the row.
    let counters = WorkerCounters()
    /// What was asked of it last went wrong.
    private let failing = Atomic(false)

    init(_ inner: any SentLog) { self.inner = inner }

    var isFailing: Bool { failing.load(ordering: .relaxed) }

    func record(_ entry: SentEntry, at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        inner.record(entry, at: now, whenDurable: counted(mails: 1, ids: entry.ids.count, whenDurable))
    }

    func record(past entries: [(entry: SentEntry, sent: Int64)], whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        inner.record(past: entries, whenDurable: counted(mails: entries.count, ids: entries.reduce(0) { $0 + $1.entry.ids.count }, whenDurable))
    }

    func change(_ change: CoverageChange, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        inner.change(change) { [self] error in
            failing.store(error != nil, ordering: .relaxed)
            whenDurable(error)
        }
    }

    func keep(at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        inner.keep(at: now) { [self] error in
            failing.store(error != nil, ordering: .relaxed)
            whenDurable(error)
        }
    }

    func recordedSince(at now: Int64) -> Int64? { inner.recordedSince(at: now) }

    func close() { inner.close() }

    private func counted(mails: Int, ids: Int, _ whenDurable: @escaping @Sendable (SentLogError?) -> Void) -> @Sendable (SentLogError?) -> Void {
        let begun = EventLoop.microseconds()
        return { [self] error in
            let (layout, duration) = (CounterLayout.shared, Int(EventLoop.microseconds() - begun))
            counters.addShared(layout.mailsRecorded.start + (error == nil ? 0 : 1), mails)
            if error == nil { counters.addShared(layout.idsRecorded.start, ids) }
            counters.addShared(layout.recordSeconds.slot(duration))
            counters.addShared(layout.recordSeconds.sum, duration)
            failing.store(error != nil, ordering: .relaxed)
            whenDurable(error)
        }
    }
}
