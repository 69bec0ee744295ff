// docs/metrics.md, from the table.

extension Metrics {
    /// The page; a test compares the file in the tree with it.
    public static var page: String {
        var text = """
            # Metrics

            `/metrics` of the status socket ([status.md](status.md)), for Prometheus. Generated from the table that guardd counts by: `guardd check --print-reference metrics`.

            Times are in seconds, sizes in octets. Counters begin at 0 when guardd starts. The buckets of all histograms end at
            \(HistogramFamily.bounds.map { MetricsText.text(Double($0) / 1e6) }.joined(separator: ", ")) seconds.
            No label says anything that a stranger wrote.

            | metric | type | labels | what it says |
            |---|---|---|---|

            """
        for metric in all {
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            let values = metric.values.isEmpty ? "" : (labels.isEmpty ? "" : ": ") + metric.values
            text += "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels)\(values) | \(metric.help) |\n"
        }
        return text
    }
}
