// What may be said about coverage while the log is in use. Goes the way of a record: through the committer, durably.

/// A change of the log's coverage. Times in seconds since 1970; what each does: Coverage.
public enum CoverageChange: Sendable, Equatable {
    case start(at: Int64)
    /// Counts at once, before it is durable: mail is already leaving unrecorded.
    case openHole(at: Int64)
    case closeHole(at: Int64)
    case hole(from: Int64, to: Int64)
    case cover(since: Int64, at: Int64)
    /// The administrator states that the log is complete over a time in the past.
    case complete(from: Int64, to: Int64)

    /// It says of some time that all mail is recorded.
    var isClaim: Bool {
        switch self {
        case .start, .cover, .complete: true
        case .openHole, .closeHole, .hole: false
        }
    }

    func apply(to coverage: inout Coverage) {
        switch self {
        case .start(let now): coverage.start(at: now)
        case .openHole(let now): coverage.openHole(at: now)
        case .closeHole(let now): coverage.closeHole(at: now)
        case .hole(let from, let to): coverage.openHole(from: from, to: to)
        case .cover(let since, let now): coverage.cover(since: since, at: now)
        case .complete(let from, let to): coverage.complete(from: from, to: to)
        }
    }
}
