import Testing
@testable import BackscatterGuard

@Suite("Sent log: coverage") struct CoverageTests {
    enum Step: Sendable, CustomTestStringConvertible {
        case start(Int64), open(Int64), close(Int64), hole(Int64, Int64), cover(Int64, Int64), forget(Int64), stepped(Int64, Int64), withdraw

        var testDescription: String { "\(self)" }

        func apply(_ coverage: inout Coverage) {
            switch self {
            case .start(let now): coverage.start(at: now)
            case .open(let now): coverage.openHole(at: now)
            case .close(let now): coverage.closeHole(at: now)
            case .hole(let from, let to): coverage.openHole(from: from, to: to)
            case .cover(let since, let now): coverage.cover(since: since, at: now)
            case .forget(let time): coverage.forget(before: time)
            case .withdraw: coverage.withdraw()
            case .stepped(let by, let now): coverage.clockStepped(by: by, to: now, limit: 1000)
            }
        }
    }

    private static let forever = Int64.max

    @Test(arguments: [
        ([], []),
        ([.start(100)], [(100, forever)]),
        ([.cover(50, 100), .withdraw], []),
        ([.start(100), .cover(50, 200), .withdraw, .start(300)], [(300, forever)]),
        ([.start(100), .cover(50, 200), .withdraw, .cover(150, 300)], [(150, forever)]),
        ([.start(100), .open(150), .withdraw, .close(160)], []),
        ([.start(100), .start(200)], [(100, forever)]),                       // a restart is no hole
        ([.start(100), .start(50)], [(50, forever)]),
        ([.start(100), .open(150)], [(100, 150)]),
        ([.start(100), .open(150), .start(160)], [(100, 150)]),               // starting does not close a hole
        ([.start(100), .open(150), .close(160)], [(100, 150), (160, forever)]),
        ([.start(100), .open(150), .open(140), .close(160)], [(100, 140), (160, forever)]),
        ([.start(100), .open(150), .open(170), .close(160)], [(100, 150), (160, forever)]),
        ([.start(100), .open(150), .close(150)], [(100, 150), (151, forever)]), // at least one second
        ([.start(100), .open(100), .close(160)], [(160, forever)]),
        ([.start(100), .open(50), .close(160)], [(160, forever)]),
        ([.open(50)], []), ([.close(50)], []), ([.open(50), .close(60)], []),
        ([.open(50), .start(60)], [(60, forever)]),
        ([.start(100), .close(160)], [(100, forever)]),
        ([.start(100), .hole(120, 130)], [(100, 120), (130, forever)]),
        ([.start(100), .hole(120, 120)], [(100, 120), (121, forever)]),
        ([.start(100), .hole(50, 130)], [(130, forever)]),
        ([.start(100), .hole(120, 130), .hole(110, 125)], [(100, 110), (130, forever)]),
        ([.start(100), .hole(120, 130), .hole(140, 150), .hole(115, 160)], [(100, 115), (160, forever)]),
        ([.start(100), .hole(120, 130), .start(125)], [(100, 120), (125, forever)]),
        ([.cover(20, 100)], [(20, forever)]),
        ([.start(100), .cover(20, 200)], [(20, forever)]),
        ([.start(100), .cover(150, 200)], [(100, forever)]),
        ([.start(100), .hole(120, 130), .cover(110, 200)], [(100, forever)]),
        ([.start(100), .hole(120, 130), .hole(140, 150), .cover(135, 200)], [(100, 120), (130, forever)]),
        ([.start(100), .open(150), .cover(90, 200)], [(90, 200)]),            // the hole itself goes on
        ([.start(100), .open(150), .cover(90, 200), .close(210)], [(90, 200), (210, forever)]),
        ([.start(100), .forget(150)], [(150, forever)]),
        ([.start(100), .hole(120, 130), .forget(125)], [(130, forever)]),
        ([.start(100), .hole(120, 130), .forget(50)], [(100, 120), (130, forever)]),
        ([.start(500), .stepped(-400, 100)], [(100, forever)]),               // the clock was ahead
        ([.start(500), .open(510), .stepped(-400, 100)], [(500, 510)]),
        ([.stepped(-400, 100)], []),
        ([.start(500), .stepped(900, 1500)], [(500, forever)]),               // a stop of that length
        ([.start(500), .stepped(1001, 1600)], [(1600, forever)]),             // nobody knows since when
    ] as [([Step], [(Int64, Int64)])])
    func intervals(_ steps: [Step], _ expected: [(Int64, Int64)]) throws {
        var coverage = Coverage()
        for step in steps { step.apply(&coverage) }
        #expect(coverage.intervals == expected.map { .init(from: $0.0, to: $0.1 == Self.forever ? nil : $0.1) })
        let back = try #require(Coverage(octets: coverage.octets))
        #expect(back == coverage)
        var (left, right) = (coverage, back)
        left.closeHole(at: 900)
        right.closeHole(at: 900)
        #expect(left == right, "the state is stored too")
    }

    @Test(arguments: [
        (100, 100, true), (99, 100, false), (100, 149, true), (100, 150, false), (149, 160, false), (150, 155, false),
        (160, 5000, true), (159, 170, false), (100, 5000, false),
    ] as [(Int64, Int64, Bool)])
    func isComplete(from: Int64, to: Int64, expected: Bool) {
        var coverage = Coverage()
        coverage.start(at: 100)
        coverage.openHole(from: 150, to: 160)
        #expect(coverage.isComplete(from: from, to: to) == expected)
    }

    @Test func openHoleIsTold() {
        var coverage = Coverage()
        coverage.start(at: 100)
        #expect(coverage.openHoleSince == nil)
        coverage.openHole(at: 150)
        #expect(coverage.openHoleSince == 150)
        coverage.closeHole(at: 160)
        #expect(coverage.openHoleSince == nil)
    }

    @Test func oldestIntervalsGoBeyondTheLimit() {
        var coverage = Coverage()
        coverage.start(at: 0)
        for number in 1...Int64(2 * Coverage.limit) { coverage.openHole(from: number * 10, to: number * 10 + 5) }
        #expect(coverage.intervals.count == Coverage.limit && coverage.intervals.last?.to == nil)
    }

    @Test(arguments: [[], [9], [1], Octets(repeating: 0xFF, count: 9 + 16), [1] + Octets(repeating: 0, count: 8 + 16)])
    func foreignOctetsCoverNothing(_ octets: Octets) {
        #expect(Coverage(octets: octets) == nil)
    }
}
