// Which table of the log holds which day. The tables are made once, with the log; a day takes a free one and gives
// it back, emptied, when it expires. So no table is ever opened or closed while another thread or process reads.

/// The day of each table, and the first day that has not expired. Pure; stored in the log.
struct DaySlots: Sendable, Equatable {
    /// Tables: the longest retention, the day that runs, and days that a wrong clock made.
    static let count = 96
    private static let free = Int32.min

    private var days: [Int32]
    /// Days before it have expired and never come back: what is recorded for one goes to this day's table.
    private(set) var floor: Int32

    init() {
        days = Array(repeating: DaySlots.free, count: DaySlots.count)
        floor = DaySlots.free
    }

    /// The tables in use, newest day first.
    var used: [Int] {
        days.indices.filter { days[$0] != DaySlots.free }.sorted { days[$0] > days[$1] }
    }

    func day(of slot: Int) -> Int32 { days[slot] }

    /// The table for a day, taking one when it has none yet.
    ///
    /// When all are taken (a clock that wandered) the newest day's table takes the record: nothing is lost, it only expires otherwise.
    mutating func slot(for day: Int32) -> Int {
        let wanted = max(day, floor, DaySlots.free + 1)
        if let slot = days.firstIndex(of: wanted) { return slot }
        if let slot = days.firstIndex(of: DaySlots.free) {
            days[slot] = wanted
            return slot
        }
        return used.first ?? 0
    }

    /// Gives back the tables of all days before `day`.
    ///
    /// - Returns: the tables, which the caller empties.
    mutating func expire(before day: Int32) -> [Int] {
        guard day > floor else { return [] }
        floor = day
        let expired = used.filter { days[$0] < day }
        for slot in expired { days[slot] = DaySlots.free }
        return expired
    }

    var octets: Octets {
        var octets = Octets()
        octets.appendInteger(floor)
        for day in days { octets.appendInteger(day) }
        return octets
    }

    init?(octets: Octets) {
        var reader = IntegerReader(octets)
        guard octets.count == 4 * (1 + DaySlots.count), let floor = reader.next(Int32.self) else { return nil }
        self.init()
        self.floor = floor
        for slot in days.indices { days[slot] = reader.next(Int32.self) ?? DaySlots.free }
    }
}
