import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Metrics: one table, two forms of text") struct MetricsTests {
    @Test func namesFollowPrometheus() {
        #expect(Set(Metrics.all.map(\.name)).count == Metrics.all.count)
        for metric in Metrics.all {
            #expect(metric.name.hasPrefix("guardd_") || metric.name.hasPrefix("process_"), "\(metric.name)")
            #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
            if !metric.unit.isEmpty { #expect(metric.family.hasSuffix("_\(metric.unit)"), "\(metric.name)") }
            #expect(metric.help.hasSuffix(".") && !metric.help.contains("\n"), "\(metric.name)")
            #expect(metric.name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") })
        }
    }

    /// What is counted is in the table, and no two counters share a slot.
    @Test func layoutFitsTheTable() {
        let layout = CounterLayout.shared
        var taken: Set<Int> = []
        for family in layout.families {
            #expect(Metrics.all.contains(family.metric) && family.metric.kind == .counter)
            #expect(family.labels.allSatisfy { $0.count == family.metric.labels.count }, "\(family.metric.name)")
            for slot in family.labels.indices { #expect(taken.insert(family.start + slot).inserted) }
        }
        for family in layout.histograms {
            #expect(Metrics.all.contains(family.metric) && family.metric.kind == .histogram)
            for slot in family.start...family.sum { #expect(taken.insert(slot).inserted) }
        }
        #expect(taken.count + 3 == layout.size && taken.allSatisfy { $0 < layout.size })
    }

    @Test(arguments: [
        (nil, false), ("", false), ("text/plain;version=0.0.4;q=0.5, */*;q=0.1", false), ("application/openmetrics-text", true),
        ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true),
        ("text/plain, Application/OpenMetrics-Text ; version=1.0.0", true), ("application/openmetrics-text;q=0, text/plain", false),
    ])
    func formByAccept(_ accept: String?, _ isOpenMetrics: Bool) {
        #expect((MetricsText(accept: accept) == .openMetrics) == isOpenMetrics)
    }

    private let samples = [
        MetricSample(Metrics.upstreamUp, ["unix:/a\"b\\c\nd"], 1),
        MetricSample(Metrics.networkBytes, ["client", "received"], 12_345_678_901),
        MetricSample(Metrics.holdSeconds, .histogram(buckets: [(0.005, 1), (0.1, 3)], count: 4, sum: 2.5)),
    ]

    @Test func prometheusText() {
        #expect(String(decoding: MetricsText.prometheus.text(samples), as: UTF8.self) == """
            # HELP guardd_network_bytes_total Octets of SMTP and of the milter protocol, without those of TLS itself.
            # TYPE guardd_network_bytes_total counter
            guardd_network_bytes_total{peer="client",direction="received"} 12345678901
            # HELP guardd_hold_duration_seconds Time that content of a notification was held, from its first octet to its verdict.
            # TYPE guardd_hold_duration_seconds histogram
            guardd_hold_duration_seconds_bucket{le="0.005"} 1
            guardd_hold_duration_seconds_bucket{le="0.1"} 3
            guardd_hold_duration_seconds_bucket{le="+Inf"} 4
            guardd_hold_duration_seconds_sum 2.5
            guardd_hold_duration_seconds_count 4
            # HELP guardd_upstream_up 1: it is there, as far as is known; 0: it is down.
            # TYPE guardd_upstream_up gauge
            guardd_upstream_up{upstream="unix:/a\\"b\\\\c\\nd"} 1

            """)
    }

    @Test func openMetricsText() {
        let text = String(decoding: MetricsText.openMetrics.text(samples), as: UTF8.self)
        #expect(text.hasPrefix("# HELP guardd_network_bytes Octets") && text.hasSuffix("# EOF\n"))
        #expect(text.contains("# TYPE guardd_network_bytes counter\n# UNIT guardd_network_bytes bytes\nguardd_network_bytes_total{"))
        #expect(text.contains("# UNIT guardd_hold_duration_seconds seconds\n"))
    }

    @Test func pageIsCurrent() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL
        let text = try String(contentsOf: root.appending(path: "docs/metrics.md"), encoding: .utf8)
        #expect(text == Metrics.page, "docs/metrics.md is out of date; run: guardd check --print-reference metrics > docs/metrics.md")
    }

    @Test func everyFamilyIsOnThePage() {
        for metric in Metrics.all { #expect(Metrics.page.contains("| `\(metric.name)` | \(metric.kind.rawValue) |")) }
    }
}
