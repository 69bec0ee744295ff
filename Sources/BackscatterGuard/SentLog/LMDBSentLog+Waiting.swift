// The same, for callers that may wait for the disk: commands, start and stop, tests. Never from a worker's event
// loop, and never from a callback of the log: its thread would wait for itself.

import Synchronization

extension LMDBSentLog {
    /// Records, and returns when all entries are durable.
    public func recordAndWait(_ entries: [SentEntry], at now: Int64) throws(SentLogError) {
        try wait { done in
            record(past: entries.map { ($0, now) }, whenDurable: done)
        }
    }

    /// Records past mail, and returns when all of it is durable.
    public func recordAndWait(past entries: [(entry: SentEntry, sent: Int64)]) throws(SentLogError) {
        try wait { record(past: entries, whenDurable: $0) }
    }

    /// Changes coverage, and returns when the change is durable.
    public func change(_ change: CoverageChange) throws(SentLogError) {
        try wait { self.change(change, whenDurable: $0) }
    }

    /// From `now` on all outgoing mail is recorded.
    public func startCovering(at now: Int64) throws(SentLogError) { try change(.start(at: now)) }
    public func openHole(at now: Int64) throws(SentLogError) { try change(.openHole(at: now)) }
    public func closeHole(at now: Int64) throws(SentLogError) { try change(.closeHole(at: now)) }
    public func openHole(from: Int64, to: Int64) throws(SentLogError) { try change(.hole(from: from, to: to)) }
    /// The administrator's statement that the log is complete since `since`.
    public func cover(since: Int64, at now: Int64) throws(SentLogError) { try change(.cover(since: since, at: now)) }

    /// The heartbeat, and returns when it is durable.
    public func keepAndWait(at now: Int64) throws(SentLogError) {
        try wait { keep(at: now, whenDurable: $0) }
    }

    /// Lets the days expire that are due.
    public func expire(at now: Int64) throws(SentLogError) -> ExpiryOutcome {
        let answer = Mutex<Result<ExpiryOutcome, SentLogError>>(.failure(.closed))
        guard let done = Signal() else { throw .failed(file: settings.logFile, reason: "no descriptor left") }
        let box = Box(answer)
        expire(at: now) { result in
            box.value.withLock { $0 = result }
            done.raise()
        }
        done.wait()
        return try box.value.withLock { $0 }.get()
    }

    private func wait(_ start: (@escaping @Sendable (SentLogError?) -> Void) -> Void) throws(SentLogError) {
        guard let done = Signal() else { throw .failed(file: settings.logFile, reason: "no descriptor left") }
        let box = Box(Mutex<SentLogError?>(nil))
        start { error in
            box.value.withLock { $0 = error }
            done.raise()
        }
        done.wait()
        if let error = box.value.withLock({ $0 }) { throw error }
    }
}

/// Carries a value that can't be copied into a closure.
private final class Box<Value: ~Copyable & Sendable>: Sendable {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
}
