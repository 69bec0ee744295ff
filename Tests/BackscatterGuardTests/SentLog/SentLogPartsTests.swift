import Testing
@testable import BackscatterGuard

@Suite("Sent log: the clock's guard") struct ExpiryClockTests {
    private static let day = Day.seconds

    @Test(arguments: [
        ([noon], [0], true), ([noon, noon + day], [0, 0], true), ([noon, noon + day + 1], [0, day + 1], false),
        ([noon, noon - day], [0, 0], true), ([noon, noon - day - 1], [0, -day - 1], false),
        ([noon, noon + 2 * day, noon + 3 * day], [0, 2 * day, 0], true),      // it waits a day, no longer
        ([noon, noon + 2 * day, noon + 3 * day - 1], [0, 2 * day, 0], false),
        ([noon, noon + 9 * day, noon + 1], [0, 9 * day, 1 - 9 * day], false),
        ([noon, noon - day, noon - day - 9], [0, 0, -day - 9], false),        // small steps do not add up unseen
        ([.min, .max], [0, .max], true),
    ] as [([Int64], [Int64], Bool)])
    func steps(_ times: [Int64], _ expected: [Int64], _ mayExpire: Bool) {
        var clock = ExpiryClock()
        var steps: [Int64] = []
        for time in times { steps.append(clock.observe(time)) }
        #expect(steps == expected)
        #expect(times.last.map(clock.mayExpire) == mayExpire)
        #expect(ExpiryClock(octets: clock.octets) == clock)
    }

    @Test func newClockHasSeenNothing() {
        #expect(ExpiryClock().newest == nil && ExpiryClock(octets: ExpiryClock().octets) == ExpiryClock())
        #expect(ExpiryClock(octets: [1]) == nil)
    }
}

@Suite("Sent log: a table for each week") struct WeekSlotsTests {
    @Test func weeksKeepTheirTable() {
        var slots = WeekSlots()
        let first = slots.slot(for: 20), second = slots.slot(for: 21)
        #expect(first != second && slots.slot(for: 14) == first && slots.slot(for: 27) == second && slots.used == [second, first])
        #expect(slots.firstDay(of: first) == 14 && slots.firstDay(of: second) == 21)
        #expect(WeekSlots(octets: slots.octets) == slots && WeekSlots(octets: [1]) == nil)
    }

    @Test func expiredDaysNeverComeBack() {
        var slots = WeekSlots()
        let first = slots.slot(for: 20), second = slots.slot(for: 21)
        #expect(slots.expire(before: 20) == [] && slots.floor == 20 && slots.kept(5) == 20 && slots.kept(22) == 22)
        #expect(slots.expire(before: 21) == [first])
        #expect(slots.slot(for: 5) == second, "goes to the oldest week that is left")
        #expect(slots.expire(before: 20) == [] && slots.floor == 21)
        #expect(slots.expire(before: 30) == [second] && slots.used == [])
        let late = slots.slot(for: 5)
        #expect(slots.firstDay(of: late) == 28)
    }

    @Test func fullTablesTakeMoreInTheNewestWeek() {
        var slots = WeekSlots()
        for week in 0..<Int32(WeekSlots.count) { _ = slots.slot(for: 7 * week) }
        let newest = slots.slot(for: 7 * Int32(WeekSlots.count) - 1)
        #expect(slots.slot(for: 5000) == newest && slots.slot(for: -5000) == newest)
        #expect(slots.used.count == WeekSlots.count)
    }

    @Test(arguments: [Int32.min, .min + 1, -8, -7, -1, 0, 6, 7, .max])
    func everyDayHasATable(_ day: Int32) {
        var slots = WeekSlots()
        let slot = slots.slot(for: day)
        #expect(slots.slot(for: day) == slot && slots.used == [slot])
        if day > .min + 7 { #expect((0..<7).contains(day - slots.firstDay(of: slot))) }
    }

    @Test func ninetyDaysAndMoreHaveRoom() {
        #expect(Int64(WeekSlots.count - 5) * 7 >= SentLogSettings.longestRetention / Day.seconds)
    }
}

@Suite("Sent log: times as text") struct UTCTests {
    @Test(arguments: [
        (noon, "2026-11-22T12:00:00Z"), (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
        (951_827_696, "2000-02-29T12:34:56Z"), (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
    ] as [(Int64, String)])
    func text(_ time: Int64, _ text: String) {
        #expect(UTC.text(time) == text)
        #expect(UTC.time(text, now: 0) == time)
    }

    @Test(arguments: [
        ("2026-11-22", noon - 43_200), ("2026-11-22 12:00", noon), ("2026-11-22T12:00:00", noon), ("2026-11-22T12:00Z", noon),
        ("@5", 5), ("10d", noon - 864_000), ("36h", noon - 129_600), ("0d", noon),
        ("2026-02-29", nil), ("2026-13-01", nil), ("2026-00-10", nil), ("2026-11-22T24:00", nil), ("2026-11-22T12:60", nil),
        ("2026-11-22x12:00", nil), ("2026-1-22", nil), ("", nil), ("d", nil), ("-1d", nil), ("@", nil), ("now", nil),
        ("2026-11-22Z", noon - 43_200), ("@99999999999", nil), ("99999999999d", nil), ("2026-11-2２", nil),
    ] as [(String, Int64?)])
    func time(_ text: String, _ expected: Int64?) {
        #expect(UTC.time(text, now: noon) == expected)
    }

    @Test(arguments: [(0, 0), (86_399, 0), (86_400, 1), (-1, -1), (-86_400, -1), (-86_401, -2), (.max, .max), (.min, .min)] as [(Int64, Int32)])
    func day(_ time: Int64, _ day: Int32) { #expect(Day.number(time) == day) }
}

@Suite("Sent log: counting returns") struct ReturnCounterTests {
    private func hash(_ number: UInt64) -> Hash128 { Hash128(high: number, low: 0) }

    @Test func countsEachIDByItself() {
        let counter = ReturnCounter(limit: 100, lifetime: 1000)
        #expect((1...3).map { _ in counter.count(hash(1), at: 0) } == [1, 2, 3])
        #expect(counter.count(hash(2), at: 0) == 1)
    }

    @Test func aFloodOfOthersForgetsWhatComesNoMoreFirst() {
        let counter = ReturnCounter(limit: 100, lifetime: 1000)
        for number: UInt64 in 0..<10_000 {
            if number % 20 == 0 { _ = counter.count(hash(.max), at: 0) }
            _ = counter.count(hash(number), at: 0)
            #expect(counter.counted <= 100)
        }
        #expect(counter.count(hash(.max), at: 0) == 501)
        #expect(counter.count(hash(0), at: 0) == 1)
    }

    @Test(arguments: [(1000, 2), (1001, 2), (2000, 2), (2001, 1), (9000, 1), (-5, 2)] as [(Int64, Int)])
    func ages(_ later: Int64, _ expected: Int) {
        let counter = ReturnCounter(limit: 100, lifetime: 1000)
        _ = counter.count(hash(1), at: 0)
        #expect(counter.count(hash(1), at: later) == expected)
    }
}
