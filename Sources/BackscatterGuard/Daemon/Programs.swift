// The programs that a worker has started as upstreams, one a session: how many there may be, and that each of them ends.
// A program is told by the end of its connection that its session is over; one that does not go is sent SIGTERM, then
// SIGKILL. They count until they are gone, so that hanging ones can't pile up.

import Glibc
import Synchronization

/// A program as an upstream, with what its environment holds besides the client.
struct UpstreamProgram: Sendable, Equatable {
    /// From the absolute path on.
    var arguments: [String]
    /// TCPLOCALHOST.
    var hostname: String
    /// `NAME=value`, from `upstream_environment`.
    var environment: [String]

    var path: String { arguments.first ?? "" }
}

/// How many programs run, over all workers.
final class ProgramCount: Sendable {
    private let count = Mutex(0)

    /// - Parameter limit: 0: none.
    func admit(limit: Int) -> Bool {
        count.withLock { count in
            if limit > 0, count >= limit { return false }
            count += 1
            return true
        }
    }

    func release() { count.withLock { $0 -= 1 } }
}

/// The programs of one worker.
final class Programs {
    struct Settings: Sendable, Equatable {
        /// Of all workers together. 0: no limit.
        var limit: Int
        /// Milliseconds between the end of a session and SIGTERM, and again to SIGKILL.
        var patience: Int64
    }

    /// No more than this while guardd stops, in milliseconds.
    private static let stopPatience: Int64 = 2_000

    private struct Entry {
        let process: ChildProcess
        let path: String
        let session: UInt64
        /// When the next signal is due; nil while the session lasts.
        var deadline: Int64?
        var signals = 0
    }

    private let loop: EventLoop
    private let log: LogGatherer
    private let count: ProgramCount
    private var entries: [pid_t: Entry] = [:]
    private var isStopping = false
    /// The last one has gone.
    var emptied: () -> Void = {}

    init(loop: EventLoop, log: LogGatherer, count: ProgramCount) {
        self.loop = loop
        self.log = log
        self.count = count
    }

    var isEmpty: Bool { entries.isEmpty }

    /// Starts a program for a session.
    ///
    /// - Returns: its process, and the connection, which is the caller's; or why not.
    func start(
        _ program: UpstreamProgram, client: [String], session: UInt64, _ settings: Settings
    ) -> Result<(pid: pid_t, connection: CInt), ProgramError> {
        guard count.admit(limit: settings.limit) else { return .failure(.tooMany(settings.limit)) }
        var pid: pid_t = 0
        do {
            let (process, connection) = try ChildProcess.start(
                program.arguments, environment: program.environment + client, loop: loop
            ) { [weak self] ending in self?.ended(pid, ending) }
            pid = process.pid
            entries[pid] = Entry(process: process, path: program.path, session: session)
            return .success((pid, connection))
        } catch {
            count.release()
            return .failure(.notStarted("\(program.path): \(error.text)"))
        }
    }

    /// Its session is over and its connection closed.
    func leave(_ pid: pid_t, at now: Int64, _ settings: Settings) {
        guard entries[pid] != nil else { return }
        entries[pid]?.deadline = now + (isStopping ? min(settings.patience, Programs.stopPatience) : settings.patience)
    }

    private func ended(_ pid: pid_t, _ ending: ChildProcess.Ending) {
        guard let entry = entries.removeValue(forKey: pid) else { return }
        count.release()
        report(entry, pid, ending)
        if entries.isEmpty { emptied() }
    }

    /// qmail-smtpd exits with 1 when its client is gone, which is no news; a crash is.
    private func report(_ entry: Entry, _ pid: pid_t, _ ending: ChildProcess.Ending) {
        func write(_ severity: Severity, _ what: String) {
            log.write(severity, "\(SessionEvent.name(entry.session)) upstream: \(entry.path)[\(pid)] \(what)")
        }
        switch ending {
        case .exited(let status): write(status <= 1 ? .debug : .warning, "ended with status \(status)")
        case .killed(let number) where entry.signals == 0: write(.error, "was killed by signal \(number)")
        case .killed(let number): write(.info, "was ended with signal \(number)")
        case .unknown: write(.debug, "has ended")
        }
    }

    // MARK: those that don't go

    func tick(at now: Int64, _ settings: Settings) {
        for (pid, entry) in entries {
            entry.process.poll()
            guard entries[pid] != nil, let deadline = entry.deadline, now > deadline else { continue }
            press(pid, entry)
            entries[pid]?.signals += 1
            entries[pid]?.deadline = now + (isStopping ? min(settings.patience, Programs.stopPatience) : settings.patience)
        }
    }

    private func press(_ pid: pid_t, _ entry: Entry) {
        let name = "\(SessionEvent.name(entry.session)) upstream: \(entry.path)[\(pid)]"
        if isStopping, entry.signals > 1 {
            log.write(.error, "\(name) can't be ended and is left behind")
            return forget(pid, entry)
        }
        let number = entry.signals == 0 ? SIGTERM : SIGKILL
        if entry.signals < 2 { log.write(.warning, "\(name) goes on after its session: signal \(number)") }
        let error = entry.process.signal(number)
        if error != 0, error != ESRCH, entry.signals < 2 { log.write(.error, "\(name) can't be sent signal \(number): \(errnoText(error))") }
    }

    private func forget(_ pid: pid_t, _ entry: Entry) {
        entries[pid] = nil
        count.release()
        entry.process.forget()
        if entries.isEmpty { emptied() }
    }

    /// guardd stops: sessions may end, and then there is little patience.
    func stop(at now: Int64) {
        isStopping = true
        for (pid, entry) in entries {
            if let deadline = entry.deadline { entries[pid]?.deadline = min(deadline, now + Programs.stopPatience) }
        }
    }

    /// At once: all sessions are gone.
    func kill(at now: Int64) {
        isStopping = true
        for (pid, entry) in entries {
            entry.process.signal(SIGKILL)
            entries[pid]?.signals = 2
            entries[pid]?.deadline = now + Programs.stopPatience
        }
    }
}

/// Why a program was not started.
enum ProgramError: Error, Equatable {
    case tooMany(Int)
    /// The program, and the system's word.
    case notStarted(String)

    var text: String {
        switch self {
        case .tooMany(let limit): "max_processes (\(limit)) reached"
        case .notStarted(let text): text
        }
    }
}
