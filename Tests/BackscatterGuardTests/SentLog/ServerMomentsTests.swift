import Testing
@testable import BackscatterGuard

@Suite("Shared log: how late it was by the server's clock at the least") struct ServerMomentsTests {
    @Test func itIsWhatTheServerSaidBefore() {
        var moments = ServerMoments()
        #expect(moments.latest == nil && moments.earlier(than: 1_000) == nil && moments.newestAt == nil)
        moments.add(70_000, at: 1_000)
        moments.add(70_300, at: 1_200)
        #expect(moments.latest == 70_299 && moments.newestAt == 1_200)
        #expect(moments.earlier(than: 1_000) == nil, "within the same millisecond it may have been either way")
        #expect(moments.earlier(than: 1_001) == 69_999 && moments.earlier(than: 1_200) == 69_999)
        #expect(moments.earlier(than: 9_999_999) == 70_299, "nothing is reckoned forward")
    }

    /// Whatever was said, and whenever: no bound is above what had been said before.
    @Test func noBoundIsTooLate() {
        var moments = ServerMoments()
        var said: [(clock: Int64, at: Int64)] = []
        for step in 0..<2_000 {
            let at = Int64(step * 7 % 20 + step * 20)
            said.append((1_000_000 + 3 * at, at))
            moments.add(1_000_000 + 3 * at, at: at)
        }
        said.sort { $0.at < $1.at }
        for one in said.suffix(200) {
            let bound = moments.earlier(than: one.at) ?? 0
            #expect(bound < 1_000_000 + 3 * (one.at - 1) && bound > 1_000_000 + 3 * (one.at - 150), "at \(one.at)")
        }
        #expect(moments.earlier(than: said[0].at + 1) == nil, "what is long ago is forgotten")
        #expect(moments.latest == 1_000_000 + 3 * (moments.newestAt ?? 0) - 1)
    }

    @Test func aClockThatWasSetBackCountsFromThere() {
        var moments = ServerMoments()
        moments.add(70_000, at: 1_000)
        moments.add(70_200, at: 1_200)
        moments.add(60_000, at: 1_400)
        #expect(moments.latest == 59_999 && moments.earlier(than: 1_300) == nil && moments.earlier(than: 1_500) == 59_999)
    }
}
