// Brings what lies in the spool into the sent log: at start, and before a lookup that finds the folder changed. On a
// thread of its own: it waits for the disk. A file is removed when what it holds is durable in the log, so a crash
// between the two imports it twice, which does no harm.

import Glibc
import Synchronization

/// What the administrator should hear of.
enum SpoolAlarm: Sendable, Equatable {
    case refused(file: String, reason: String)
    /// A mail left unrecorded: a hole in coverage.
    case damaged(file: String, reason: String)
    /// The record of a mail that went on all the same is missing: a hole in coverage.
    case unrecorded(at: Int64)
    /// The log can't record now; the files stay.
    case failed(reason: String)

    var text: String {
        switch self {
        case .refused(let file, let reason): "spool: \(ASCII.washed(file.utf8)): refused, moved to bad/: \(reason)"
        case .damaged(let file, let reason): "spool: \(ASCII.washed(file.utf8)): damaged, moved to bad/, a mail left unrecorded: \(reason)"
        case .unrecorded(let time): "spool: a mail left unrecorded at \(UTC.text(time)): unknown ids are not refused until bounce_window is over"
        case .failed(let reason): "spool: not imported: \(reason)"
        }
    }
}

/// Imports one spool into one log.
final class SpoolImporter: Sendable {
    /// Files of one pass, imported in one transaction.
    static let passLimit = 1_000
    /// Passes of one run: who waits for it is told that there is more.
    static let runLimit = 50
    /// A change of the folder this short before it was read may not show in its time (the clock of file times is coarse).
    private static let grain: Int64 = 1
    /// Drafts older than this were left by a program that was killed.
    private static let draftLifetime: Int64 = 86_400

    private struct Queue {
        var waiting: [@Sendable (Bool) -> Void] = []
        var isClosed = false
    }

    private let folder: SpoolFolder
    private let log: any SentLog
    private let now: @Sendable () -> Int64
    private let alarm: @Sendable (SpoolAlarm) -> Void
    private let queue = Mutex(Queue())
    private let arrival: Signal
    /// Time of the folder when it was last found empty, long enough before.
    private let settled = Mutex<SpoolTime?>(nil)
    private let thread = Mutex<LogThread?>(nil)

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - alarm: called on the importer's thread.
    init(
        _ folder: SpoolFolder, into log: any SentLog, now: @escaping @Sendable () -> Int64, alarm: @escaping @Sendable (SpoolAlarm) -> Void
    ) throws(SentLogError) {
        self.folder = folder
        self.log = log
        self.now = now
        self.alarm = alarm
        guard let arrival = Signal() else { throw .failed(file: folder.path, reason: "no descriptor left") }
        self.arrival = arrival
        guard let started = LogThread({ [self] in work() }) else { throw .failed(file: folder.path, reason: "no thread left") }
        thread.withLock { $0 = started }
    }

    /// Whether all that had been put there is in the log: one look at the folder's time, from any thread.
    var isClean: Bool {
        guard let time = SpoolTime(of: folder.new) else { return false }
        return settled.withLock { $0 } == time
    }

    /// Imports what lies there now.
    ///
    /// - Parameter whenDone: called once, on the importer's thread, or within the call after `close`: whether all of it is in the log.
    func run(whenDone: @escaping @Sendable (Bool) -> Void) {
        let isClosed = queue.withLock { queue in
            if !queue.isClosed { queue.waiting.append(whenDone) }
            return queue.isClosed
        }
        if isClosed { whenDone(false) } else { arrival.raise() }
    }

    /// The same, for callers that may wait: at start.
    func runAndWait() {
        guard let done = Signal() else { return }
        run { _ in done.raise() }
        done.wait()
    }

    /// Ends after the run that goes on. Idempotent. Before the log is closed.
    func close() {
        let started = thread.take()
        queue.withLock { $0.isClosed = true }
        arrival.raise()
        started?.join()
    }

    // MARK: its thread

    private func work() {
        while true {
            let (waiting, isClosed) = queue.withLock { queue in
                defer { queue.waiting = [] }
                return (queue.waiting, queue.isClosed)
            }
            if waiting.isEmpty {
                if isClosed { return }
                arrival.wait()
                continue
            }
            let isDone = !isClosed && importAll()
            for whenDone in waiting { whenDone(isDone) }
        }
    }

    private func importAll() -> Bool {
        for _ in 0..<SpoolImporter.runLimit {
            switch pass() {
            case .empty: return true
            case .imported: continue
            case .failed: return false
            }
        }
        return false
    }

    private enum Pass { case empty, imported, failed }

    private func pass() -> Pass {
        let (time, began) = (SpoolTime(of: folder.new), now())
        guard let time, let directory = Descriptor(folder.new, O_RDONLY | O_DIRECTORY),
              let names = FolderNames.first(SpoolImporter.passLimit, in: folder.new)
        else {
            alarm(.failed(reason: "\(folder.new): \(systemReason())"))
            return .failed
        }
        guard !names.isEmpty else {
            settled.withLock { $0 = began - time.seconds > SpoolImporter.grain ? time : nil }
            sweepDrafts(at: began)
            return .empty
        }
        var load = SpoolLoad()
        for name in names { load.add(name, SpoolFile.read(folder.new + "/" + name, in: directory.status), at: began) }
        if let error = record(load) {
            alarm(.failed(reason: error.text))
            return .failed
        }
        for event in load.alarms { alarm(event) }
        for name in load.bad { moveAside(name) }
        for name in load.read { unsafe unlink(folder.new + "/" + name) }
        return .imported
    }

    private func record(_ load: SpoolLoad) -> SentLogError? {
        for hole in load.holes {
            if let error = wait({ log.change(.hole(from: hole, to: hole + 1), whenDurable: $0) }) { return error }
        }
        return load.entries.isEmpty ? nil : wait { log.record(past: load.entries, whenDurable: $0) }
    }

    private func wait(_ start: (@escaping @Sendable (SentLogError?) -> Void) -> Void) -> SentLogError? {
        guard let done = Signal() else { return .failed(file: folder.path, reason: "no descriptor left") }
        let outcome = SpoolOutcome()
        start { error in
            outcome.error.withLock { $0 = error }
            done.raise()
        }
        done.wait()
        return outcome.error.withLock { $0 }
    }

    /// What can't be moved there goes: it must not be read again and again.
    private func moveAside(_ name: String) {
        let from = folder.new + "/" + name
        if unsafe rename(from, folder.bad + "/" + name) != 0 { unsafe unlink(from) }
    }

    private func sweepDrafts(at now: Int64) {
        for name in FolderNames.first(SpoolImporter.passLimit, in: folder.draft) ?? [] {
            var status = stat()
            let path = folder.draft + "/" + name
            if unsafe lstat(path, &status) == 0, Int64(status.st_mtim.tv_sec) < now - SpoolImporter.draftLifetime { unsafe unlink(path) }
        }
    }
}

/// When a folder last changed.
private struct SpoolTime: Equatable, Sendable {
    let seconds: Int64
    let nanoseconds: Int

    init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = status.st_mtim.tv_nsec
    }
}

private final class SpoolOutcome: Sendable {
    let error = Mutex<SentLogError?>(nil)
}
