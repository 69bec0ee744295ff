// The sent log of one machine: an LMDB file, its key, one committer thread. Lookups run on the caller's thread.
// Other processes of the same user may have it open at the same time.

import Synchronization

/// The local sent log. Closed by `close`, or when the last reference goes; what is queued is committed before.
public final class LMDBSentLog: SentLog, SentLogReader {
    public let settings: SentLogSettings
    private let store: SentLogStore
    private let committer: Committer
    private let returns: ReturnCounter
    private let isRepairing = Atomic(false)

    /// Opens the log, or begins it.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970; only names a file that must be moved aside.
    ///   - onAlarm: hears of what the log mended or stopped by itself; called on the thread that opens, or the log's own.
    /// - Throws: operator faults (`isOperatorFault`), diskFull, failed.
    public init(
        _ settings: SentLogSettings, at now: Int64, onAlarm: @escaping @Sendable (SentLogAlarm) -> Void = { _ in }
    ) throws(SentLogError) {
        self.settings = settings
        store = try SentLogStore(settings, at: now, alarm: onAlarm)
        committer = try Committer(store)
        returns = ReturnCounter(limit: settings.countedReturns, lifetime: settings.retention)
    }

    deinit { close() }

    /// Commits what is queued and closes. Idempotent. Later records fail with `.closed`, later answers are `.failed`.
    public func close() {
        committer.close()
        store.close()
    }

    public func record(_ entry: SentEntry, at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        committer.submit(.init(work: .items([.init(entry: entry, time: now)]), now: now, whenDone: whenDurable))
    }

    /// Records past mail. The times say nothing about the clock.
    public func record(past entries: [(entry: SentEntry, sent: Int64)], whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        let items = entries.map { SentBatch.Item(entry: $0.entry, time: $0.sent) }
        committer.submit(.init(work: .items(items), now: nil, whenDone: whenDurable))
    }

    /// Answers within the call: a lookup takes microseconds, and other processes' commits don't hold it up.
    public func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void) { answered(answer(inquiry, at: now)) }

    /// Looks up what a notification claims, on the caller's thread.
    public func answer(_ inquiry: Inquiry, at now: Int64) -> Findings {
        guard let file = store.file else { return Findings(nothingFor: inquiry, .failed) }
        var findings: Findings
        do throws(LMDBFailure) {
            findings = try file.answer(inquiry, at: now)
        } catch {
            if error.isDamage { repair(error, file, now) }
            return Findings(nothingFor: inquiry, .failed)
        }
        if store.hole.since != nil { findings.isCovered = false }
        if inquiry.countsReturn, let known = findings.ids.firstIndex(where: { $0 != nil }) {
            findings.timesReturned = returns.count(file.key.hash(id: inquiry.ids[known]), at: now)
        }
        return findings
    }

    /// Changes coverage; `whenDurable` as for `record`. An opened hole counts before this returns.
    public func change(_ change: CoverageChange, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        if case .openHole(let now) = change { store.hole.open(at: now) }
        committer.submit(.init(work: .change(change), now: nil, whenDone: whenDurable))
    }

    /// Begin of a hole that is not in the log yet.
    var pendingHole: Int64? { store.hole.since }

    /// The heartbeat, once a minute or so: days expire and the clock is watched while no mail goes out.
    public func keep(at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void = { _ in }) {
        committer.submit(.init(work: .keep, now: now, whenDone: whenDurable))
    }

    /// Damage is told by every reader that meets it; one repair is enough.
    private func repair(_ failure: LMDBFailure, _ file: SentLogFile, _ now: Int64) {
        guard !isRepairing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        committer.submit(.init(work: .repair(failure, file), now: now) { [weak self] _ in
            self?.isRepairing.store(false, ordering: .releasing)
        })
    }

    func expire(at now: Int64, _ answer: @escaping @Sendable (Result<ExpiryOutcome, SentLogError>) -> Void) {
        committer.submit(.init(work: .expire(answer), now: now) { _ in })
    }

    func withFile<Value>(_ body: (SentLogFile) throws(LMDBFailure) -> Value) throws(SentLogError) -> Value {
        guard let file = store.file else { throw .closed }
        do throws(LMDBFailure) {
            return try body(file)
        } catch {
            throw error.error(file.path)
        }
    }
}
