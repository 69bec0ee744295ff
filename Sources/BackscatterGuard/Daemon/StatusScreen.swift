// What `guardd status` prints of a running guardd: a screen of text, the most important first.

public enum StatusScreen {
    /// - Returns: lines for people, printable.
    public static func lines(_ status: StatusDocument) -> [String] {
        var lines = ["guardd \(status.version): \(status.headline) (process \(status.process), \(status.state) since \(UTC.text(status.started)))"]
        lines += status.problems.map { "problem: \($0)" }
        if let day = status.history.last {
            func sum(_ series: [Int]) -> String { String(series.reduce(0, +)) }
            let hours = day.step * Int64(day.refused.count) / 3_600
            lines.append("notifications in \(hours) h: \(sum(day.refused)) refused, \(sum(day.wouldRefuse)) would be refused, \(sum(day.deferred)) deferred, \(sum(day.delivered)) delivered")
        }
        lines.append("sessions: \(status.sessions) open, \(status.workers.count) workers")
        lines += status.upstreamRows.map { "upstream \($0.joined(separator: ": "))" }
        lines += sentLog(status)
        lines += status.sourceRows.map { "source \($0.joined(separator: ": "))" }
        lines += status.domains.isEmpty ? ["no domain is protected (protected_domains)"] : status.domains.map { "\($0.pattern): \($0.text)" }
        return lines
    }

    /// 0: all is well; 1: something stands in the way, or wants attention.
    public static func exitStatus(_ status: StatusDocument) -> Int32 {
        status.isReady && status.isEnforced && status.problems.isEmpty ? 0 : 1
    }

    private static func sentLog(_ status: StatusDocument) -> [String] {
        let log = status.sentLog
        var parts = ["sent log: \(log.kind)"]
        if !log.isOpen { parts.append("does not answer") }
        if let ids = log.ids { parts.append("\(ids) ids") }
        if let octets = log.octets { parts.append("\(octets) octets") }
        parts.append(log.recordedSince.map { "complete since \(UTC.text($0))" } ?? "not complete")
        let days = log.bounceWindow / Day.seconds
        let covered = "covered: " + (log.isCovered ? "yes, the last \(days) days are complete: unknown ids can be refused" : "no, the last \(days) days are not complete: unknown ids pass")
        return [parts.joined(separator: ", "), covered]
    }
}
