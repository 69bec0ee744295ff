// The one way into an event loop from another thread: an eventfd. What there is to do travels in a mailbox of the
// caller's choice, guarded by a Mutex; the waker only says "look".

import CEvent
import Glibc

/// Wakes one event loop. Safe to use from any thread as long as the loop's owner keeps the loop open.
public struct Waker: Sendable {
    let descriptor: CInt

    public init() throws(ReactorError) {
        descriptor = guardd_eventfd()
        if descriptor < 0 { throw .system(call: "eventfd", errno: errno) }
    }

    /// Makes the loop call `woken`. Several calls may become one.
    public func wake() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)     // EAGAIN means that the counter is set already: woken all the same
    }

    func acknowledge() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
    }

    func close() { _ = Glibc.close(descriptor) }
}
