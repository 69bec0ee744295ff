// What was judged, and why: kept on disk for `guardd events`, and the newest in memory for the status page. Floods are folded
// here: the first notifications of a kind are kept one by one, the others counted (`RepeatFolding`).

import Synchronization

/// The judged notifications of this guardd. Any thread may call.
final class EventStore: Sendable {
    /// Events that are kept in memory.
    static let recentLimit = 256
    /// A verdict, reason and victim: 10 a minute whole; all together 200 a minute.
    static let folding = RepeatFolding<VerdictEvent.Key>.Limits(interval: 60, each: 10, all: 200)
    /// Octets of each file that are read at the start, from its end.
    private static let readLimit = 4 << 20

    private struct State {
        var folding = RepeatFolding<VerdictEvent.Key>(EventStore.folding)
        var recent: [VerdictEvent] = []
        var tops = VerdictTops()

        mutating func keep(_ event: VerdictEvent) {
            recent.append(event)
            // Not each time: an array gives its front away by moving the rest.
            if recent.count >= 2 * EventStore.recentLimit { recent.removeFirst(EventStore.recentLimit) }
        }
    }

    private let state = Mutex(State())
    private let writer: EventWriter?
    private let stateDirectory: String

    /// Nothing is read or written before `start`.
    init(_ settings: EventSettings, stateDirectory: String, log: LogWriter, calls: EventSegments.Calls = .init()) {
        self.stateDirectory = stateDirectory
        writer = settings.isKept ? EventWriter(settings, log: log, calls: calls) : nil
    }

    /// Why events are not written to disk now; nil when they are, or are not to be.
    var fault: String? { writer?.fault }

    /// Events that the disk did not take in time, since the start; nil when none are to be written.
    var lost: Int? { writer?.lost }

    /// The thread first reads what an earlier guardd has left.
    func start(at now: Int64) {
        writer?.start { [self] in readPast(at: now) }
    }

    private func readPast(at now: Int64) {
        var files = EventFiles(stateDirectory: stateDirectory)
        var (recent, tops): ([VerdictEvent], VerdictTops) = ([], VerdictTops())
        files.read(since: now - Int64(VerdictTops.hours) * 3_600, tail: Self.readLimit) { event, _ in
            recent.append(event)
            if recent.count > 2 * Self.recentLimit { recent.removeFirst(Self.recentLimit) }
            if event.time >= now - Int64(VerdictTops.hours) * 3_600 { tops.add(event, at: now) }
        }
        state.withLock { [tops] state in
            state.recent = Array((recent + state.recent).suffix(Self.recentLimit))
            state.tops.merge(tops)
        }
    }

    /// A transaction has ended; only judged ones count.
    func record(_ summary: TransactionSummary, at now: Int64) {
        guard let event = VerdictEvent(summary, at: now) else { return }
        record(event, at: now)
    }

    func record(_ event: VerdictEvent, at now: Int64) {
        let key = event.key
        let isWhole = state.withLock { state in
            state.tops.add(event, at: now)
            var rest = key
            rest.victim = nil
            let isWhole = state.folding.take(key, rest: rest, client: event.client, recipients: event.recipientCount, at: now)
            if isWhole { state.keep(event) }
            return isWhole
        }
        if isWhole { writer?.add(event.json) }
    }

    /// Every second: what was folded, when its minute is over.
    ///
    /// - Parameter isLast: all of it: the end has come.
    func tick(at now: Int64, isLast: Bool = false) {
        let events = state.withLock { state in
            let events = state.folding.due(at: now, all: isLast).map(VerdictEvent.init)
            for event in events { state.keep(event) }
            return events
        }
        for event in events { writer?.add(event.json) }
    }

    /// The newest first.
    func recent(_ limit: Int) -> [VerdictEvent] {
        state.withLock { $0.recent.suffix(max(0, limit)).reversed() }
    }

    /// Who brings forged bounces, and whose addresses are abused: the most frequent first.
    ///
    /// - Parameter hours: 1...24; the present hour counts as one.
    func top(_ limit: Int, hours: Int = VerdictTops.hours, at now: Int64) -> (hosts: [TopCounts.Entry], victims: [TopCounts.Entry]) {
        state.withLock { $0.tops.top(limit, hours: hours, at: now) }
    }

    /// Writes what waits, within a bounded time.
    func close(at now: Int64) {
        tick(at: now, isLast: true)
        writer?.close()
    }
}
