// A metric: what it is called, what it counts, in what unit, with which labels. Metrics and their page (docs/metrics.md)
// are made from one table of these, `Metrics.all`.

/// A family of samples, in Prometheus' words.
public struct Metric: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// With unit and `_total`, as it is scraped: `guardd_verdicts_total`.
    public let name: String
    public let kind: Kind
    /// `seconds`, `bytes`; empty for plain numbers. Ends the name, but for `_total`.
    public let unit: String
    /// Names of the labels. Values are of closed sets, or written by the administrator; nothing a stranger says.
    public let labels: [String]
    /// What the values are, for the page; empty where the table of `help` says it.
    public let values: String
    /// One line.
    public let help: String

    init(_ name: String, _ kind: Kind, unit: String = "", labels: [String] = [], values: String = "", _ help: String) {
        (self.name, self.kind, self.unit, self.labels, self.values, self.help) = (name, kind, unit, labels, values, help)
    }

    /// As OpenMetrics calls the family: a counter's without `_total`.
    public var family: String { kind == .counter && name.hasSuffix("_total") ? String(name.dropLast(6)) : name }
}

/// A value of a metric at one moment.
public struct MetricSample: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        case number(Double)
        /// Upper bounds in the metric's unit with how many were at or below each, then all, and their sum.
        case histogram(buckets: [(Double, Int)], count: Int, sum: Double)

        public static func == (left: Value, right: Value) -> Bool {
            switch (left, right) {
            case (.number(let one), .number(let two)): one == two
            case (.histogram(let one, let oneCount, let oneSum), .histogram(let two, let twoCount, let twoSum)):
                one.map(\.0) == two.map(\.0) && one.map(\.1) == two.map(\.1) && oneCount == twoCount && oneSum == twoSum
            default: false
            }
        }
    }

    public let metric: Metric
    /// Of the labels, in the metric's order.
    public let labels: [String]
    public let value: Value

    init(_ metric: Metric, _ labels: [String], _ number: Double) {
        (self.metric, self.labels, value) = (metric, labels, .number(number))
    }

    init(_ metric: Metric, _ number: Double) { self.init(metric, [], number) }

    init(_ metric: Metric, _ value: Value) {
        (self.metric, labels, self.value) = (metric, [], value)
    }
}
