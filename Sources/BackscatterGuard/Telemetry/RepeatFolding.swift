// Folding of repeated events: the first of a kind are told one by one, further ones are counted, and what was counted is
// told in one when the interval is over. So a flood can fill neither the log nor the store, and yet every one counts.

/// What has come often lately. Time enters as an argument; memory is bounded by `Limits.keys`.
struct RepeatFolding<Key: Hashable & Sendable>: Sendable {
    struct Limits: Sendable {
        /// Seconds that counting goes on before it is told.
        var interval: Int64 = 60
        /// Events of one key within an interval that are told whole. 0: all are, always.
        var each: Int
        /// Events of all keys within an interval that are told whole.
        var all = Int.max
        /// Keys that are counted apart; further ones are counted under `rest`.
        var keys = 256
    }

    /// What was counted and not told.
    struct Repeats: Sendable, Equatable {
        var key: Key
        /// Seconds since 1970.
        var first: Int64
        var last: Int64
        var count: Int
        var clients: Int
        var recipients: Int
    }

    private struct Entry {
        var begun: Int64
        var whole = 0
        var first: Int64 = 0
        var last: Int64 = 0
        var count = 0
        var clients = DistinctCount()
        var recipients = 0
    }

    private let limits: Limits
    private var entries: [Key: Entry] = [:]
    private var begun = Int64.min / 2
    private var whole = 0

    init(_ limits: Limits) { self.limits = limits }

    /// An event has come.
    ///
    /// - Parameters:
    ///   - rest: the key under which it is counted where there is no room for its own: one of a small closed set.
    ///   - client: nil: not known, and not counted.
    ///   - recipients: how many it adds.
    /// - Returns: whether to tell it whole; else it is counted.
    mutating func take(_ key: Key, rest: Key, client: String?, recipients: Int, at now: Int64) -> Bool {
        guard limits.each > 0 else { return true }
        if now < begun || now - begun >= limits.interval { (begun, whole) = (now, 0) }
        let isOwn = entries[key] != nil || entries.count < limits.keys
        let place = isOwn ? key : rest
        var entry = entries[place] ?? Entry(begun: now)
        defer { entries[place] = entry }
        // Where there is no room for a key of its own, only the limit of all holds.
        if whole < limits.all, !isOwn || entry.whole < limits.each {
            entry.whole += 1
            whole += 1
            return true
        }
        if entry.count == 0 { entry.first = now }
        entry.last = now
        entry.count += 1
        entry.recipients += recipients
        if let client { entry.clients.add(client) }
        return false
    }

    /// What was counted in intervals that are over; their keys begin anew.
    ///
    /// - Parameter all: also in those that are not: the end has come.
    mutating func due(at now: Int64, all: Bool = false) -> [Repeats] {
        guard !entries.isEmpty else { return [] }
        var told: [Repeats] = []
        for (key, entry) in entries where all || now < entry.begun || now - entry.begun >= limits.interval {
            entries[key] = nil
            guard entry.count > 0 else { continue }
            told.append(Repeats(
                key: key, first: entry.first, last: entry.last, count: entry.count, clients: entry.clients.count, recipients: entry.recipients))
        }
        return told.sorted { ($0.first, $0.count) < ($1.first, $1.count) }
    }
}
