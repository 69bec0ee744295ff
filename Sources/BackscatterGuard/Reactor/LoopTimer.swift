// A timer of one loop, for what the loop's tick of a second is too coarse for. It fires once each time it is set.

import CEvent

/// Calls back on the loop's thread. The C event borrows the object: whoever owns it calls `close()` before letting it go.
@safe public final class LoopTimer {
    private var event: OpaquePointer?
    private let fired: () -> Void

    public init(loop: EventLoop, fired: @escaping () -> Void) throws(ReactorError) {
        self.fired = fired
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let made = unsafe event_new(loop.base, -1, 0, timerFired, context) else { throw .outOfMemory }
        unsafe event = made
    }

    deinit { unsafe precondition(event == nil, "LoopTimer dropped without close()") }

    /// Fires after so many milliseconds; a time that was set before is forgotten.
    public func set(after milliseconds: Int64) {
        guard let event = unsafe event else { return }
        let rest = max(0, milliseconds)
        var time = timeval(tv_sec: Int(rest / 1000), tv_usec: Int(rest % 1000 * 1000))
        unsafe event_add(event, &time)
    }

    /// Idempotent.
    public func close() {
        guard let old = unsafe event else { return }
        unsafe event = nil
        unsafe event_free(old)
    }

    fileprivate func fire() { fired() }
}

private func timerFired(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let timer = unsafe Unmanaged<LoopTimer>.fromOpaque(context).takeUnretainedValue()
    timer.fire()
}
