// A timer of an event loop, for what can't wait for the tick of a second.

import CEvent

/// Fires once for each `set`. The C event holds one retain until `close()`, which is idempotent.
@safe final class LoopTimer {
    private var event: OpaquePointer?
    private let fired: () -> Void

    init(loop: EventLoop, fired: @escaping () -> Void) throws(ReactorError) {
        self.fired = fired
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let made = unsafe event_new(loop.base, -1, 0, timerFired, context) else { throw .outOfMemory }
        unsafe event = made
        unsafe _ = Unmanaged.passRetained(self)
    }

    deinit { unsafe precondition(event == nil, "LoopTimer dropped without close()") }

    /// Fires in so many milliseconds; a time that was set before counts no more.
    func set(after milliseconds: Int64) {
        guard let event = unsafe event else { return }
        let rest = max(0, milliseconds)
        var time = timeval(tv_sec: Int(rest / 1000), tv_usec: Int(rest % 1000 * 1000))
        unsafe event_add(event, &time)
    }

    func stop() {
        if let event = unsafe event { unsafe event_del(event) }
    }

    func close() {
        guard let event = unsafe event else { return }
        unsafe self.event = nil
        unsafe event_free(event)
        unsafe Unmanaged.passUnretained(self).release()
    }

    fileprivate func fire() { fired() }
}

private func timerFired(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    // Kept during the call: whoever is called may close it and let it go.
    withExtendedLifetime(unsafe Unmanaged<LoopTimer>.fromOpaque(context).takeUnretainedValue()) { $0.fire() }
}
