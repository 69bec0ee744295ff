// The tables within the file, and the few rows that describe the log as a whole.

import CLMDB

/// Tables of one open log: `meta`, and an id and a pair table for each slot of WeekSlots.
struct SentTables: Sendable {
    static let count = 1 + 2 * WeekSlots.count
    private static let version: Octets = [1]

    private static let versionRow = Octets("format".utf8)
    private static let keyRow = Octets("key".utf8)
    private static let weeksRow = Octets("weeks".utf8)
    private static let coverageRow = Octets("coverage".utf8)
    private static let timesRow = Octets("times".utf8)
    private static let clockRow = Octets("clock".utf8)

    enum Fitness { case fits, otherVersion, otherKey }

    private let meta: LMDBTable
    let ids: [LMDBTable]
    let pairs: [LMDBTable]

    /// Opens all tables, making those that are missing.
    init(_ transaction: LMDBTransaction) throws(LMDBFailure) {
        meta = try transaction.openTable("meta")
        var ids: [LMDBTable] = [], pairs: [LMDBTable] = []
        for slot in 0..<WeekSlots.count {
            ids.append(try transaction.openTable("id.\(slot)"))
            pairs.append(try transaction.openTable("pair.\(slot)"))
        }
        self.ids = ids
        self.pairs = pairs
    }

    /// Whether the log is ours; a log that was just made takes the key.
    func fitness(_ key: SentKey, _ transaction: LMDBTransaction) throws(LMDBFailure) -> Fitness {
        let fingerprint = key.fingerprint
        guard let version = try transaction.row(meta, SentTables.versionRow) else {
            try transaction.put(meta, SentTables.versionRow, SentTables.version)
            try transaction.put(meta, SentTables.keyRow, fingerprint)
            try setWeeks(WeekSlots(), transaction)
            return .fits
        }
        guard version == SentTables.version else { return .otherVersion }
        return try transaction.row(meta, SentTables.keyRow) == fingerprint ? .fits : .otherKey
    }

    /// The times the log goes by: those of the settings when they set them, else those that were set before.
    func times(_ settings: SentLogSettings, _ transaction: LMDBTransaction) throws(LMDBFailure) -> SentTimes {
        let stored = try transaction.row(meta, SentTables.timesRow).flatMap(SentTimes.init)
        let wanted = SentTimes(settings)
        guard settings.setsTimes else { return stored ?? wanted }
        if stored != wanted { try transaction.put(meta, SentTables.timesRow, wanted.octets) }
        return wanted
    }

    func weeks(_ transaction: LMDBTransaction) throws(LMDBFailure) -> WeekSlots {
        guard let weeks = try transaction.row(meta, SentTables.weeksRow).flatMap(WeekSlots.init) else { throw .notOurRow }
        return weeks
    }

    func setWeeks(_ weeks: WeekSlots, _ transaction: LMDBTransaction) throws(LMDBFailure) {
        try transaction.put(meta, SentTables.weeksRow, weeks.octets)
    }

    func coverage(_ transaction: LMDBTransaction) throws(LMDBFailure) -> Coverage {
        try transaction.row(meta, SentTables.coverageRow).flatMap(Coverage.init) ?? Coverage()
    }

    func setCoverage(_ coverage: Coverage, _ transaction: LMDBTransaction) throws(LMDBFailure) {
        try transaction.put(meta, SentTables.coverageRow, coverage.octets)
    }

    func clock(_ transaction: LMDBTransaction) throws(LMDBFailure) -> ExpiryClock {
        try transaction.row(meta, SentTables.clockRow).flatMap(ExpiryClock.init) ?? ExpiryClock()
    }

    func setClock(_ clock: ExpiryClock, _ transaction: LMDBTransaction) throws(LMDBFailure) {
        try transaction.put(meta, SentTables.clockRow, clock.octets)
    }
}

extension LMDBFailure {
    /// A row that no version of the format wrote: the file is damaged.
    static var notOurRow: LMDBFailure { LMDBFailure(code: MDB_CORRUPTED) }
}
