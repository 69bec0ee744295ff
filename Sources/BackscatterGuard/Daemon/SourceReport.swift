// How a source is, in a file of the state directory, for `guardd sent stats`: written every few seconds while guardd runs,
// removed when it stops. Not durable: after a crash it is old, and says so by its time.

import Foundation

/// What `guardd sent stats` prints of the sources.
public enum SourceReports {
    /// Seconds after which a report counts as left behind.
    private static let old: Int64 = 60

    /// Lines for people; none when no source was ever followed here.
    public static func lines(stateDirectory: String, at now: Int64) -> [String] {
        let statuses = names(stateDirectory).compactMap { name -> (SourceStatus, Int64)? in
            SourceReport.read("\(stateDirectory)/\(name)").map { ($0.status, $0.time) }
        }
        return statuses.map { line($0, at: $1, now) }
    }

    /// Forgets what an earlier run has left.
    static func clear(stateDirectory: String) {
        for name in names(stateDirectory) { try? FileManager.default.removeItem(atPath: "\(stateDirectory)/\(name)") }
    }

    private static func names(_ stateDirectory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: stateDirectory)) ?? []
        return names.filter { $0.hasPrefix("source-") && $0.hasSuffix(".status") }.sorted()
    }

    static func line(_ status: SourceStatus, at time: Int64, _ now: Int64) -> String {
        var parts = ["source \(status.name) (\(status.format)): "]
        if now - time > old {
            parts[0] += "not followed: guardd said nothing of it since \(UTC.text(time))"
        } else if let problem = status.problem {
            parts[0] += "not alive: \(problem)"
        } else {
            parts[0] += status.caughtUp == nil ? "starting" : "alive"
        }
        parts.append("last id \(status.lastID.map { "\($0) sent \(status.lastSent.map { UTC.text($0) } ?? "at an unknown time")" } ?? "none since the start")")
        if let caughtUp = status.caughtUp { parts.append("lag \(max(0, time - caughtUp)) s" + (status.behind > 0 ? " and \(status.behind) octets" : "")) }
        parts.append("\(status.counts.lines) lines, \(status.counts.mails) mails of ours")
        return parts.joined(separator: "; ") + " (as of \(UTC.text(time)))"
    }
}

/// The file of one source. Belongs to its follower's thread.
struct SourceReport {
    struct Written: Codable {
        let status: SourceStatus
        /// Seconds since 1970.
        let time: Int64
    }

    /// nil when there is no such file, or it can't be read.
    static func read(_ file: String) -> Written? {
        SmallFile.read(file).flatMap { try? JSONDecoder().decode(Written.self, from: Data($0.utf8)) }
    }

    /// Seconds between two writings, and between two lines of the log at level debug.
    private static let period: Int64 = 5
    private static let logged: Int64 = 60

    private let file: String
    private let log: LogWriter
    private var last: (status: SourceStatus, time: Int64)?
    private var loggedAt: Int64 = 0

    init(file: String, log: LogWriter) {
        self.file = file
        self.log = log
    }

    /// Tells how the source is now, if it is time to, or if it came to life or ended.
    mutating func tell(_ status: SourceStatus) {
        let now = EventLoop.seconds()
        if let last, last.status.problem == status.problem, (last.status.caughtUp == nil) == (status.caughtUp == nil), (last.time..<last.time + SourceReport.period).contains(now) {
            return
        }
        last = (status, now)
        if abs(now - loggedAt) >= SourceReport.logged {
            loggedAt = now
            log.write(.debug, SourceReports.line(status, at: now, now))
        }
        guard let data = try? JSONEncoder().encode(Written(status: status, time: now)) else { return }
        let draft = file + ".new"
        guard (try? data.write(to: URL(filePath: draft))) != nil, unsafe rename(draft, file) == 0 else { return }
    }

    /// The source is followed no more.
    func end() { try? FileManager.default.removeItem(atPath: file) }
}
