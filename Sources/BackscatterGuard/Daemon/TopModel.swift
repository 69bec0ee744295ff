// From one status after another to what `guardd top` shows: rates are what happened between two of them.

/// Keeps what is needed of the last status.
public struct TopModel {
    private struct Look {
        /// Milliseconds of the monotonic clock.
        var clock: Int64
        var started: Int64
        var totals: [String: Int]
    }

    private var last: Look?

    public init() {}

    /// - Parameter clock: milliseconds of the monotonic clock.
    public mutating func take(_ status: StatusDocument, clock: Int64) -> TopValues {
        let look = Look(clock: clock, started: status.started, totals: Self.totals(status))
        defer { last = look }
        var values = TopValues()
        values.title = "guardd \(status.version)"
        (values.time, values.started, values.state, values.isReady) = (status.time, status.started, status.state, status.isReady)
        values.problems = status.problems
        values.sessions = status.workers.reduce(0) { $0 + $1.sessions }
        values.heldOctets = status.workers.reduce(0) { $0 + $1.heldOctets }
        values.verdicts = rates(look)
        values.refusals = status.history.first { $0.step == 60 }?.refused.map(Double.init) ?? []
        values.wouldRefuse = status.history.last?.wouldRefuse.reduce(0, +) ?? 0
        values.hosts = status.topHosts.map { .init($0.name, String($0.count)) }
        values.victims = status.topVictims.map { .init($0.name, String($0.count)) }
        values.upstreams = status.upstreams.map { .init($0.name, $0.state, isBad: $0.state != "up") }
        values.sources = status.sources.map(Self.row)
        return values
    }

    private static func totals(_ status: StatusDocument) -> [String: Int] {
        status.verdicts.reduce(into: [:]) { $0[$1.verdict, default: 0] += $1.count }
    }

    private func rates(_ look: Look) -> [TopValues.Rate] {
        // A guardd that was started anew counts from zero.
        let before = last.flatMap { $0.started == look.started ? $0 : nil }
        return [Verdict.deliver, .mark, .defer, .refuse].map { verdict in
            let total = look.totals[verdict.rawValue] ?? 0
            return .init(name: verdict.rawValue, total: total, perMinute: before.map { before in
                Double(max(0, total - (before.totals[verdict.rawValue] ?? 0))) * 60_000 / Double(max(1, look.clock - before.clock))
            })
        }
    }

    private static func row(_ source: StatusDocument.Source) -> TopValues.Row {
        if !source.isAlive || source.problem != nil { return .init(source.name, source.problem ?? "not read yet", isBad: true) }
        return .init(source.name, source.lag.map { "\($0) s behind" } ?? "not read yet")
    }
}
