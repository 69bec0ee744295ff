import Testing
@testable import BackscatterGuard

@Suite("Telemetry: repeated events are folded and counted") struct RepeatFoldingTests {
    private func folding(each: Int = 2, all: Int = .max, keys: Int = 256) -> RepeatFolding<String> {
        RepeatFolding(.init(interval: 60, each: each, all: all, keys: keys))
    }

    @Test func theFirstOfAKindAreToldTheRestIsCounted() {
        var folding = folding()
        let told = (0..<10).map { folding.take("a", rest: "", client: "\($0 % 3)", recipients: 2, at: 100 + Int64($0)) }
        #expect(told == [true, true] + Array(repeating: false, count: 8))
        let (before, due, after) = (folding.due(at: 159), folding.due(at: 160), folding.due(at: 161))
        #expect(before == [] && due == [.init(key: "a", first: 102, last: 109, count: 8, clients: 3, recipients: 16)])
        // Told once; then the kind begins anew.
        let isTold = folding.take("a", rest: "", client: "0", recipients: 1, at: 162)
        #expect(after == [] && isTold)
    }

    @Test func kindsDontDisturbEachOther() {
        var folding = folding()
        for _ in 0..<5 { _ = folding.take("a", rest: "", client: "0", recipients: 1, at: 0) }
        let isTold = folding.take("b", rest: "", client: "0", recipients: 1, at: 0)
        let keys = folding.due(at: 60).map(\.key)
        #expect(isTold && keys == ["a"])
    }

    @Test func withoutALimitAllAreTold() {
        var folding = folding(each: 0, all: 1)
        let told = (0..<1_000).count { folding.take("a", rest: "", client: "\($0)", recipients: 1, at: 0) }
        #expect(told == 1_000)
        let due = folding.due(at: 1_000, all: true)
        #expect(due == [])
    }

    /// Each recipient a kind of its own: the limit of all kinds together holds, and nothing is lost from the count.
    @Test func aFloodOfDifferentKindsIsBounded() {
        var folding = folding(each: 10, all: 50, keys: 20)
        let whole = (0..<10_000).count { folding.take("victim \($0)", rest: "rest", client: "\($0)", recipients: 1, at: 0) }
        #expect(whole == 50)
        let told = folding.due(at: 60)
        #expect(told.count <= 21 && told.reduce(0) { $0 + $1.count } == 9_950)
        #expect(told.contains { $0.key == "rest" })
        // And in the next interval as many again.
        let next = (0..<1_000).count { folding.take("victim \($0)", rest: "rest", client: "\($0)", recipients: 1, at: 60) }
        #expect(next == 50)
    }

    @Test func theEndTellsWhatIsOpen() {
        var folding = folding()
        for time in 0..<3 { _ = folding.take("a", rest: "", client: "0", recipients: 1, at: Int64(time)) }
        let (before, due) = (folding.due(at: 3), folding.due(at: 3, all: true))
        #expect(before == [] && due.map(\.count) == [1])
    }

    @Test func aClockThatIsSetBackEndsTheInterval() {
        var folding = folding(all: 3)
        for _ in 0..<5 { _ = folding.take("a", rest: "", client: "0", recipients: 1, at: 1_000_000) }
        let due = folding.due(at: 5)
        let isTold = folding.take("a", rest: "", client: "0", recipients: 1, at: 5)
        #expect(due.map(\.count) == [3] && isTold)
    }
}

@Suite("Telemetry: counting different values in bounded memory") struct DistinctCountTests {
    @Test(arguments: [0, 1, 2, 63, 64]) func fewAreExact(_ number: Int) {
        var count = DistinctCount()
        for _ in 0..<3 { for value in 0..<number { count.add(value) } }
        #expect(count.count == number)
    }

    /// Four standard errors and more, so that no seed of the hash fails it.
    @Test(arguments: [65, 200, 1_000, 2_500, 3_000, 10_000, 100_000]) func manyAreEstimated(_ number: Int) {
        var count = DistinctCount()
        for value in 0..<number { count.add("client \(value)") }
        #expect(abs(count.count - number) <= max(12, number / 5), "\(count.count)")
        #expect(count.count > DistinctCount.exactLimit)
    }
}

@Suite("Telemetry: the most frequent names in bounded memory") struct TopCountsTests {
    @Test func fewAreExact() {
        var counts = TopCounts(places: 4)
        for name in ["b", "a", "c", "a", "b", "a"] { counts.add(name) }
        #expect(counts.top(2) == [.init(name: "a", count: 3, error: 0), .init(name: "b", count: 2, error: 0)])
        #expect(counts.top(9).count == 3 && counts.top(0) == [] && counts.top(-1) == [])
    }

    /// Metwally and others, 2005: who has more than 1 / places of all is there, and the count's error is told.
    @Test func theFrequentSurviveAnyCrowd() {
        var counts = TopCounts(places: 10)
        for number in 0..<10_000 {
            counts.add("stranger \(number)")
            if number % 5 == 0 { counts.add("often") }
        }
        let entries = counts.top(.max)
        #expect(entries.count == 10)
        guard let often = entries.first else { return }
        #expect(often.name == "often" && often.count >= 2_000 && often.count - often.error <= 2_000)
    }

    @Test func sumsKeepTheirErrors() {
        var (one, other) = (TopCounts(places: 1), TopCounts(places: 8))
        one.add("a")
        one.add("b")
        other.add("b", 5)
        other.add(one)
        #expect(other.top(1) == [.init(name: "b", count: 7, error: 1)])
    }
}
