// How often each id came back: more bounces than a mail had recipients mean that its id was harvested.
// In memory only, bounded; two generations, of which the older is dropped whole, so that a flood of ids pushes out
// first what does not come back any more.

import Synchronization

/// Counts returns by id. Any thread.
final class ReturnCounter: Sendable {
    private struct Generations {
        var newer: [Hash128: Int] = [:]
        var older: [Hash128: Int] = [:]
        var begun: Int64 = 0
    }

    private let limit: Int
    private let lifetime: Int64
    private let generations = Mutex(Generations())

    /// - Parameters:
    ///   - limit: ids counted at the same time; 2 or more.
    ///   - lifetime: seconds after which an id that came no more is forgotten (at twice that at the latest).
    init(limit: Int, lifetime: Int64) {
        self.limit = max(2, limit)
        self.lifetime = lifetime
    }

    /// Counts one more return.
    ///
    /// - Returns: how many it were, this one included.
    func count(_ id: Hash128, at now: Int64) -> Int {
        generations.withLock { state in
            if now < state.begun || (state.newer.isEmpty && state.older.isEmpty) { state.begun = now }
            let age = now - state.begun
            if age > lifetime || (state.newer[id] == nil && state.newer.count >= limit / 2) {
                state.older = age > 2 * lifetime ? [:] : state.newer
                state.newer = [:]
                state.begun = now
            }
            let times = max(state.newer[id] ?? 0, state.older[id] ?? 0) + 1
            state.newer[id] = times
            return times
        }
    }

    var counted: Int { generations.withLock { $0.newer.count + $0.older.count } }
}
