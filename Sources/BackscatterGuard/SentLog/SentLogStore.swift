// The log that is open at the moment. Replaces it when the file was lost or is damaged; only the committer thread
// commits and replaces, any thread reads.

import Synchronization

final class SentLogStore: Sendable {
    let settings: SentLogSettings
    let hole: PendingHole
    private let alarm: @Sendable (SentLogAlarm) -> Void
    private let opened: Mutex<SentLogFile?>

    init(_ settings: SentLogSettings, at now: Int64, alarm: @escaping @Sendable (SentLogAlarm) -> Void) throws(SentLogError) {
        if let fault = settings.fault { throw .settings(fault) }
        self.settings = settings
        self.alarm = alarm
        opened = Mutex(try SentLogOpener(settings: settings, now: now, alarm: alarm).open())
        hole = try PendingHole(path: settings.guardFile)
    }

    /// nil after `close`, or while a damaged file could not be replaced.
    var file: SentLogFile? { opened.withLock { $0 } }

    func close() {
        let last = opened.withLock { file in
            defer { file = nil }
            return file
        }
        last?.close()
    }

    /// Commits a batch, on a new file if need be. Committer thread only.
    ///
    /// - Parameter now: for the names of files moved aside, when the batch tells no time.
    /// - Returns: nil when all of it is durable.
    func commit(_ batch: SentBatch, now: Int64) -> SentLogError? {
        var whole = batch
        whole.pendingHole = hole.since
        if whole.isEmpty { return nil }
        do throws(SentLogError) {
            let file = try fileInPlace(now)
            do throws(LMDBFailure) {
                finish(try file.commit(whole), whole, file)
                return nil
            } catch {
                guard error.isDamage || error.isPanic else { throw error.error(file.path) }
                let next = try replace(file, now, error)
                do throws(LMDBFailure) {
                    finish(try next.commit(whole), whole, next)
                    return nil
                } catch {
                    throw error.error(next.path)
                }
            }
        } catch {
            if let since = whole.pendingHole {
                hole.keep()
                alarm(.holePending(since: since, reason: error.text))
            }
            return error
        }
    }

    func expire(at now: Int64) throws(SentLogError) -> ExpiryOutcome {
        guard let file else { throw .closed }
        do throws(LMDBFailure) {
            return try file.expire(at: now)
        } catch {
            throw error.error(file.path)
        }
    }

    /// A reader met damage: the file is replaced. Committer thread only.
    func repair(_ failure: LMDBFailure, in damaged: SentLogFile, now: Int64) -> SentLogError? {
        guard file === damaged else { return nil }
        do throws(SentLogError) {
            _ = try replace(damaged, now, failure)
            return nil
        } catch {
            return error
        }
    }

    private func finish(_ committed: SentLogFile.Committed, _ batch: SentBatch, _ file: SentLogFile) {
        if let since = batch.pendingHole { hole.settle(since) }
        if committed.step != 0 { alarm(.clockStepped(by: committed.step, until: committed.suspendedUntil)) }
        // What could not expire (no room even for that) is tried again with the next batch.
        if committed.isExpiryDue, let now = batch.now { _ = try? file.expire(at: now) }
    }

    private func fileInPlace(_ now: Int64) throws(SentLogError) -> SentLogFile {
        guard let file else { return try open(now, damage: nil) }
        if file.isInPlace { return file }
        drop(file)
        let next = try open(now, damage: nil)
        alarm(.lost(file: file.path))
        return next
    }

    private func replace(_ file: SentLogFile, _ now: Int64, _ failure: LMDBFailure) throws(SentLogError) -> SentLogFile {
        drop(file)
        let next = try open(now, damage: failure.isDamage ? failure.text : nil)
        if !failure.isDamage { alarm(.reopened(file: file.path, reason: failure.text)) }
        return next
    }

    /// LMDB must not have one file open twice in a process: the old is closed, after its last reader, before the next is opened.
    private func drop(_ file: SentLogFile) {
        opened.withLock { $0 = nil }
        file.close()
    }

    private func open(_ now: Int64, damage: String?) throws(SentLogError) -> SentLogFile {
        let next = try SentLogOpener(settings: settings, now: now, alarm: alarm).open(knownDamage: damage)
        opened.withLock { $0 = next }
        return next
    }
}
