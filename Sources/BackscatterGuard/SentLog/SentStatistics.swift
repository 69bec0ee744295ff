// What the log holds, for people and metrics.

/// The state of a log at one moment.
public struct SentStatistics: Sendable, Equatable {
    /// What one table holds: a week, some days of which may have expired already.
    public struct Week: Sendable, Equatable {
        /// First day, `2026-11-22`, UTC.
        public let from: String
        public let ids: Int
        public let pairs: Int
    }

    /// Newest first.
    public let weeks: [Week]
    /// Octets of the file.
    public let size: Int
    public let coverage: Coverage
    /// Newest time by the clock that the log has seen.
    public let newest: Int64?
    /// Nothing expires before; nil while nothing keeps it from expiring.
    public let expirySuspendedUntil: Int64?
    /// Begin of a hole that could not be written to the log.
    public let pendingHole: Int64?

    /// Seconds that coverage must reach back.
    public let bounceWindow: Int64
    /// Seconds that records are kept.
    public let retention: Int64

    /// Since when, without a hole, everything is recorded; nil: it isn't, or a hole is open.
    public var recordedSince: Int64? {
        guard pendingHole == nil, let last = coverage.intervals.last, last.to == nil else { return nil }
        return last.from
    }

    /// Whether a forged bounce can be told from a genuine one.
    public func isCovered(at now: Int64) -> Bool {
        pendingHole == nil && coverage.isComplete(from: now - bounceWindow, to: now)
    }
}

extension LMDBSentLog {
    public func statistics(at now: Int64) throws(SentLogError) -> SentStatistics {
        let hole = pendingHole
        return try withFile { file throws(LMDBFailure) in
            try file.environment.read { transaction throws(LMDBFailure) in
                let slots = try file.tables.weeks(transaction)
                var weeks: [SentStatistics.Week] = []
                for slot in slots.used {
                    weeks.append(.init(
                        from: UTC.day(slots.firstDay(of: slot)),
                        ids: try transaction.rowCount(file.tables.ids[slot]),
                        pairs: try transaction.rowCount(file.tables.pairs[slot])
                    ))
                }
                let clock = try file.tables.clock(transaction)
                return SentStatistics(
                    weeks: weeks, size: file.size, coverage: try file.tables.coverage(transaction), newest: clock.newest,
                    expirySuspendedUntil: clock.mayExpire(at: now) ? nil : clock.suspendedUntil, pendingHole: hole,
                    bounceWindow: file.times.bounceWindow, retention: file.times.retention
                )
            }
        }
    }

    /// What is known of one id, however it is written.
    public func lookup(_ id: MessageID, at now: Int64) throws(SentLogError) -> SentRecord? {
        try withFile { file throws(LMDBFailure) in
            try file.answer(Inquiry(ids: [id]), at: now).ids.first ?? nil
        }
    }
}
