// Which table of the log holds which week, and which days have expired. Records expire by days; tables are dropped by
// weeks: at 21 days of retention a lookup probes 4 tables instead of 22
// (measured with a million ids: 6 µs for an inquiry instead of 35).
// The tables are made once, with the log; a week takes a free one and gives it back, emptied, when all its days have
// expired. So no table is ever opened or closed while another thread or process reads.

/// The week of each table, and the first day that has not expired. Pure; stored in the log.
struct WeekSlots: Sendable, Equatable {
    static let daysInWeek: Int32 = 7
    /// Tables: the longest retention, the week that runs, and weeks that a wrong clock made.
    static let count = 20
    private static let free = Int32.min

    private var weeks: [Int32]
    /// Days before it have expired and never come back.
    private(set) var floor: Int32

    init() {
        weeks = Array(repeating: WeekSlots.free, count: WeekSlots.count)
        floor = WeekSlots.free
    }

    /// The tables in use, newest week first.
    var used: [Int] {
        weeks.indices.filter { weeks[$0] != WeekSlots.free }.sorted { weeks[$0] > weeks[$1] }
    }

    /// The first day of a table in use.
    func firstDay(of slot: Int) -> Int32 { weeks[slot].multipliedReportingOverflow(by: WeekSlots.daysInWeek).partialValue }

    /// The day as which something is kept that was sent on `day`: what comes late lives as long as the oldest day.
    func kept(_ day: Int32) -> Int32 { max(day, floor) }

    /// The table for a day, taking one when its week has none yet.
    ///
    /// When all are taken (a clock that wandered) the newest week's table takes the record: nothing is lost.
    mutating func slot(for day: Int32) -> Int {
        let week = WeekSlots.week(of: kept(day))
        if let slot = weeks.firstIndex(of: week) { return slot }
        if let slot = weeks.firstIndex(of: WeekSlots.free) {
            weeks[slot] = week
            return slot
        }
        return used.first ?? 0
    }

    /// Lets all days before `day` expire.
    ///
    /// - Returns: the tables that hold nothing else, which the caller empties.
    mutating func expire(before day: Int32) -> [Int] {
        guard day > floor else { return [] }
        floor = day
        let expired = used.filter { weeks[$0] < WeekSlots.week(of: day) }
        for slot in expired { weeks[slot] = WeekSlots.free }
        return expired
    }

    private static func week(of day: Int32) -> Int32 {
        day >= 0 ? day / daysInWeek : -((-(day + 1)) / daysInWeek) - 1
    }

    var octets: Octets {
        var octets = Octets()
        octets.appendInteger(floor)
        for week in weeks { octets.appendInteger(week) }
        return octets
    }

    init?(octets: Octets) {
        var reader = IntegerReader(octets)
        guard octets.count == 4 * (1 + WeekSlots.count), let floor = reader.next(Int32.self) else { return nil }
        self.init()
        self.floor = floor
        for slot in weeks.indices { weeks[slot] = reader.next(Int32.self) ?? WeekSlots.free }
    }
}
