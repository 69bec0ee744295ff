// The sent log that several machines share, as one machine's daemon uses it: records go to a thread of their own
// (RedisRecorder), questions to a reader on each worker's loop (RedisLogReader).

import Glibc
import Synchronization

/// A shared log. Any thread.
final class RedisSentLog: SentLog {
    /// Milliseconds that `close` waits for what is on its way.
    private static let closingLimit: Int64 = 3_000

    /// Milliseconds that one that takes over waits for the server.
    private static let startLimit: Int64 = 10_000

    private struct Mailbox {
        var jobs: [RedisRecorder.Job] = []
        var isClosed = false
    }

    private let mailbox = Mutex(Mailbox())
    private let since = Mutex<Int64?>(nil)
    /// The server has this process's row; and that says that its mail is recorded.
    private let known = Mutex((isKnown: false, hasStarted: false))
    private let told: Signal
    private let waker: Waker
    private let thread = Mutex<LogThread?>(nil)
    /// Two daemons must not keep one journal.
    private let slot: SharedSlot

    /// - Parameters:
    ///   - isSuccessor: another guardd of this machine still records.
    ///   - reading: how far this process has read logs; nil: it reads none.
    /// - Throws: operator faults of the state directory and its files, failed.
    init(
        _ settings: SharedLogSettings, key: SentKey, isSuccessor: Bool = false, reading: ReadingClock? = nil,
        report: @escaping @Sendable (Severity, String) -> Void
    ) throws(SentLogError) {
        try SentLogOpener(settings: settings.local, now: 0) { _ in }.prepareDirectory()
        slot = try SharedSlot.take(settings, isSuccessor: isSuccessor)
        let settings = slot.settings
        guard let told = Signal() else { throw .failed(file: settings.address.text, reason: "no descriptor left") }
        self.told = told
        do { waker = try Waker() } catch { throw .failed(file: settings.address.text, reason: error.text) }
        let outcome = Outcome()
        guard let signal = Signal() else { throw .failed(file: settings.address.text, reason: "no descriptor left") }
        let made = LogThread { [self] in run(settings, key, reading, report, outcome, signal) }
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
        let running = thread.take()
        guard let running else { return }
        waker.wake()
        running.join()
        waker.close()
    }

    /// For one that takes over: the others must know of it before mail leaves through it.
    ///
    /// - Parameter started: its mail is recorded from now on.
    /// - Throws: failed, when the server does not have its row in time; the log is closed then.
    func waitUntilKnown(started: Bool) throws(SentLogError) {
        let end = EventLoop.milliseconds() + RedisSentLog.startLimit
        while !known.withLock({ $0.isKnown && (!started || $0.hasStarted) }) {
            let left = end - EventLoop.milliseconds()
            guard left > 0 else {
                close()
                throw .failed(file: slot.settings.address.text, reason: "does not answer: a new guardd can take over only while it does")
            }
            told.wait(atMost: CInt(clamping: left))
        }
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
        _ settings: SharedLogSettings, _ key: SentKey, _ reading: ReadingClock?, _ report: @escaping @Sendable (Severity, String) -> Void, _ outcome: Outcome,
        _ signal: Signal
    ) {
        do {
            let loop = try EventLoop(waker: waker)
            defer { loop.close(closesWaker: false) }
            let recorder = try RedisRecorder(settings, key: key, loop: loop, reading: reading, report: report)
            let estates = RedisEstates(settings, key: key, loop: loop, heir: recorder, report: report)
            signal.raise()
            var deadline = Int64.max
            let serve = { [self] in
                let (jobs, isClosed) = take()
                if !jobs.isEmpty { recorder.take(jobs) }
                estates.look(jobs)
                if isClosed, deadline == .max { deadline = EventLoop.milliseconds() + RedisSentLog.closingLimit }
                if isClosed, recorder.isIdle || EventLoop.milliseconds() > deadline { loop.stop() }
            }
            loop.woken = serve
            recorder.afterTick = serve
            recorder.acknowledgedRow = { [self] hasStarted in
                known.withLock { $0 = (true, hasStarted) }
                told.raise()
            }
            recorder.learnt = { [self] time in since.withLock { $0 = time } }
            loop.run()
            estates.close()
            recorder.close()
        } catch {
            let text = (error as? SentLogError) ?? .failed(file: settings.address.text, reason: (error as? ReactorError)?.text ?? "failed")
            outcome.value.withLock { $0 = text }
            signal.raise()
        }
    }
}

/// What became of starting the thread.
private final class Outcome: Sendable {
    let value = Mutex<SentLogError?>(nil)
}
