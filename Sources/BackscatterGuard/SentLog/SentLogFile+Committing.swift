// Writing: a batch is one transaction, all of it durable or none. Expiry is a transaction of its own.

/// What the committer takes from its queue at once.
struct SentBatch: Sendable {
    struct Item: Sendable {
        let entry: SentEntry
        let time: Int64
    }

    var items: [Item] = []
    var changes: [CoverageChange] = []
    /// A hole that could not be written before.
    var pendingHole: Int64?
    /// The newest clock time of the batch; nil: nothing in it tells the time (records of past mail, coverage).
    var now: Int64?
    /// Somebody waits for the number of days dropped, and drops them himself.
    var leavesExpiry = false

    var isEmpty: Bool { items.isEmpty && changes.isEmpty && pendingHole == nil && now == nil }
}

/// What became of the oldest days.
public enum ExpiryOutcome: Sendable, Equatable {
    /// Nothing is kept from before this time.
    case expired(before: Int64)
    /// The clock stepped; nothing expires before this time.
    case suspended(until: Int64)
}

extension SentLogFile {
    struct Committed: Sendable {
        /// How far the clock stepped; 0 when it did not.
        var step: Int64 = 0
        var suspendedUntil = Int64.min
        var isExpiryDue = false
    }

    /// Commits durably, or changes nothing.
    ///
    func commit(_ batch: SentBatch) throws(LMDBFailure) -> Committed {
        let committed = try environment.write { transaction throws(LMDBFailure) in
            var weeks = try tables.weeks(transaction)
            let before = weeks
            for item in batch.items { try record(item, in: &weeks, transaction) }
            if weeks != before { try tables.setWeeks(weeks, transaction) }
            let committed = try note(batch, weeks.floor, transaction)
            try cover(batch, committed, transaction)
            return committed
        }
        complete()
        return committed
    }

    /// Lets the days expire that ended the retention and more before `now`, unless the clock is not to be trusted.
    func expire(at now: Int64) throws(LMDBFailure) -> ExpiryOutcome {
        let first = Day.number(now - times.retention)
        let outcome: ExpiryOutcome = try environment.write { transaction throws(LMDBFailure) in
            let clock = try tables.clock(transaction)
            guard clock.mayExpire(at: now), let newest = clock.newest, now - newest <= ExpiryClock.tolerance else {
                return .suspended(until: clock.suspendedUntil)
            }
            var weeks = try tables.weeks(transaction)
            guard weeks.floor < first else { return .expired(before: Day.start(weeks.floor)) }
            for slot in weeks.expire(before: first) {
                try transaction.empty(tables.ids[slot])
                try transaction.empty(tables.pairs[slot])
            }
            try tables.setWeeks(weeks, transaction)
            var coverage = try tables.coverage(transaction)
            coverage.forget(before: Day.start(first))
            try tables.setCoverage(coverage, transaction)
            return .expired(before: Day.start(first))
        }
        complete()
        return outcome
    }

    private func record(_ item: SentBatch.Item, in weeks: inout WeekSlots, _ transaction: LMDBTransaction) throws(LMDBFailure) {
        let entry = item.entry
        guard !entry.isEmpty else { return }
        let day = weeks.kept(Day.number(item.time))
        let slot = weeks.slot(for: day)
        let sender = SenderHashes(entry.reversePath, key: key)
        let record = SentRecord(
            time: max(item.time, Day.start(day)), recipients: max(1, entry.recipients ?? entry.forwardPaths.count),
            senders: sender.map { [$0] } ?? [], isOpen: sender == nil && !entry.isBound, isBound: entry.isBound, key: key
        )
        for name in entry.names(key) {
            try merge(record, name, tables.ids[slot], transaction)
            if entry.isBound { try merge(record, key.bound(name, to: entry.reversePath), tables.ids[slot], transaction) }
        }
        guard !entry.reversePath.isEmpty, entry.keepsPairs else { return }
        for forwardPath in entry.forwardPaths {
            let pair = key.hash(pairFrom: entry.reversePath, to: forwardPath).octets
            try remember(pair, day, tables.pairs[slot], transaction)
        }
    }

    private func merge(_ record: SentRecord, _ hash: Hash128, _ table: LMDBTable, _ transaction: LMDBTransaction) throws(LMDBFailure) {
        let name = hash.octets
        var merged = record
        if let row = try transaction.row(table, name) {
            guard let known = SentRecord(row: row, key: key) else { throw .notOurRow }
            merged = known
            merged.merge(record)
        }
        try transaction.put(table, name, merged.row)
    }

    private func remember(_ pair: Octets, _ day: Int32, _ table: LMDBTable, _ transaction: LMDBTransaction) throws(LMDBFailure) {
        if let known = try transaction.row(table, pair).flatMap(Int32.init(row:)), known >= day { return }
        try transaction.put(table, pair, day.row)
    }

    private func note(_ batch: SentBatch, _ floor: Int32, _ transaction: LMDBTransaction) throws(LMDBFailure) -> Committed {
        var committed = Committed()
        guard let now = batch.now else { return committed }
        var clock = try tables.clock(transaction)
        let before = clock
        committed.step = clock.observe(now)
        committed.suspendedUntil = clock.suspendedUntil
        committed.isExpiryDue = !batch.leavesExpiry && clock.mayExpire(at: now) && floor < Day.number(now - times.retention)
        if clock != before { try tables.setClock(clock, transaction) }
        return committed
    }

    private func cover(
        _ batch: SentBatch, _ committed: Committed, _ transaction: LMDBTransaction
    ) throws(LMDBFailure) {
        guard !batch.changes.isEmpty || batch.pendingHole != nil || committed.step != 0 else { return }
        var coverage = try tables.coverage(transaction)
        if committed.step != 0, let now = batch.now { coverage.clockStepped(by: committed.step, to: now, limit: times.retention) }
        if let hole = batch.pendingHole { coverage.openHole(at: hole) }
        for change in batch.changes { change.apply(to: &coverage) }
        try tables.setCoverage(coverage, transaction)
    }
}
