// What `guardd sent …` prints. Lines for people that programs can split at blanks and colons.

public enum SentReport {
    /// One id: what is known of it.
    ///
    /// - Parameter sender: a domain or address that the record is asked about; nil: it is not.
    public static func lookup(_ id: MessageID, _ record: SentRecord?, sender: String? = nil) -> String {
        let name = "<\(ASCII.washed(id.octets, limit: MessageID.limit))>"
        guard let record else { return "\(name): not in the sent log" }
        var text = "\(name): sent, last \(UTC.text(record.time)), recipients \(record.recipients)"
        if let sender {
            let octets = Octets(sender.utf8)
            let isFrom = octets.contains(ASCII.at) ? record.wasSent(fromAddress: octets) : record.wasSent(from: octets)
            text += isFrom ? ", from \(ASCII.washed(octets))" : ", not from \(ASCII.washed(octets))"
        }
        return text
    }

    /// The whole log.
    public static func statistics(_ statistics: SentStatistics, at now: Int64) -> String {
        var lines = ["week of           ids      pairs"]
        for week in statistics.weeks { lines.append("\(week.from) \(column(week.ids)) \(column(week.pairs))") }
        lines.append("total      \(column(statistics.weeks.reduce(0) { $0 + $1.ids })) \(column(statistics.weeks.reduce(0) { $0 + $1.pairs }))")
        lines.append("file: \(statistics.size) octets")
        lines.append("newest record or heartbeat: \(statistics.newest.map(UTC.text) ?? "none")")
        lines.append("kept for: \(statistics.retention / Day.seconds) days")
        if let until = statistics.expirySuspendedUntil { lines.append("expiry: stopped until \(UTC.text(until)), the clock stepped") }
        lines.append(contentsOf: coverage(statistics, at: now))
        return lines.joined(separator: "\n")
    }

    /// Since when the log is complete, and what follows for verdicts.
    public static func coverage(_ statistics: SentStatistics, at now: Int64) -> [String] {
        var lines = statistics.coverage.intervals.map { interval in
            "complete: from \(UTC.text(interval.from)) to \(interval.to.map(UTC.text) ?? "now")"
        }
        if lines.isEmpty { lines.append("complete: never (nothing has said that all outgoing mail is recorded)") }
        if let hole = [statistics.coverage.openHoleSince, statistics.pendingHole].compactMap({ $0 }).min() {
            lines.append("hole: mail has been leaving unrecorded since \(UTC.text(hole))")
        }
        let days = statistics.bounceWindow / Day.seconds
        if statistics.isCovered(at: now) {
            lines.append("covered: yes, the last \(days) days are complete: unknown ids can be refused")
        } else if let open = statistics.coverage.intervals.last, open.to == nil, statistics.pendingHole == nil {
            lines.append("covered: no, from \(UTC.text(open.from + statistics.bounceWindow)) on: unknown ids pass until then")
        } else {
            lines.append("covered: no, the last \(days) days are not complete: unknown ids pass")
        }
        return lines
    }

    static func column(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: " ", count: max(0, 10 - digits.count)) + digits
    }
}
