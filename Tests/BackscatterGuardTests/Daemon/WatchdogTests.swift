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
        // #expect takes no call that changes its receiver.
        let steps: [(now: Int64, beats: [Int64], isDue: Bool)] = [
            (100_000, [99_000, 98_000], true), (109_999, [109_000, 109_000], false), (110_000, [109_000, 109_000], true),
            (150_000, [149_000, 120_000], false),                    // one worker hangs
            (150_000, [149_000, 120_001], true), (170_000, [], true),
        ]
        for step in steps {
            let isDue = watchdog.isDue(at: step.now, beats: step.beats)
            #expect(isDue == step.isDue, "\(step)")
        }
    }

    @Test func nobodyWaits() {
        var watchdog = Watchdog(microseconds: nil, process: nil, own: 7, isSuccessor: false)
        let isDue = watchdog.isDue(at: 100_000, beats: [])
        #expect(!isDue)
    }
}
