// What each machine that sends says of itself in a shared log: up to when every mail of its own stands there, and which
// of its own records do. Together the rows tell whether an unknown id was never sent.
//
// A row speaks of the past only, by the clock of the Redis server (`standsTo`), so nobody has to wait until a promise is
// over: a mail may leave at any time without Redis, as soon as it is durable in its sender's journal. An unknown id is
// refused only when every row reaches to when it was asked for (`asked`, by the same clock), and is looked up once more
// until they do. Why no genuine bounce is refused by that: let a mail be let go at t1, its bounce be asked for at T2.
// T2 > t1. A row with `standsTo` >= T2 was made after T2, since `standsTo` is a time that had passed when it was made. So it
// was made after t1, and a row is given a new `standsTo` only together with all that its sender had let go by then, in
// one step (RedisScript.apply). The ids are looked up after the rows have been read: the mail is found.

/// One sender's row in `P:senders`.
struct SenderRow: Sendable, Equatable {
    /// Milliseconds between `standsTo` and the server's clock from which the lease is over: a hole, until the sender has
    /// caught up.
    static let lease: Int64 = 10_000
    private static let version: UInt8 = 1
    private static let head = 35

    /// Milliseconds since 1970 by the clock of the Redis server: what it let go up to then stands. Of a machine that learns
    /// from a log what was sent: what had left by then.
    var standsTo: Int64 = 0
    /// The start of the Redis server that `standsTo` is of: another one may have lost what was acknowledged, and its clock
    /// may differ.
    var run: UInt64 = 0
    /// Seconds since 1970 by the sender's clock.
    var renewed: Int64 = 0
    /// Its records up to this number stand.
    var through: UInt64 = 0
    /// It has said that all its mail is recorded, from some time on.
    var hasStarted = false
    /// It learns from a log what was sent. For people.
    var readsLog = false
    var name: Octets = []
    var coverage = Coverage()

    var octets: Octets {
        var octets: Octets = [SenderRow.version, (hasStarted ? 1 : 0) | (readsLog ? 2 : 0)]
        octets.appendInteger(standsTo)
        octets.appendInteger(run)
        octets.appendInteger(renewed)
        octets.appendInteger(through)
        let name = name.prefix(255)
        octets.append(UInt8(name.count))
        return octets + name + coverage.octets
    }

    init() {}

    /// - Returns: nil for what no version of this format wrote.
    init?(octets: Octets) {
        var reader = IntegerReader(octets)
        guard reader.next(UInt8.self) == SenderRow.version, let flags = reader.next(UInt8.self), let standsTo = reader.next(Int64.self),
              let run = reader.next(UInt64.self), let renewed = reader.next(Int64.self), let through = reader.next(UInt64.self),
              let length = reader.next(UInt8.self)
        else { return nil }
        let end = SenderRow.head + Int(length)
        guard octets.count >= end, let coverage = Coverage(octets: Octets(octets[end...])) else { return nil }
        self.standsTo = standsTo
        self.run = run
        self.renewed = renewed
        self.through = through
        hasStarted = flags & 1 != 0
        readsLog = flags & 2 != 0
        name = Octets(octets[SenderRow.head..<end])
        self.coverage = coverage
    }
}

/// All that a lookup knows of a site.
struct SharedSite: Sendable, Equatable {
    /// The administrator's statement that the log is complete.
    struct Statement: Sendable, Equatable {
        var since: Int64
        var at: Int64
    }

    enum Standing: Equatable {
        case complete
        /// It may be, as soon as the rows reach to the question.
        case waiting
        case incomplete
    }

    var rows: [SenderRow] = []
    /// Rows that can't be read: of a newer version, or damaged.
    var unreadable = 0
    var statement: Statement?
    /// The clock of the Redis server, milliseconds since 1970.
    var clock: Int64 = 0
    var run: UInt64 = 0

    /// Whether every mail that left from `from` to `to` stands in the log.
    ///
    /// - Parameter asked: by the clock of the Redis server, when it was asked first; nil: what was sent in the last seconds does
    ///   not matter.
    func standing(from: Int64, to: Int64, asked: Int64? = nil) -> Standing {
        guard unreadable == 0 else { return .incomplete }
        let senders = rows.filter(\.hasStarted)
        // Nobody but hooks records: their administrator's word holds until he takes it back.
        if senders.isEmpty, statement.map({ $0.since <= from }) != true { return .incomplete }
        guard senders.allSatisfy({ isComplete($0, from, to) && hasLease($0) }) else { return .incomplete }
        // One that has not said that all its mail is recorded may have recorded some: it is waited for, but not for ever.
        return rows.allSatisfy { reaches($0, asked ?? recently) || !($0.hasStarted || hasLease($0)) } ? .complete : .waiting
    }

    private func hasLease(_ row: SenderRow) -> Bool { clock - row.standsTo < SenderRow.lease }
    private func reaches(_ row: SenderRow, _ time: Int64) -> Bool { row.run == run && row.standsTo >= time }
    private var recently: Int64 { clock - SenderRow.lease / 2 }

    /// Since when, without a hole, everything is recorded; nil: it isn't, or a hole is open.
    func completeSince(at now: Int64) -> Int64? {
        guard unreadable == 0 else { return nil }
        let senders = rows.filter(\.hasStarted)
        if senders.isEmpty { return statement?.since }
        var latest = Int64.min
        for row in senders {
            guard row.coverage.openHoleSince == nil, let running = row.coverage.intervals.last, running.to == nil else { return nil }
            var since = running.from
            // The administrator's word, and what the row holds before it, as long as they touch.
            var earlier = row.coverage.intervals.dropLast().map { (from: $0.from, to: $0.to ?? .max) }
            if let statement { earlier.append((statement.since, statement.at)) }
            for interval in earlier.sorted(by: { $0.to > $1.to }) where interval.to >= since { since = min(since, interval.from) }
            latest = max(latest, since)
        }
        return latest
    }

    /// For people: it reaches to some seconds ago.
    func vouches(_ row: SenderRow) -> Bool { reaches(row, recently) }

    private func isComplete(_ row: SenderRow, _ from: Int64, _ to: Int64) -> Bool {
        var reached = from
        var intervals = row.coverage.intervals.map { (from: $0.from, to: $0.to ?? .max) }
        if let statement { intervals.append((statement.since, statement.at)) }
        for interval in intervals.sorted(by: { $0.from < $1.from }) where interval.from <= reached { reached = max(reached, interval.to) }
        return reached > to
    }
}
