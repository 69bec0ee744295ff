import Testing
@testable import BackscatterGuard

@Suite("guardd status: which domains are enforced, and what stands in the way") struct StatusReportTests {
    @Test func eachDomain() throws {
        let policy = try PolicySample.policy(["a.example", "b.example", "c.example", "d.example"]) {
            $0.mode = .auto
            $0.domains[try PolicySample.pattern("c.example")] = .init(mode: .observe)
            $0.domains[try PolicySample.pattern("d.example")] = .init(mode: .enforce)
        }
        let block = EnforcementBlocks.Block(count: 1, time: 0, host: "192.0.2.8", messageID: "x@b.example")
        let blocks = EnforcementBlocks(["b.example": block, "d.example": block])
        let report = StatusReport(policy, isCovered: true, blocks: blocks)
        #expect(!report.isEnforced && report.lines.count == 4)
        #expect(report.lines[0] == "a.example: enforced, forged bounces are refused" && report.lines[3] == "d.example: enforced, forged bounces are refused")
        #expect(report.lines[1].hasPrefix("b.example: stays in observe mode: a bounce returned") && report.lines[2].hasPrefix("c.example: observed"))
        #expect(StatusReport(policy, isCovered: true, blocks: EnforcementBlocks()).isEnforced)
        let early = StatusReport(policy, isCovered: false, blocks: EnforcementBlocks())
        #expect(!early.isEnforced && early.lines.filter { $0.contains("not enforced yet") }.count == 3)
        #expect(!StatusReport(try PolicySample.policy([]), isCovered: true, blocks: blocks).isEnforced)
    }
}
