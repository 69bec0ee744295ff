// Log lines wait here for the one thread that may wait for standard error or syslog: a reader that has stopped reading (a stuck
// journal, a full pipe) must not stop the mail. What doesn't fit any more is dropped, and its count told afterwards.

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

    private let sink: LogSink
    private let limit: Int
    private let state = Mutex(State())
    private let arrival: Signal
    private let done: Signal
    private let droppedLine: @Sendable (Int) -> Octets

    /// - Parameter droppedLine: tells how many were dropped.
    init?(_ sink: LogSink, limit: Int = LogQueue.limit, droppedLine: @escaping @Sendable (Int) -> Octets) {
        guard let arrival = Signal(), let done = Signal() else { return nil }
        (self.sink, self.limit, self.droppedLine) = (sink, limit, droppedLine)
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
        if isDirect { sink.write(lines) } else if wakes { arrival.raise() }
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
                sink.write(lines)
                if dropped > 0 { sink.write(droppedLine(dropped)) }
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
}
