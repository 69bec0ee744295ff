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
            var days = try tables.days(transaction)
            let before = days
            for item in batch.items { try record(item, in: &days, transaction) }
            if days != before { try tables.setDays(days, transaction) }
            let committed = try note(batch, days.floor, transaction)
            try cover(batch, committed, transaction)
            return committed
        }
        complete()
        return committed
    }

    /// Drops the days that ended the retention and more before `now`, unless the clock is not to be trusted.
    ///
    /// - Returns: how many were dropped; nil: nothing expires yet because the clock stepped.
    func expire(at now: Int64) throws(LMDBFailure) -> Int? {
        let first = Day.number(now - times.retention)
        let count: Int? = try environment.write { transaction throws(LMDBFailure) in
            let clock = try tables.clock(transaction)
            guard clock.mayExpire(at: now), let newest = clock.newest, now - newest <= ExpiryClock.tolerance else { return nil }
            var days = try tables.days(transaction)
            guard days.floor < first else { return 0 }
            let expired = days.expire(before: first)
            for slot in expired {
                try transaction.empty(tables.ids[slot])
                try transaction.empty(tables.pairs[slot])
            }
            try tables.setDays(days, transaction)
            var coverage = try tables.coverage(transaction)
            coverage.forget(before: Day.start(first))
            try tables.setCoverage(coverage, transaction)
            return expired.count
        }
        complete()
        return count
    }

    private func record(_ item: SentBatch.Item, in days: inout DaySlots, _ transaction: LMDBTransaction) throws(LMDBFailure) {
        let entry = item.entry
        guard !entry.isEmpty else { return }
        let slot = days.slot(for: Day.number(item.time))
        let sender = SenderHashes(entry.reversePath, key: key)
        let record = SentRecord(
            time: item.time, recipients: max(1, entry.forwardPaths.count),
            senders: sender.map { [$0] } ?? [], isOpen: sender == nil, key: key
        )
        for id in entry.ids { try merge(record, key.hash(id: id), tables.ids[slot], transaction) }
        if let queueID = entry.queueID, !queueID.isEmpty {
            try merge(record, key.hash(.queueID, queueID), tables.ids[slot], transaction)
        }
        guard !entry.reversePath.isEmpty else { return }
        for forwardPath in entry.forwardPaths {
            let pair = key.hash(pairFrom: entry.reversePath, to: forwardPath).octets
            try transaction.put(tables.pairs[slot], pair, [1], isNewOnly: true)
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
