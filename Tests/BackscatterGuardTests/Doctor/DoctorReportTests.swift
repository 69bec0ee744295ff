import Foundation
import Testing
@testable import BackscatterGuard

@Suite("guardd doctor: the report") struct DoctorReportTests {
    private func report(_ levels: Finding.Level...) -> DoctorReport {
        DoctorReport(levels.map { Finding(.files, $0, "what") }, file: nil)
    }

    @Test func statusOfMonitoringPlugins() {
        #expect(report().exitStatus == 0 && report(.ok).exitStatus == 0)
        #expect(report(.ok, .unseen).exitStatus == 0 && report(.unseen).level == .ok)
        #expect(report(.ok, .warning, .ok).exitStatus == 1)
        #expect(report(.error, .warning).exitStatus == 2)
    }

    @Test func sectionsComeInTheirOrderAndFindingsInTheirs() {
        let report = DoctorReport([Finding(.limits, .ok, "b"), Finding(.ports, .ok, "x"), Finding(.limits, .ok, "a")], file: "/etc/guardd/guardd.toml")
        #expect(report.text == """
            guardd doctor: /etc/guardd/guardd.toml

            ports
              ok       x

            limits
              ok       b
              ok       a

            3 ok
            """)
    }

    @Test func remediesAndSum() {
        let findings = [
            Finding(.clock, .warning, line: "the clock is wrong; set it; then wait"), Finding(.clock, .error, "gone", remedy: "find it"),
            Finding(.clock, .error, "gone too"), Finding(.clock, .unseen, "dark"),
        ]
        #expect(DoctorReport(findings, file: nil).text == """
            guardd doctor: flags

            clock
              warning  the clock is wrong
                    -> set it; then wait
              error    gone
                    -> find it
              error    gone too
              unseen   dark

            2 errors, 1 warning, 0 ok, 1 could not be looked at
            """)
    }

    @Test func longLinesAreBrokenBetweenWords() {
        let words = (0..<40).map { "word\($0)" }
        let text = DoctorReport([Finding(.ports, .ok, words.joined(separator: " ") + " " + String(repeating: "x", count: 120))], file: nil).text
        let lines = text.split(separator: "\n").dropFirst(2).dropLast()
        #expect(lines.count > 3 && lines.dropLast().allSatisfy { $0.count <= 100 })
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("           ") && $0.dropFirst(11).first != " " })
        #expect(lines.joined(separator: " ").split(separator: " ").count == 42)
    }

    @Test func jsonIsOneObjectThatOthersRead() throws {
        let text = DoctorReport([Finding(.mailServer, .warning, "says \"no\"\u{7}", remedy: "ask")], file: nil).json
        #expect(!text.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["version"] as? Int == 1 && object["level"] as? String == "warning" && object["file"] is NSNull)
        let finding = try #require((object["findings"] as? [[String: String]])?.first)
        #expect(finding == ["section": "mail server", "level": "warning", "what": "says \"no\"\u{7}", "remedy": "ask"])
    }
}
