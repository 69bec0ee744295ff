// The one thread of the log that may wait for the disk. It takes no signals: those belong to the event loop.

import Glibc
import Synchronization

/// A thread that runs one closure and can be waited for.
struct LogThread: Sendable {
    fileprivate final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let thread: pthread_t

    /// nil when the system gives no thread.
    init?(_ run: @escaping @Sendable () -> Void) {
        var all = sigset_t(), before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        let body = unsafe Unmanaged.passRetained(Body(run))
        var made = pthread_t()
        guard unsafe pthread_create(&made, nil, logThreadMain, body.toOpaque()) == 0 else {
            unsafe body.release()
            return nil
        }
        thread = made
    }

    /// Waits for its end, once. From the thread itself: returns at once.
    func join() {
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            _ = pthread_join(thread, nil)
        }
    }
}

extension Mutex where Value == LogThread? {
    /// The thread, for the first who asks: he tells it to end and joins it. So a `close` may be called twice.
    func take() -> LogThread? {
        withLock { thread in
            defer { thread = nil }
            return thread
        }
    }
}

private func logThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let body = unsafe Unmanaged<LogThread.Body>.fromOpaque(context).takeRetainedValue()
    body.run()
    return nil
}
