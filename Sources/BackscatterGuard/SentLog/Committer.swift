// Takes what all threads want written, a queue at a time, and commits it in one transaction: a slow disk makes the
// groups larger, not the writers slower. Answers each job on its thread, after the commit.

import Synchronization

/// The queue and the thread behind it. After `close` every job is answered with `.closed`.
final class Committer: Sendable {
    enum Work: Sendable {
        case items([SentBatch.Item])
        case change(CoverageChange)
        /// Nothing but the time: expiry and the clock's guard go on while no mail does.
        case keep
        case expire(@Sendable (Result<ExpiryOutcome, SentLogError>) -> Void)
        case repair(LMDBFailure, SentLogFile)
    }

    struct Job: Sendable {
        let work: Work
        /// The time by the clock, for records of mail that is being sent now; nil for all that tells no time.
        let now: Int64?
        let whenDone: @Sendable (SentLogError?) -> Void
    }

    private struct Queue {
        var jobs: [Job] = []
        var entries = 0
        /// Answered by the thread like all others: a caller must not be called back within its own call.
        var refused: [Job] = []
        var isIdle = false
        var isClosed = false
    }

    private enum Round { case work([Job], refused: [Job]), idle, closed }

    private let store: SentLogStore
    private let limit: Int
    private let queue = Mutex(Queue())
    private let arrival: Signal
    private let thread = Mutex<LogThread?>(nil)

    init(_ store: SentLogStore) throws(SentLogError) {
        self.store = store
        limit = store.settings.queueLimit
        guard let arrival = Signal() else { throw .failed(file: store.settings.logFile, reason: "no descriptor left") }
        self.arrival = arrival
        guard let started = LogThread({ [self] in run() }) else {
            throw .failed(file: store.settings.logFile, reason: "no thread left")
        }
        thread.withLock { $0 = started }
    }

    /// Queues a job. Entries beyond the limit are refused with `.queueFull`; a job without entries never is.
    func submit(_ job: Job) {
        let count = if case .items(let items) = job.work { items.count } else { 0 }
        let (isClosed, wakes) = queue.withLock { queue in
            if queue.isClosed { return (true, false) }
            if count > 0, queue.entries > 0, queue.entries + count > limit {
                queue.refused.append(job)
            } else {
                queue.jobs.append(job)
                queue.entries += count
            }
            defer { queue.isIdle = false }
            return (false, queue.isIdle)
        }
        if isClosed { refuse(job, .closed) } else if wakes { arrival.raise() }
    }

    /// Commits what is queued, then ends the thread. Idempotent; waits for the thread the first time.
    func close() {
        let started = thread.take()
        queue.withLock { $0.isClosed = true }
        arrival.raise()
        started?.join()
    }

    private func run() {
        while true {
            switch take() {
            case .work(let jobs, let refused):
                commit(jobs)
                for job in refused { refuse(job, .queueFull(limit: limit)) }
            case .idle: arrival.wait()
            case .closed: return
            }
        }
    }

    private func take() -> Round {
        queue.withLock { queue in
            if queue.jobs.isEmpty, queue.refused.isEmpty {
                queue.isIdle = true
                return queue.isClosed ? .closed : .idle
            }
            defer {
                queue.jobs = []
                queue.refused = []
                queue.entries = 0
            }
            return .work(queue.jobs, refused: queue.refused)
        }
    }

    /// Everything that can go in one transaction goes; what can't follows it.
    private func commit(_ jobs: [Job]) {
        var batch = SentBatch()
        var now: Int64 = 0
        for job in jobs {
            if let time = job.now {
                batch.now = max(batch.now ?? time, time)
                now = time
            }
            switch job.work {
            case .items(let items): batch.items += items
            case .change(let change): batch.changes.append(change)
            case .expire: batch.leavesExpiry = true
            case .keep, .repair: break
            }
        }
        let error = store.commit(batch, now: batch.now ?? batch.items.last?.time ?? now)
        for job in jobs {
            switch job.work {
            case .items, .change, .keep: job.whenDone(error)
            case .expire(let answer): answer(expired(job, error))
            case .repair(let failure, let file): job.whenDone(store.repair(failure, in: file, now: job.now ?? now))
            }
        }
    }

    private func expired(_ job: Job, _ error: SentLogError?) -> Result<ExpiryOutcome, SentLogError> {
        if let error { return .failure(error) }
        return Result { () throws(SentLogError) in try store.expire(at: job.now ?? 0) }
    }

    private func refuse(_ job: Job, _ error: SentLogError) {
        if case .expire(let answer) = job.work { answer(.failure(error)) } else { job.whenDone(error) }
    }
}
