import Testing
@testable import BackscatterGuard

@Suite("Sent log: expiry by whole days, and coverage in the log") struct SentLogExpiryTests {
    private static let day = Day.seconds

    @Test func everyDayTheOldestGoes() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        for day in Int64(0)..<40 {
            let now = noon + day * Self.day
            try log.recordNow(try entry("\(day)@b", to: ["r\(day)@x.example"]), at: now)
            let kept = max(0, day - 21)...day
            for other in 0...day {
                #expect(try log.knows("\(other)@b", at: now) == kept.contains(other), "day \(day): \(other)")
            }
            let pairs = log.answer(
                Inquiry(recipients: [Octets("ann@example.org")], failedRecipients: [Octets("r\(max(0, day - 22))@x.example")]), at: now
            ).knownPairs
            #expect(pairs == [day <= 22 ? day < 22 : false])
            #expect(try (1...4).contains(log.statistics(at: now).weeks.count))
        }
    }

    @Test func theHeartbeatExpiresToo() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry("a@b"), at: noon)
        for day in Int64(1)...22 { try log.keepAndWait(at: noon + day * Self.day) }
        #expect(try !log.knows("a@b", at: noon))
        for day in Int64(23)...29 { try log.keepAndWait(at: noon + day * Self.day) }
        #expect(try log.statistics(at: noon).weeks == [])
    }

    @Test func expiryOnDemand() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        for day in Int64(0)..<5 { try log.recordAndWait([try entry("\(day)@b")], at: noon + day * Self.day) }
        for day in Int64(0)...22 { try log.recordNow(SentEntry(ids: []), at: noon + day * Self.day) }
        for day in 0..<5 { #expect(try log.knows("\(day)@b", at: noon) == (day >= 1)) }
        #expect(try log.expire(at: noon + 23 * Self.day) == .expired(before: noon - 43_200 + 2 * Self.day))
        for day in 0..<5 { #expect(try log.knows("\(day)@b", at: noon) == (day >= 2)) }
        #expect(try log.expire(at: noon + 23 * Self.day) == .expired(before: noon - 43_200 + 2 * Self.day))
    }

    @Test(arguments: [30, 1, -2, 4000] as [Int64])
    func aStepOfTheClockStopsExpiryForADay(_ days: Int64) throws {
        let state = try StateDirectory()
        let book = AlarmBook()
        let log = try LMDBSentLog(state.settings, at: noon) { book.take($0) }
        try log.recordAndWait([try entry("old@b")], at: noon - 41 * Self.day)
        try log.recordNow(SentEntry(ids: []), at: noon - 19 * Self.day)
        #expect(try log.knows("old@b", at: noon) == false, "expired: the clock ran well")
        try log.recordAndWait([try entry("kept@b")], at: noon - 19 * Self.day)
        let now = noon - 19 * Self.day + days * Self.day + (days < 0 ? -1 : 1)
        try log.recordNow(try entry("new@b"), at: now)
        #expect(book.all == [.clockStepped(by: now - (noon - 19 * Self.day), until: now + Self.day)])
        #expect(try log.knows("kept@b", at: now) && log.knows("new@b", at: now))
        #expect(try log.expire(at: now) == .suspended(until: now + Self.day))
        #expect(try log.statistics(at: now).expirySuspendedUntil == now + Self.day)
        #expect(try log.knows("kept@b", at: now))
        for hour in Int64(1)...24 { try log.keepAndWait(at: now + hour * 3600) }
        #expect(try log.knows("kept@b", at: now) == (days < 21), "after a day expiry goes on by the new clock")
        #expect(try log.statistics(at: now + Self.day).expirySuspendedUntil == nil && book.all.count == 1)
    }

    @Test func recordsFromBeforeTheExpiredDaysAreNotLost() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        for day in Int64(0)...30 { try log.keepAndWait(at: noon + day * Self.day) }
        try log.recordAndWait([try entry("late@b")], at: noon - 100 * Self.day)
        #expect(try log.knows("late@b", at: noon + 30 * Self.day))
        try log.keepAndWait(at: noon + 31 * Self.day)
        #expect(try !log.knows("late@b", at: noon + 31 * Self.day), "it lives as long as the oldest day")
    }

    @Test func expiredDaysAreNoLongerCovered() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.startCovering(at: noon - 100 * Self.day)
        try log.keepAndWait(at: noon)
        #expect(log.answer(Inquiry(), at: noon).isCovered)
        let floor = noon - 43_200 - 21 * Self.day
        #expect(try log.statistics(at: noon).coverage.intervals == [.init(from: floor, to: nil)])
        #expect(log.answer(Inquiry(), at: floor + 10 * Self.day).isCovered)
        #expect(!log.answer(Inquiry(), at: floor + 10 * Self.day - 1).isCovered)
    }

    @Test func coverageIsOfTheBounceWindow() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        #expect(!log.answer(Inquiry(), at: noon).isCovered)
        try log.startCovering(at: noon)
        #expect(!log.answer(Inquiry(), at: noon + 10 * Self.day - 1).isCovered)
        #expect(log.answer(Inquiry(), at: noon + 10 * Self.day).isCovered)
        try log.openHole(from: noon + 100, to: noon + 200)
        #expect(!log.answer(Inquiry(), at: noon + 10 * Self.day + 199).isCovered)
        #expect(log.answer(Inquiry(), at: noon + 10 * Self.day + 200).isCovered)
        try log.openHole(at: noon + 11 * Self.day)
        #expect(!log.answer(Inquiry(), at: noon + 11 * Self.day).isCovered)
        try log.cover(since: noon, at: noon + 12 * Self.day)
        try log.closeHole(at: noon + 12 * Self.day + 1)
        log.close()
        let next = try LMDBSentLog(state.settings, at: noon)
        #expect(try next.statistics(at: noon).coverage.intervals == [
            .init(from: noon, to: noon + 12 * Self.day), .init(from: noon + 12 * Self.day + 1, to: nil),
        ])
        try next.cover(since: noon - 100 * Self.day, at: noon + 13 * Self.day)
        #expect(next.answer(Inquiry(), at: noon).isCovered)
    }

    @Test func aMachineThatBeganIn1970ClaimsNothing() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: 5)
        try log.startCovering(at: 5)
        try log.keepAndWait(at: 5)
        try log.keepAndWait(at: noon)
        #expect(!log.answer(Inquiry(), at: noon + 9 * Self.day).isCovered)
        #expect(log.answer(Inquiry(), at: noon + 10 * Self.day).isCovered)
    }
}
