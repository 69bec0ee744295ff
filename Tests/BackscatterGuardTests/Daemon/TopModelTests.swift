import Testing
@testable import BackscatterGuard

@Suite("guardd top: rates out of one status after another") struct TopModelTests {
    private func status(refused: Int, started: Int64 = 1) -> StatusDocument {
        var status = StatusDocument()
        (status.time, status.started, status.state, status.isReady) = (600, started, "serving", true)
        status.verdicts = [
            .init(verdict: "refuse", reason: "never_sent", count: refused), .init(verdict: "deliver", reason: "sent", count: 7),
            .init(verdict: "deliver", reason: "not_covered", count: 1),
        ]
        return status
    }

    private func rate(_ values: TopValues, _ name: String) -> TopValues.Rate? { values.verdicts.first { $0.name == name } }

    @Test func ratesAreWhatHappenedBetweenTwoLooks() {
        var model = TopModel()
        let first = model.take(status(refused: 10), clock: 1_000)
        #expect(first.verdicts.map(\.name) == ["deliver", "mark", "defer", "refuse"])
        #expect(rate(first, "refuse") == .init(name: "refuse", total: 10, perMinute: nil) && rate(first, "deliver")?.total == 8)
        let second = model.take(status(refused: 13), clock: 3_000)
        #expect(rate(second, "refuse") == .init(name: "refuse", total: 13, perMinute: 90) && rate(second, "deliver")?.perMinute == 0)
        let third = model.take(status(refused: 13), clock: 3_000)
        #expect(rate(third, "refuse")?.perMinute == 0)
    }

    @Test func aNewGuarddBeginsAnew() {
        var model = TopModel()
        _ = model.take(status(refused: 1_000), clock: 1_000)
        let next = model.take(status(refused: 2, started: 2), clock: 2_000)
        #expect(rate(next, "refuse") == .init(name: "refuse", total: 2, perMinute: nil))
    }

    @Test func theRestIsTakenOver() {
        var document = status(refused: 0)
        document.problems = ["p"]
        document.workers = [.init(lastTurn: 1, sessions: 2, heldOctets: 5), .init(lastTurn: 1, sessions: 3, heldOctets: 6)]
        document.upstreams = [.init(name: "u", state: "down", reason: "r")]
        document.history = [
            .init(step: 60, delivered: [0, 0], wouldRefuse: [0, 1], deferred: [0, 0], refused: [1, 2]),
            .init(step: 600, delivered: [0], wouldRefuse: [9], deferred: [0], refused: [7]),
        ]
        document.topHosts = [.init(name: "h", count: 9)]
        document.topVictims = [.init(name: "v", count: 8)]
        document.sources = [
            .init(name: "s", format: "postfix", isAlive: true, lag: 3, behind: 0, lines: 1, mails: 1), .init(name: "t", format: "exim", isAlive: false, problem: "gone", behind: 0, lines: 0, mails: 0),
        ]
        var model = TopModel()
        let values = model.take(document, clock: 0)
        #expect(values.sessions == 5 && values.heldOctets == 11 && values.problems == ["p"] && values.refusals == [1, 2] && values.wouldRefuse == 9)
        #expect(values.upstreams == [.init("u", "down", isBad: true)] && values.sources == [.init("s", "3 s behind"), .init("t", "gone", isBad: true)])
        #expect(values.hosts == [.init("h", "9")] && values.victims == [.init("v", "8")] && values.isReady)
    }
}
