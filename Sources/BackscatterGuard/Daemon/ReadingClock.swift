// How far this machine's sources have read the mail server's logs: a log that machines share is vouched for up to there
// only, for what was sent later may not be recorded yet.

import Synchronization

/// One for all sources of a process. Any thread; times in milliseconds of the monotonic clock.
final class ReadingClock: Sendable {
    private let times: Mutex<[Int64?]>

    /// nil: there is nothing to read.
    init?(sources: Int) {
        guard sources > 0 else { return nil }
        times = Mutex(Array(repeating: nil, count: sources))
    }

    /// All that a source's log held at `time` is recorded.
    func hasRead(_ source: Int, to time: Int64) {
        times.withLock { times in
            if times.indices.contains(source) { times[source] = max(time, times[source] ?? time) }
        }
    }

    /// Up to when all sources have read; nil: one has not come to an end yet.
    var readTo: Int64? {
        times.withLock { times in
            let known = times.compactMap(\.self)
            return known.count == times.count ? known.min() : nil
        }
    }
}
