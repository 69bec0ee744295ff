import Testing
@testable import BackscatterGuard

@Suite("sd_watchdog_enabled(3): the service manager is told while all workers turn") struct WatchdogTests {
    @Test(arguments: [
        ("30000000", "7", false, 30_000), ("30000000", nil, false, 30_000), ("30000000", "8", false, nil), ("30000000", "8", true, 30_000),
        (nil, "7", false, nil), ("0", "7", false, nil), ("x", "7", false, nil), ("-5000", "7", false, nil),
    ] as [(String?, String?, Bool, Int64?)])
    func interval(_ microseconds: String?, _ process: String?, _ isSuccessor: Bool, _ expected: Int64?) {
        #expect(Watchdog(microseconds: microseconds, process: process, own: 7, isSuccessor: isSuccessor).interval == expected)
    }

    @Test func tells() {
        var watchdog = Watchdog(microseconds: "30000000", process: nil, own: 7, isSuccessor: false)
        #expect(watchdog.isDue(at: 100_000, beats: [99_000, 98_000]))
        #expect(!watchdog.isDue(at: 109_999, beats: [109_000, 109_000]) && watchdog.isDue(at: 110_000, beats: [109_000, 109_000]))
        #expect(!watchdog.isDue(at: 150_000, beats: [149_000, 120_000]), "one worker hangs")
        #expect(watchdog.isDue(at: 150_000, beats: [149_000, 120_001]) && watchdog.isDue(at: 170_000, beats: []))
    }

    @Test func nobodyWaits() {
        var watchdog = Watchdog(microseconds: nil, process: nil, own: 7, isSuccessor: false)
        #expect(!watchdog.isDue(at: 100_000, beats: []))
    }
}
