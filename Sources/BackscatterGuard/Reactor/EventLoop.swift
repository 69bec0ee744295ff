// One event loop: a libevent base, the read buffer that all its sockets share, a name resolver, a tick every second.
// It belongs to the thread that runs it; other threads reach it through its `Waker` only. All C callbacks are
// top-level functions that recover their object, forward and decide nothing.

import CEvent
import Glibc

/// What the kernel or libevent could not give us at start.
public enum ReactorError: Error, Equatable, Sendable {
    case outOfMemory
    /// `call` failed with `errno`.
    case system(call: String, errno: CInt)

    /// One line for the operator.
    public var text: String {
        switch self {
        case .outOfMemory: "out of memory"
        case .system(let call, let number): "\(call): \(errnoText(number))"
        }
    }
}

/// strerror(3) as a String.
func errnoText(_ number: CInt) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}

/// A libevent base with everything that one worker needs. Not Sendable: it lives and dies on its thread.
@safe public final class EventLoop {
    /// Octets that one read takes at most; the buffer is shared by all sockets of the loop, so nothing that is
    /// read may be kept without a copy.
    static let readSize = 128 * 1024

    let base: OpaquePointer
    let readBuffer: UnsafeMutableRawBufferPointer
    /// How names are looked up here.
    let names: NameLookups
    private var tickEvent: OpaquePointer?
    private var wakeEvent: OpaquePointer?
    private var delayEvent: OpaquePointer?
    /// Other threads wake the loop through this.
    public let waker: Waker
    /// Called every second, on the loop's thread.
    public var ticked: () -> Void = {}
    /// Called once for each time that `callDelayed` was due.
    public var delayed: () -> Void = {}
    /// Called when another thread woke the loop.
    public var woken: () -> Void = {}

    public convenience init() throws(ReactorError) { try self.init(waker: Waker()) }

    /// - Parameter waker: made by another thread that wants to wake this loop; the loop closes it.
    public init(waker: Waker) throws(ReactorError) {
        ReactorLog.begin()
        guard let base = unsafe event_base_new() else { throw .outOfMemory }
        unsafe self.base = base
        unsafe readBuffer = .allocate(byteCount: EventLoop.readSize, alignment: 64)
        self.waker = waker
        unsafe names = NameLookups(base: base)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let wake = unsafe event_new(base, waker.descriptor, Int16(EV_READ | EV_PERSIST), loopWoken, context),
              let tick = unsafe event_new(base, -1, Int16(EV_PERSIST), loopTicked, context),
              let delay = unsafe event_new(base, -1, 0, loopDelayed, context)
        else { throw .outOfMemory }
        unsafe delayEvent = delay
        unsafe wakeEvent = wake
        unsafe tickEvent = tick
        unsafe event_add(wake, nil)
        var second = timeval(tv_sec: 1, tv_usec: 0)
        unsafe event_add(tick, &second)
    }

    /// Runs until `stop()`.
    public func run() { unsafe event_base_dispatch(base) }

    /// Ends `run()` after the callback that is being served.
    public func stop() { unsafe event_base_loopbreak(base) }

    /// Calls `delayed` after so many milliseconds; a call that is due already is put off.
    public func callDelayed(after milliseconds: Int) {
        guard let event = unsafe delayEvent else { return }
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        unsafe event_add(event, &time)
    }

    /// The monotonic clock in milliseconds.
    public static func milliseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// The monotonic clock in microseconds, exact: for measuring.
    static func microseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    /// Seconds since 1970.
    public static func seconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec)
    }

    /// /etc/hosts and /etc/resolv.conf are read anew before the next look-up.
    public func forgetNames() { names.forget() }

    /// Gives everything back. The loop must not be running and no socket may be left.
    ///
    /// - Parameter closesWaker: false when other threads may still use it.
    public func close(closesWaker: Bool = true) {
        if let event = unsafe tickEvent { unsafe event_free(event) }
        if let event = unsafe wakeEvent { unsafe event_free(event) }
        if let event = unsafe delayEvent { unsafe event_free(event) }
        unsafe tickEvent = nil
        unsafe wakeEvent = nil
        unsafe delayEvent = nil
        names.close()
        unsafe event_base_free(base)
        unsafe readBuffer.deallocate()
        if closesWaker { waker.close() }
    }
}

private func loopTicked(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<EventLoop>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.names.tick()
        $0.ticked()
    }
}

private func loopDelayed(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<EventLoop>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.delayed() }
}

private func loopWoken(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<EventLoop>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.waker.acknowledge()
        $0.woken()
    }
}
