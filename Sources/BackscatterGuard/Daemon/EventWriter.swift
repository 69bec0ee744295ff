// The one thread that writes events to disk. Whoever has one puts it into the queue and goes on: a disk that is slow or
// full stops no mail. A flood is written in batches of a second each; what no longer fits into the queue is counted.

import Glibc
import Synchronization

/// A bounded queue of lines and the thread that writes them.
final class EventWriter: Sendable {
    /// Octets that wait at most.
    static let limit = 1 << 20
    /// Milliseconds that a batch is gathered.
    static let delay: CInt = 1_000
    /// Milliseconds without any event after which old files are looked for.
    static let idle: Int64 = 3_600_000
    /// Milliseconds between two tries while the disk takes nothing.
    static let retryDelay: CInt = 10_000

    private struct State {
        var waiting: Octets = []
        /// Since a line was told of the last ones.
        var dropped = 0
        var lost = 0
        var isIdle = false
        var isClosed = false
        var isRunning = false
        var fault: String?
    }

    private let settings: EventSettings
    private let calls: EventSegments.Calls
    private let limit: Int
    private let log: LogWriter
    private let state = Mutex(State())
    /// Something to write, or the end.
    private let arrival: Signal
    /// The end: no more gathering.
    private let ending: Signal
    private let done: Signal

    /// nil when the process has no descriptor left.
    init?(_ settings: EventSettings, log: LogWriter, calls: EventSegments.Calls = .init(), limit: Int = EventWriter.limit) {
        guard let arrival = Signal(), let ending = Signal(), let done = Signal() else { return nil }
        (self.settings, self.calls, self.limit, self.log) = (settings, calls, limit, log)
        (self.arrival, self.ending, self.done) = (arrival, ending, done)
    }

    /// Why nothing can be written now; nil when all is well.
    var fault: String? { state.withLock { $0.fault } }

    /// Lines that did not fit into the queue.
    var lost: Int { state.withLock { $0.lost } }

    /// - Parameter first: what the thread does before it writes.
    func start(_ first: @escaping @Sendable () -> Void = {}) {
        state.withLock { $0.isRunning = true }
        guard LogThread({ [self] in
            first()
            run()
        }) == nil else { return }
        state.withLock { ($0.isRunning, $0.fault) = (false, "no thread") }
    }

    /// - Parameter line: without its end.
    func add(_ line: Octets) {
        let wakes = state.withLock { state in
            if state.waiting.count + line.count >= limit {
                state.dropped += 1
                state.lost += 1
            } else {
                state.waiting += line
                state.waiting.append(ASCII.lf)
            }
            defer { state.isIdle = false }
            return state.isIdle
        }
        if wakes { arrival.raise() }
    }

    /// Writes what waits, for so many milliseconds at most, and ends the thread.
    func close(within milliseconds: CInt = 2_000) {
        let wasRunning = state.withLock { state in
            defer { state.isClosed = true }
            return state.isRunning && !state.isClosed
        }
        guard wasRunning else { return }
        ending.raise()
        arrival.raise()
        done.wait(atMost: milliseconds)
    }

    // MARK: The thread

    private func run() {
        let segments = EventSegments(settings, calls: calls)
        finish(segments.prepare(at: EventLoop.seconds()), [])
        while waitForMore() {
            let lines = state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
            if lines.isEmpty {
                segments.keep(at: EventLoop.seconds())
                continue
            }
            let outcome = segments.append(lines, at: EventLoop.seconds())
            finish(outcome, lines)
            if outcome.fault != nil, !isEnding { ending.wait(atMost: Self.retryDelay) }
        }
        segments.close()
        done.raise()
    }

    private var isEnding: Bool { state.withLock { $0.isClosed } }

    /// - Returns: false when the end has come and nothing is left, or nothing can be written.
    private func waitForMore() -> Bool {
        let end = EventLoop.milliseconds() + Self.idle
        while true {
            let (isEmpty, isClosed, isFailing) = state.withLock { state in
                state.isIdle = state.waiting.isEmpty
                return (state.waiting.isEmpty, state.isClosed, state.fault != nil)
            }
            if isClosed { return !isEmpty && !isFailing }
            guard isEmpty else { break }
            let left = end - EventLoop.milliseconds()
            if left <= 0 { return true }
            arrival.wait(atMost: CInt(clamping: left))
        }
        if !isEnding { ending.wait(atMost: Self.delay) }
        return true
    }

    /// Puts back what was not written, and tells of what changed.
    private func finish(_ outcome: EventSegments.Outcome, _ lines: Octets) {
        let (before, dropped) = state.withLock { state in
            defer { state.fault = outcome.fault }
            if outcome.fault != nil, outcome.written < lines.count {
                state.waiting = Octets(lines[outcome.written...]) + state.waiting
                return (state.fault, 0)
            }
            defer { state.dropped = 0 }
            return (state.fault, state.dropped)
        }
        if let fault = outcome.fault, before == nil {
            log.write(.error, "events: can't be written, mail goes on: \(fault)")
        } else if outcome.fault == nil, before != nil {
            log.write(.info, "events: written again")
        }
        if dropped > 0 { log.write(.warning, "events: \(dropped) lost: the disk did not take them in time") }
    }
}
