import Testing
@testable import BackscatterGuard

/// #expect takes no mutating call.
private final class Pace {
    private var pace = RedisPace()
    var waits: Bool { pace.waits }
    var isAway: Bool { pace.isAway }
    func lost(at now: Int64) { pace.lost(at: now) }
    func found() { pace.found() }
    func letGo() { pace.letGo() }
    func waited(since: Int64, at now: Int64) { pace.waited(since: since, at: now) }
    func turnsAway(at now: Int64) -> Bool { pace.turnsAway(at: now) }
    func acknowledged(after delay: Int64, all: Bool, at now: Int64) -> Bool { pace.acknowledged(after: delay, all: all, at: now) }
}

@Suite("Shared log: whether outgoing mail waits for it") struct RedisPaceTests {
    @Test func mailWaitsForAMomentOnce() {
        let pace = Pace()
        pace.waited(since: 0, at: 99)
        #expect(pace.waits)
        pace.waited(since: 0, at: 100)
        #expect(!pace.waits)
        pace.waited(since: 5_000, at: 5_000)
        #expect(!pace.waits, "what comes now does not wait anew")
    }

    @Test func aLostConnectionIsWaitedForByNobody() {
        let pace = Pace()
        pace.lost(at: 10)
        #expect(!pace.waits && !pace.turnsAway(at: 10), "nothing has gone on without the log yet")
        pace.letGo()
        #expect(pace.turnsAway(at: 11) && pace.isAway && !pace.turnsAway(at: 12), "said once")
    }

    @Test func aSlowLogIsToldOfAfterASecond() {
        let pace = Pace()
        pace.waited(since: 0, at: 100)
        pace.letGo()
        #expect(!pace.turnsAway(at: 1_099) && pace.turnsAway(at: 1_100))
        // Found again, it is only slow.
        let other = Pace()
        other.lost(at: 0)
        other.found()
        other.letGo()
        #expect(!other.turnsAway(at: 999) && other.turnsAway(at: 1_000))
    }

    /// Replies of 150 to 600 ms: mail goes on all the time, and the log says so once.
    @Test func slownessDoesNotFlap() {
        let pace = Pace()
        var said = 0
        for (number, delay) in [150, 600, 300, 150, 450, 200, 600, 150].enumerated() {
            let began = Int64(number * 700)
            pace.waited(since: began, at: began + 100)
            #expect(!pace.waits)
            pace.letGo()
            if pace.turnsAway(at: began + 100) { said += 1 }
            #expect(!pace.acknowledged(after: Int64(delay), all: true, at: began + Int64(delay)))
        }
        #expect(said == 1 && !pace.waits)
    }

    @Test func itIsBackWhenAllIsAcknowledgedInTimeForAWhile() {
        let pace = Pace()
        pace.lost(at: 0)
        pace.letGo()
        #expect(pace.turnsAway(at: 0))
        pace.found()
        #expect(!pace.acknowledged(after: 5, all: false, at: 1_000), "it catches up")
        #expect(!pace.acknowledged(after: 5, all: true, at: 2_000) && !pace.acknowledged(after: 5, all: true, at: 2_400) && !pace.waits)
        #expect(!pace.acknowledged(after: 100, all: true, at: 2_500), "one was late: it counts anew")
        #expect(!pace.acknowledged(after: 5, all: true, at: 2_600) && !pace.acknowledged(after: 5, all: true, at: 3_099))
        #expect(pace.acknowledged(after: 5, all: true, at: 3_100) && pace.waits && !pace.isAway)
        #expect(!pace.acknowledged(after: 5, all: true, at: 9_000), "said once")
        pace.lost(at: 9_100)
        #expect(!pace.turnsAway(at: 19_100), "it was away with no mail to go on")
    }

    @Test func aShortSlownessIsNotToldOf() {
        let pace = Pace()
        pace.waited(since: 0, at: 100)
        pace.letGo()
        #expect(!pace.acknowledged(after: 5, all: true, at: 200) && !pace.acknowledged(after: 5, all: true, at: 700), "nothing was said, so nothing is")
        #expect(pace.waits && !pace.turnsAway(at: 9_000))
    }
}
