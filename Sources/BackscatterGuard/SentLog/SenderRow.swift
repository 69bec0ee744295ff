// What each machine that sends says of itself in a shared log: until when it vouches that every mail of its own stands
// there, and which of its own records do. Together the rows tell whether an unknown id was never sent.
//
// A machine lets a mail go unrecorded only when its vouching is over by the clock of the Redis server, so no other can
// take that mail's bounce for a forged one.

/// One sender's row in `P:senders`.
struct SenderRow: Sendable, Equatable {
    /// Milliseconds that a renewal vouches. Outgoing mail waits so long at most when Redis falls silent.
    static let vouching: Int64 = 2_000
    /// Milliseconds after the last renewal from which the lease is over: a hole, until the sender has caught up.
    static let lease: Int64 = 10_000
    private static let version: UInt8 = 1
    /// With `readTo`: who knows version 1 only must not take it for one that records before mail leaves.
    private static let readerVersion: UInt8 = 2

    /// Milliseconds since 1970 by the clock of the Redis server. 0: it does not vouch now.
    var vouchesUntil: Int64 = 0
    /// The start of the Redis server under which it vouches: another one may have lost what was acknowledged.
    var run: UInt64 = 0
    /// Seconds since 1970 by the sender's clock.
    var renewed: Int64 = 0
    /// Its records up to this number stand.
    var through: UInt64 = 0
    /// By the clock of the Redis server: what it sent up to then stands. 0: it records before it sends. Of a machine that
    /// learns from a log what was sent, this is what an unknown id has to be older than.
    var readTo: Int64 = 0
    /// It has said that all its mail is recorded, from some time on.
    var hasStarted = false
    var name: Octets = []
    var coverage = Coverage()

    var octets: Octets {
        var octets: Octets = [readTo > 0 ? SenderRow.readerVersion : SenderRow.version, hasStarted ? 1 : 0]
        if readTo > 0 { octets.appendInteger(readTo) }
        octets.appendInteger(vouchesUntil)
        octets.appendInteger(run)
        octets.appendInteger(renewed)
        octets.appendInteger(through)
        let name = name.prefix(255)
        octets.append(UInt8(name.count))
        return octets + name + coverage.octets
    }

    init() {}

    /// The lease counts from here.
    var standsUntil: Int64 { readTo == 0 ? vouchesUntil : min(vouchesUntil, readTo + SenderRow.vouching) }

    /// - Returns: nil for what no version of this format wrote.
    init?(octets: Octets) {
        var reader = IntegerReader(octets)
        guard let version = reader.next(UInt8.self), version == SenderRow.version || version == SenderRow.readerVersion, let flags = reader.next(UInt8.self),
              let readTo = version == SenderRow.version ? 0 : reader.next(Int64.self), let until = reader.next(Int64.self),
              let run = reader.next(UInt64.self), let renewed = reader.next(Int64.self), let through = reader.next(UInt64.self),
              let length = reader.next(UInt8.self)
        else { return nil }
        let head = version == SenderRow.version ? 35 : 43
        guard octets.count >= head + Int(length), let coverage = Coverage(octets: Octets(octets[(head + Int(length))...])) else { return nil }
        self.readTo = readTo
        vouchesUntil = until
        self.run = run
        self.renewed = renewed
        self.through = through
        hasStarted = flags & 1 != 0
        name = Octets(octets[head..<(head + Int(length))])
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
        /// It will be, as soon as a sender has read the log of what it has sent up to the question.
        case reading
        /// It would be, but a sender has not renewed for some seconds: whether it is one will be known soon.
        case lapsing
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
    /// - Parameter asked: by the clock of the Redis server, when it was asked first; nil: what was sent in the last moment does
    ///   not matter.
    func standing(from: Int64, to: Int64, asked: Int64? = nil) -> Standing {
        guard unreadable == 0 else { return .incomplete }
        let senders = rows.filter(\.hasStarted)
        // Nobody but hooks that wait for the log records: their administrator's word holds until he takes it back.
        if senders.isEmpty { return statement.map { $0.since <= from } == true ? .complete : .incomplete }
        guard senders.allSatisfy({ isComplete($0, from, to) }) else { return .incomplete }
        guard senders.allSatisfy({ clock - $0.standsUntil < SenderRow.lease - SenderRow.vouching }) else { return .incomplete }
        guard senders.allSatisfy({ vouches($0) }) else { return .lapsing }
        guard let asked else { return .complete }
        return senders.allSatisfy { $0.readTo == 0 || $0.readTo >= asked } ? .complete : .reading
    }

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

    func vouches(_ row: SenderRow) -> Bool { row.run == run && row.vouchesUntil > clock }

    private func isComplete(_ row: SenderRow, _ from: Int64, _ to: Int64) -> Bool {
        var reached = from
        var intervals = row.coverage.intervals.map { (from: $0.from, to: $0.to ?? .max) }
        if let statement { intervals.append((statement.since, statement.at)) }
        for interval in intervals.sorted(by: { $0.from < $1.from }) where interval.from <= reached { reached = max(reached, interval.to) }
        return reached > to
    }
}
