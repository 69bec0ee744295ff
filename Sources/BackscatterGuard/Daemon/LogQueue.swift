// Log lines wait here for the one thread that may wait for standard error: a reader that has stopped reading (a stuck
// journal, a full pipe) must not stop the mail. What doesn't fit any more is dropped, and its count told afterwards.

import Glibc
import Synchronization

/// A bounded queue of whole lines and the thread that writes them. Before `start` lines are written at once.
final class LogQueue: Sendable {
    /// Octets that wait at most.
    static let limit = 4 << 20

    private struct State {
        var waiting: Octets = []
        var dropped = 0
        var isRunning = false
        var isIdle = false
        var isClosed = false
        var isDone = false
    }

    private enum Round { case write(Octets, dropped: Int), wait, end }

    private let descriptor: CInt
    private let limit: Int
    private let state = Mutex(State())
    private let arrival: Signal
    private let done: Signal
    private let prefix: String

    /// - Parameter prefix: what the line about dropped ones begins with.
    init?(descriptor: CInt, prefix: String = "", limit: Int = LogQueue.limit) {
        guard let arrival = Signal(), let done = Signal() else { return nil }
        (self.descriptor, self.prefix, self.limit) = (descriptor, prefix, limit)
        (self.arrival, self.done) = (arrival, done)
    }

    /// From now on nobody who logs waits. False when the system gives no thread: then lines are written at once, as before.
    @discardableResult func start() -> Bool {
        state.withLock { $0.isRunning = true }
        if LogThread({ [self] in run() }) != nil { return true }
        state.withLock { $0.isRunning = false }
        return false
    }

    /// - Parameter lines: whole ones.
    func add(_ lines: Octets) {
        let (isDirect, wakes) = state.withLock { state in
            guard state.isRunning else { return (true, false) }
            if state.waiting.count + lines.count > limit {
                state.dropped += lines.reduce(0) { $0 + ($1 == ASCII.lf ? 1 : 0) }
            } else {
                state.waiting += lines
            }
            defer { state.isIdle = false }
            return (false, state.isIdle)
        }
        if isDirect { LogQueue.write(lines, to: descriptor) } else if wakes { arrival.raise() }
    }

    /// Lets the thread write what waits, for so many milliseconds at most, and ends it.
    func close(within milliseconds: CInt = 2_000) {
        let wasRunning = state.withLock { state in
            defer { (state.isClosed, state.isIdle) = (true, false) }
            return state.isRunning && !state.isClosed
        }
        guard wasRunning else { return }
        arrival.raise()
        done.wait(atMost: milliseconds)
        // Who still logs writes by himself; unless the thread is stuck, and so would he be.
        state.withLock { if $0.isDone { $0.isRunning = false } }
    }

    private func run() {
        while true {
            switch take() {
            case .write(let lines, let dropped):
                LogQueue.write(lines, to: descriptor)
                if dropped > 0 { LogQueue.write(Octets("\(prefix)log: \(dropped) lines dropped: standard error does not take them\n".utf8), to: descriptor) }
            case .wait: arrival.wait()
            case .end: return done.raise()
            }
        }
    }

    private func take() -> Round {
        state.withLock { state in
            if state.waiting.isEmpty, state.dropped == 0 {
                if state.isClosed {
                    state.isDone = true
                    return .end
                }
                state.isIdle = true
                return .wait
            }
            defer { (state.waiting, state.dropped) = ([], 0) }
            return .write(state.waiting, dropped: state.dropped)
        }
    }

    /// A descriptor that somebody made non-blocking: waits until it takes something.
    private static func isReady(_ descriptor: CInt) -> Bool {
        var query = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&query, 1, -1) >= 0 || errno == EINTR
    }

    /// All of it, whatever a pipe takes at once; what the descriptor refuses is lost.
    private static func write(_ lines: Octets, to descriptor: CInt) {
        var sent = 0
        while sent < lines.count {
            let count = unsafe lines.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: sent), lines.count - sent) }
            if count > 0 { sent += count } else if count < 0, errno == EINTR || errno == EAGAIN && LogQueue.isReady(descriptor) { continue } else { return }
        }
    }
}
