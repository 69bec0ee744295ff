// Since when, and with which holes, the sent log is complete. Only a log that is complete over the bounce window may
// say "never sent". A stop of guardd is no hole: while it is down no mail leaves through it. Holes are what its owner
// opens: mail that left unrecorded. Pure value; the log stores it.

/// The times over which every mail that left stands in the log.
public struct Coverage: Sendable, Equatable {
    /// Complete from `from` on, up to but not including `to`; nil: it still goes on.
    public struct Interval: Sendable, Equatable {
        public var from: Int64
        public var to: Int64?

        public init(from: Int64, to: Int64?) {
            self.from = from
            self.to = to
        }
    }

    private enum State: UInt8 {
        /// Nobody has said yet that everything is recorded.
        case notStarted
        case running
        case interrupted
    }

    /// More than so many intervals are never kept; the oldest go first.
    static let limit = 256

    private var state = State.notStarted
    private var ends: [(from: Int64, to: Int64)] = []
    private var interruptedAt: Int64 = 0

    public init() {}

    /// Oldest first; they never touch.
    public var intervals: [Interval] { ends.map { Interval(from: $0.from, to: $0.to == .max ? nil : $0.to) } }

    /// Since when mail has been leaving unrecorded; nil when no hole is open.
    public var openHoleSince: Int64? { state == .interrupted ? interruptedAt : nil }

    /// Whether the log is complete over the whole of `from...to`.
    public func isComplete(from: Int64, to: Int64) -> Bool {
        ends.contains { $0.from <= from && to < $0.to }
    }

    /// Whether this one is complete wherever `other` is, from `oldest` to `now`.
    func contains(_ other: Coverage, from oldest: Int64, to now: Int64) -> Bool {
        other.intervals.allSatisfy { interval in
            let (from, to) = (max(interval.from, oldest), min((interval.to ?? .max) - 1, now))
            return from > to || isComplete(from: from, to: to)
        }
    }

    /// From now on everything is recorded. No effect while it already is so, or a hole is open.
    public mutating func start(at now: Int64) {
        guard state != .interrupted else { return }
        state = .running
        add(from: now, to: .max)
    }

    /// From now on mail leaves unrecorded. No effect before coverage has started: nothing is covered then anyway.
    public mutating func openHole(at now: Int64) {
        switch state {
        case .notStarted: return
        case .running: interruptedAt = now
        case .interrupted: interruptedAt = min(interruptedAt, now)
        }
        state = .interrupted
        remove(from: interruptedAt, to: .max)
    }

    /// Everything is recorded again.
    public mutating func closeHole(at now: Int64) {
        guard state == .interrupted else { return }
        state = .running
        add(from: max(now, interruptedAt + 1), to: .max)
    }

    /// Mail left unrecorded from `from` until `to` (at least within one second).
    public mutating func openHole(from: Int64, to: Int64) {
        remove(from: from, to: max(to, from + 1))
    }

    /// The administrator states that the log is complete since `since`, and stays so unless a hole is open.
    public mutating func cover(since: Int64, at now: Int64) {
        guard state == .interrupted else {
            state = .running
            add(from: since, to: .max)
            return
        }
        add(from: since, to: now)
        interruptedAt = max(interruptedAt, now)
    }

    /// The administrator states that the log is complete from `from` up to, but not including, `to`.
    public mutating func complete(from: Int64, to: Int64) {
        add(from: from, to: min(to, state == .interrupted ? interruptedAt : to))
    }

    /// The administrator takes back that the log is complete. What was stated can't be told from what guardd knew by itself, so
    /// nothing counts, until it is stated or started again.
    public mutating func withdraw() { self = Coverage() }

    /// The log's content before `time` is gone.
    public mutating func forget(before time: Int64) {
        remove(from: .min, to: time)
    }

    /// The clock was set: by `step` seconds, negative: back, and is `now` since.
    ///
    /// Back: what runs, runs from now. Ahead by more than `limit`: whether the log is complete since its old times
    /// nobody knows (a machine may have begun in 1970), so coverage starts anew.
    public mutating func clockStepped(by step: Int64, to now: Int64, limit: Int64) {
        if step < 0, state == .running { add(from: now, to: .max) }
        if step > limit { remove(from: .min, to: now) }
    }

    /// Unites with what is there.
    private mutating func add(from: Int64, to: Int64) {
        guard from < to else { return }
        var united = (from: from, to: to)
        var apart: [(from: Int64, to: Int64)] = []
        for interval in ends {
            if interval.to < united.from || united.to < interval.from {
                apart.append(interval)
            } else {
                united = (min(united.from, interval.from), max(united.to, interval.to))
            }
        }
        apart.append(united)
        ends = Array(apart.sorted { $0.from < $1.from }.suffix(Coverage.limit))
    }

    private mutating func remove(from: Int64, to: Int64) {
        ends = ends.flatMap { interval in
            [(interval.from, min(interval.to, from)), (max(interval.from, to), interval.to)].filter { $0.0 < $0.1 }
        }.suffix(Coverage.limit)
        if state == .running, ends.last?.to != .max { state = .notStarted }
    }

    public static func == (left: Coverage, right: Coverage) -> Bool {
        left.intervals == right.intervals && left.openHoleSince == right.openHoleSince
    }
}

// Stored as: state (1), begin of the open hole (8), then from and to of each interval (8 each), little-endian.
extension Coverage {
    var octets: Octets {
        var octets: Octets = [state.rawValue]
        octets.appendInteger(interruptedAt)
        for interval in ends {
            octets.appendInteger(interval.from)
            octets.appendInteger(interval.to)
        }
        return octets
    }

    /// - Returns: nil when the octets are not what `octets` gives; nothing is covered then.
    init?(octets: Octets) {
        var reader = IntegerReader(octets)
        guard let state = reader.next(UInt8.self).flatMap(State.init), let interruptedAt = reader.next(Int64.self) else { return nil }
        self.state = state
        self.interruptedAt = interruptedAt
        while let from = reader.next(Int64.self), let to = reader.next(Int64.self) {
            guard from < to, ends.last.map({ $0.to < from }) ?? true else { return nil }
            ends.append((from, to))
        }
    }
}
