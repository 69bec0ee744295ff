// The line that tells how often a kind of line was left out.

extension RepeatFolding.Repeats where Key == LogRepeat.Kind {
    /// `repeated: count=9990 clients=50 nrcpt=9990 since=2026-11-22T05:23:00Z refuse: reason=never_sent to=<ann@example.org>`
    var text: String {
        "repeated: count=\(count)\(clients > 0 ? " clients=\(clients)" : "")\(recipients > 0 ? " nrcpt=\(recipients)" : "") since=\(UTC.text(first)) \(key.text)"
    }

    func json(at now: Int64) -> Octets {
        var line = JSONLine(key.severity, at: now)
        line.add("event", "repeated")
        line.add("count", count)
        line.add("clients", clients > 0 ? clients : nil)
        line.add("nrcpt", recipients > 0 ? recipients : nil)
        line.add("since", UTC.text(first))
        line.add("text", key.text)
        return line.closed
    }
}
