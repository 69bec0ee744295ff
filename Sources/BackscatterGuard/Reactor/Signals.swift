// Signals arrive through the loop, never on a thread of their own.

import CEvent
import Glibc

/// Calls back on the loop's thread for each signal it was given.
@safe public final class SignalSource {
    private var event: OpaquePointer?
    private let raised: () -> Void

    public init(_ number: CInt, loop: EventLoop, raised: @escaping () -> Void) throws(ReactorError) {
        self.raised = raised
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let made = unsafe event_new(loop.base, number, Int16(EV_SIGNAL | EV_PERSIST), signalRaised, context)
        else { throw .outOfMemory }
        unsafe event = made
        unsafe _ = Unmanaged.passRetained(self)
        unsafe event_add(made, nil)
    }

    fileprivate func deliver() { raised() }

    public func close() {
        guard let old = unsafe event else { return }
        unsafe event = nil
        unsafe event_free(old)
        unsafe Unmanaged.passUnretained(self).release()
    }

    deinit { unsafe precondition(event == nil, "SignalSource dropped without close()") }
}

private func signalRaised(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let source = unsafe Unmanaged<SignalSource>.fromOpaque(context).takeUnretainedValue()
    source.deliver()
}
