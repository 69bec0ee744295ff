// The sent log that several machines share, as one machine's daemon uses it: records go to a thread of their own
// (RedisRecorder), questions to a reader on each worker's loop (RedisLogReader).

import Glibc
import Synchronization

/// A shared log. Any thread.
final class RedisSentLog: SentLog {
    /// Milliseconds that `close` waits for what is on its way.
    private static let closingLimit: Int64 = 3 * SenderRow.vouching / 2

    private struct Mailbox {
        var jobs: [RedisRecorder.Job] = []
        var isClosed = false
    }

    private let mailbox = Mutex(Mailbox())
    private let since = Mutex<Int64?>(nil)
    private let waker: Waker
    private let thread = Mutex<LogThread?>(nil)
    /// Two daemons must not keep one journal.
    private let lock: Descriptor

    /// - Throws: operator faults of the state directory and its files, failed.
    init(_ settings: SharedLogSettings, key: SentKey, report: @escaping @Sendable (Severity, String) -> Void) throws(SentLogError) {
        try RedisSentLog.makeDirectory(settings)
        guard let lock = Descriptor(settings.journalDirectory + "/lock", O_RDWR | O_CREAT) else {
            throw .cannotOpen(file: settings.journalDirectory, reason: systemReason())
        }
        guard lock.lock(.exclusiveIfFree) else { throw .cannotOpen(file: settings.journalDirectory, reason: "another guardd uses it") }
        self.lock = lock
        do { waker = try Waker() } catch { throw .failed(file: settings.address.text, reason: error.text) }
        let outcome = Outcome()
        guard let signal = Signal() else { throw .failed(file: settings.address.text, reason: "no descriptor left") }
        let made = LogThread { [self] in run(settings, key, report, outcome, signal) }
        guard let made else { throw .failed(file: settings.address.text, reason: "no thread left") }
        thread.withLock { $0 = made }
        signal.wait()
        if let error = outcome.value.withLock({ $0 }) {
            close()
            throw error
        }
    }

    func record(_ entry: SentEntry, at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        post(.record([(entry, now)], whenDone: whenDurable)) { whenDurable(.closed) }
    }

    func record(past entries: [(entry: SentEntry, sent: Int64)], whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        post(.record(entries.map { ($0.entry, $0.sent) }, whenDone: whenDurable)) { whenDurable(.closed) }
    }

    func change(_ change: CoverageChange, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        post(.change(change, whenDone: whenDurable)) { whenDurable(.closed) }
    }

    func keep(at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        post(.keep(at: now, whenDone: whenDurable)) { whenDurable(.closed) }
    }

    /// As of some seconds ago; while Redis is away, as of then.
    func recordedSince(at now: Int64) -> Int64? { since.withLock { $0 } }

    /// What is queued is acknowledged, or durable in the journal, before this returns.
    func close() {
        mailbox.withLock { $0.isClosed = true }
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let running else { return }
        waker.wake()
        running.join()
        waker.close()
    }

    private func post(_ job: RedisRecorder.Job, closed: () -> Void) {
        let state = mailbox.withLock { box in
            if box.isClosed { return (isClosed: true, wasEmpty: false) }
            defer { box.jobs.append(job) }
            return (isClosed: false, wasEmpty: box.jobs.isEmpty)
        }
        if state.isClosed { closed() } else if state.wasEmpty { waker.wake() }
    }

    private func take() -> (jobs: [RedisRecorder.Job], isClosed: Bool) {
        mailbox.withLock { box in
            defer { box.jobs = [] }
            return (box.jobs, box.isClosed)
        }
    }

    /// The thread.
    private func run(
        _ settings: SharedLogSettings, _ key: SentKey, _ report: @escaping @Sendable (Severity, String) -> Void, _ outcome: Outcome, _ signal: Signal
    ) {
        do {
            let loop = try EventLoop(waker: waker)
            defer { loop.close(closesWaker: false) }
            let recorder = try RedisRecorder(settings, key: key, loop: loop, report: report)
            signal.raise()
            var deadline = Int64.max
            let serve = { [self] in
                let (jobs, isClosed) = take()
                if !jobs.isEmpty { recorder.take(jobs) }
                if isClosed, deadline == .max { deadline = EventLoop.milliseconds() + RedisSentLog.closingLimit }
                if isClosed, recorder.isIdle || EventLoop.milliseconds() > deadline { loop.stop() }
            }
            loop.woken = serve
            recorder.afterTick = serve
            recorder.learnt = { [self] time in since.withLock { $0 = time } }
            loop.run()
            recorder.close()
        } catch {
            let text = (error as? SentLogError) ?? .failed(file: settings.address.text, reason: (error as? ReactorError)?.text ?? "failed")
            outcome.value.withLock { $0 = text }
            signal.raise()
        }
    }

    private static func makeDirectory(_ settings: SharedLogSettings) throws(SentLogError) {
        try SentLogOpener(settings: settings.local, now: 0) { _ in }.prepareDirectory()
        if unsafe mkdir(settings.journalDirectory, 0o700) != 0, errno != EEXIST {
            throw .cannotOpen(file: settings.journalDirectory, reason: systemReason())
        }
    }
}

/// What became of starting the thread.
private final class Outcome: Sendable {
    let value = Mutex<SentLogError?>(nil)
}
