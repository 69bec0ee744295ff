// The sources of the sent log that guardd reads by itself, started and stopped with it, and the question that a lookup puts
// to them: look once more, before a bounce is refused for want of an id.

import Synchronization

/// All followers. `catchUp` from any thread, the rest from the one that made it.
final class SourceKeeper: Sendable {
    /// Milliseconds that a lookup waits for files, and for the journal.
    static let patience: Int64 = 500
    static let journalPatience: Int64 = 2_000

    let registry = SourceRegistry()
    private let followers: [LogFollower]
    private let sites: [SourceSite]
    private let stateDirectory: String
    private let patience: Int64

    /// Nothing is read before `start`.
    init(_ configuration: Configuration, _ policy: Policy, sentLog: any SentLog, reading: ReadingClock? = nil, log: LogWriter) throws(SentLogError) {
        var followers: [LogFollower] = []
        var sites: [SourceSite] = []
        for source in configuration.sources {
            let site = SourceSite(source, configuration, policy)
            sites.append(site)
            followers.append(try LogFollower(.init(
                source: configuration.located(source), site: site, sentLog: sentLog, log: log, registry: registry, reading: reading,
                stateDirectory: configuration.stateDirectory
            )))
        }
        self.followers = followers
        self.sites = sites
        stateDirectory = configuration.stateDirectory
        patience = configuration.sources.contains(where: \.isJournal) ? SourceKeeper.journalPatience : SourceKeeper.patience
    }

    var isEmpty: Bool { followers.isEmpty }

    func start() throws(SentLogError) {
        SourceReports.clear(stateDirectory: stateDirectory)
        for follower in followers { try follower.start() }
    }

    /// What a reload may change.
    func take(_ configuration: Configuration, _ policy: Policy) {
        for site in sites { site.take(configuration, policy) }
    }

    /// Lets all read what is there now.
    ///
    /// - Parameter answer: called once, on any thread, when the last has: whether nothing that had been written is missing.
    func catchUp(_ answer: @escaping @Sendable (Bool) -> Void) {
        guard !followers.isEmpty else { return answer(true) }
        let waiting = Waiting(followers.count)
        for follower in followers {
            follower.catchUp { isCaughtUp in
                if let whole = waiting.count(isCaughtUp) { answer(whole) }
            }
        }
    }

    /// Idempotent.
    func stop() { followers.forEach { $0.stop() } }

    /// A reader for a worker's loop.
    static func reader(_ inner: any SentLogReader, _ keeper: SourceKeeper, loop: EventLoop) -> any SentLogReader {
        guard !keeper.isEmpty, let reader = try? CatchingUpReader(inner, keeper, loop: loop, patience: keeper.patience) else { return inner }
        return reader
    }

    private final class Waiting: Sendable {
        private let left: Mutex<(count: Int, isWhole: Bool)>

        init(_ count: Int) { left = Mutex((count, true)) }

        /// The outcome, once all have answered.
        func count(_ isCaughtUp: Bool) -> Bool? {
            left.withLock { left in
                left.count -= 1
                left.isWhole = left.isWhole && isCaughtUp
                return left.count == 0 ? left.isWhole : nil
            }
        }
    }
}
