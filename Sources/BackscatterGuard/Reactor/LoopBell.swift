// A further way into an event loop from another thread, for a part that must not share the loop's own waker.

import CEvent
import Glibc

/// Calls back on the loop's thread when its waker was used.
@safe public final class LoopBell {
    private var event: OpaquePointer?
    private let waker: Waker
    private let rung: () -> Void

    /// - Parameter waker: stays its maker's, who closes it after `close()`.
    public init(_ waker: Waker, loop: EventLoop, rung: @escaping () -> Void) throws(ReactorError) {
        self.waker = waker
        self.rung = rung
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let made = unsafe event_new(loop.base, waker.descriptor, Int16(EV_READ | EV_PERSIST), bellRung, context) else { throw .outOfMemory }
        unsafe event = made
        unsafe _ = Unmanaged.passRetained(self)
        unsafe event_add(made, nil)
    }

    deinit { unsafe precondition(event == nil, "LoopBell dropped without close()") }

    fileprivate func ring() {
        waker.acknowledge()
        rung()
    }

    /// Idempotent.
    public func close() {
        guard let old = unsafe event else { return }
        unsafe event = nil
        unsafe event_free(old)
        unsafe Unmanaged.passUnretained(self).release()
    }
}

private func bellRung(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let bell = unsafe Unmanaged<LoopBell>.fromOpaque(context).takeUnretainedValue()
    bell.ring()
}
