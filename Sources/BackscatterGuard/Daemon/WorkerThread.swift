// A worker and the thread that it runs on. The thread makes loop and worker, says whether that succeeded, and runs until
// the worker has nothing more to do.

import Glibc
import Synchronization

/// From its start to `hasEnded`, which any thread may ask.
final class WorkerThread {
    struct Shared: Sendable {
        let sentLog: any SentLog
        let log: LogWriter
        let connections: ConnectionLimits
        let health: UpstreamHealth
        let numbers: SessionNumbers
        let holes: HoleKeeper
        let programCount = ProgramCount()
        let enforcement: EnforcementKeeper
        let events: EventStore
        /// What asks the sent log for the worker on this loop.
        let makeReader: @Sendable (EventLoop) throws(ReactorError) -> any SentLogReader
        var makeLoop: @Sendable (Waker) throws(ReactorError) -> EventLoop = { waker throws(ReactorError) in try EventLoop(waker: waker) }
    }

    /// Between the two threads while the worker starts.
    private final class Beginning: Sendable {
        private let outcome = Mutex<Result<Void, ReactorError>?>(nil)
        private let told: Signal

        init() throws(ReactorError) {
            guard let told = Signal() else { throw .system(call: "eventfd", errno: errno) }
            self.told = told
        }

        func set(_ result: Result<Void, ReactorError>) {
            outcome.withLock { $0 = result }
            told.raise()
        }

        func wait() throws(ReactorError) {
            told.wait()
            try (outcome.withLock { $0 } ?? .failure(.outOfMemory)).get()
        }
    }

    let mailbox: Mailbox
    let counters = WorkerCounters()
    private let ended = Flag()
    private let beginning: Beginning
    private let body: @Sendable (@Sendable () -> Void) -> Void
    private let shares: [ListeningSockets.Share]
    private var thread: LogThread?

    /// - Parameter shares: descriptors that the worker owns from `start` on.
    init(_ shares: [ListeningSockets.Share], _ settings: WorkerSettings, _ shared: Shared) throws(ReactorError) {
        let beginning = try Beginning()
        let waker = try Waker()
        let mailbox = Mailbox(waker)
        let (ended, counters) = (ended, counters)
        self.shares = shares
        self.mailbox = mailbox
        self.beginning = beginning
        body = { done in
            WorkerThread.serve(shares, settings, shared, (mailbox, counters), waker, beginning)
            ended.set()
            done()
        }
    }

    private static func serve(
        _ shares: [ListeningSockets.Share], _ settings: WorkerSettings, _ shared: Shared, _ own: (mailbox: Mailbox, counters: WorkerCounters), _ waker: Waker, _ beginning: Beginning
    ) {
        let loop: EventLoop
        do throws(ReactorError) {
            loop = try shared.makeLoop(waker)
        } catch {
            shares.forEach { _ = Glibc.close($0.descriptor) }
            return beginning.set(.failure(error))
        }
        let reader: any SentLogReader
        do throws(ReactorError) {
            reader = try shared.makeReader(loop)
        } catch {
            shares.forEach { _ = Glibc.close($0.descriptor) }
            loop.close(closesWaker: false)
            return beginning.set(.failure(error))
        }
        let worker = Worker(loop: loop, settings: settings, shared: shared, reader: reader, mailbox: own.mailbox, counters: own.counters)
        do throws(ReactorError) {
            try worker.listen(shares)
            beginning.set(.success(()))
            loop.run()
        } catch {
            beginning.set(.failure(error))
        }
        worker.ended()
        withExtendedLifetime(worker) {
            worker.reader.close()
            loop.close(closesWaker: false)
        }
    }

    var hasEnded: Bool { ended.isSet }

    /// Returns when the worker accepts clients.
    ///
    /// - Parameter done: called on the worker's thread when it has ended.
    /// - Throws: why it could not start; its descriptors are closed then.
    func start(done: @escaping @Sendable () -> Void) throws(ReactorError) {
        let body = body
        thread = LogThread { body(done) }
        guard thread != nil else {
            abandon()
            throw .system(call: "pthread_create", errno: EAGAIN)
        }
        try beginning.wait()
    }

    /// Gives up what it would have owned from `start` on.
    func abandon() { shares.forEach { _ = Glibc.close($0.descriptor) } }

    /// Waits for the end of the thread, once.
    func join() {
        thread?.join()
        thread = nil
    }
}

/// Set once, from any thread.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
