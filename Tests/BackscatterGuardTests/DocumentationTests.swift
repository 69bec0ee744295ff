// What the README and the pages show must work: every TOML block is loaded, every reason and verdict is explained.

import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Documentation") struct DocumentationTests {
    struct Block: Sendable, CustomTestStringConvertible {
        var page: String
        var line: Int
        var text: String
        var testDescription: String { "\(page):\(line)" }
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func page(_ name: String) -> String {
        (try? String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }

    private static var pages: [String] {
        let folder = root.appendingPathComponent("docs").path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return ["README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
    }

    static let blocks: [Block] = pages.flatMap { name in
        var found: [Block] = []
        var open: Block?
        for (index, line) in page(name).components(separatedBy: "\n").enumerated() {
            if var block = open {
                if line == "```" {
                    found.append(block)
                    open = nil
                } else {
                    block.text += line + "\n"
                    open = block
                }
            } else if line == "```toml" {
                open = Block(page: name, line: index + 2, text: "")
            }
        }
        return found
    }

    /// What every configuration needs, for the blocks that show one part.
    private static let frame = """
        upstream = "127.0.0.1:10025"
        upstream_identity = "proxy-v2"
        listener = [{ address = "127.0.0.1:25" }]

        """

    @Test func thereAreBlocks() {
        #expect(Set(Self.blocks.map(\.page)) == ["README.md", "docs/logging.md", "docs/milter.md", "docs/operations.md", "docs/policy.md", "docs/positions.md", "docs/recording.md", "docs/redis.md", "docs/several-machines.md", "docs/sources.md", "docs/status.md", "docs/tls.md"])
    }

    @Test(arguments: blocks)
    func blocksLoad(_ block: Block) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("guardd-docs-\(UUID()).toml").path
        let written = block.text.replacingOccurrences(of: "/var/qmail/bin/qmail-smtpd", with: "/bin/true")
            .replacingOccurrences(of: "/var/qmail/control/rcpthosts", with: path + ".hosts")
        let isWhole = ["upstream_identity", "exec =", "protocol = \"milter\""].contains { written.contains($0) }
        let domains = written.contains("protected_domains") ? "" : "protected_domains = [\"example.org\"]\n"
        let text = isWhole ? written : Self.frame + domains + written
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try "example.org\n".write(toFile: path + ".hosts", atomically: true, encoding: .utf8)
        defer {
            for file in [path, path + ".hosts"] { try? FileManager.default.removeItem(atPath: file) }
        }
        let configuration = try Configuration.load(file: path, overrides: ConfigurationOverrides(), standardFile: "/nonexistent", own: [])
        #expect(configuration.warnings.isEmpty, "\(configuration.warnings)")
    }

    @Test(arguments: Reason.allCases)
    func reasonsAreExplained(_ reason: Reason) {
        let row = Self.page("docs/policy.md").components(separatedBy: "\n").first { $0.hasPrefix("| `\(reason.rawValue)` |") }
        #expect(row?.hasSuffix("| \(reason.standardAction.rawValue) |") == true)
        if reason != .logSilent {
            let short = Self.page("README.md").components(separatedBy: "\n").first { $0.contains("| `\(reason.rawValue)` |") }
            #expect(short?.replacingOccurrences(of: "*", with: "").hasSuffix("| \(reason.standardAction.rawValue) |") == true)
        }
    }

    @Test(arguments: Verdict.allCases)
    func verdictsAreExplained(_ verdict: Verdict) {
        #expect(Self.page("docs/policy.md").contains("`\(verdict.rawValue)`"))
    }
}
