// Samples as text: Prometheus' exposition format 0.0.4 and OpenMetrics 1.0.0. They differ in what a counter's family is
// called, in UNIT lines and in the end.

/// Writes samples down.
public enum MetricsText: Sendable {
    case prometheus, openMetrics

    public var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// The form that a scraper wants.
    ///
    /// - Parameter accept: its Accept field. RFC 9110 §12.5.1, without weights: who names OpenMetrics can read it; unless
    ///   it gives it the weight 0.
    public init(accept: String?) {
        let wants = (accept ?? "").split(separator: ",").contains { range in
            let parts = range.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            return parts.first == "application/openmetrics-text" && !parts.contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) }
        }
        self = wants ? .openMetrics : .prometheus
    }

    /// - Parameter samples: in any order; one family's come together, in the order of `Metrics.all`.
    public func text(_ samples: [MetricSample]) -> [UInt8] {
        let byMetric = Dictionary(grouping: samples, by: \.metric)
        var text = ""
        for metric in Metrics.all {
            guard let samples = byMetric[metric] else { continue }
            let family = self == .openMetrics ? metric.family : metric.name
            text += "# HELP \(family) \(Self.escaped(metric.help, quotes: self == .openMetrics))\n# TYPE \(family) \(metric.kind.rawValue)\n"
            if self == .openMetrics, !metric.unit.isEmpty { text += "# UNIT \(family) \(metric.unit)\n" }
            for sample in samples { write(sample, to: &text) }
        }
        if self == .openMetrics { text += "# EOF\n" }
        return Array(text.utf8)
    }

    private func write(_ sample: MetricSample, to text: inout String) {
        let metric = sample.metric
        let labels = zip(metric.labels, sample.labels).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
        switch sample.value {
        case .number(let number): line(metric.name, labels, Self.text(number), to: &text)
        case .histogram(let buckets, let count, let sum):
            for (bound, below) in buckets { line(metric.name + "_bucket", labels + ["le=\"\(Self.text(bound))\""], String(below), to: &text) }
            line(metric.name + "_bucket", labels + ["le=\"+Inf\""], String(count), to: &text)
            line(metric.name + "_sum", labels, Self.text(sum), to: &text)
            line(metric.name + "_count", labels, String(count), to: &text)
        }
    }

    private func line(_ name: String, _ labels: [String], _ value: String, to text: inout String) {
        text += name + (labels.isEmpty ? "" : "{" + labels.joined(separator: ",") + "}") + " " + value + "\n"
    }

    /// Whole numbers without a fraction, as long as a Double holds them.
    static func text(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf" }
        return number == number.rounded() && abs(number) < 9_007_199_254_740_992 ? String(Int64(number)) : String(number)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
