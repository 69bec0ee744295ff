import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Configuration: the documents and the table of options say the same") struct ConfigurationReferenceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

    @Test(arguments: [(ConfigurationReference.toml, "config/guardd.toml"), (.markdown, "docs/reference/guardd.toml.md")])
    func isCurrent(_ form: ConfigurationReference, _ path: String) throws {
        let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
        #expect(text == form.text, "\(path) is out of date; run: guardd check --print-reference \(form.rawValue) > \(path)")
    }

    /// Every sample is taken by its option, and what isn't a mere example is the default.
    @Test func fileIsValidWithAllOptionsUncommented() throws {
        let text = ConfigurationReference.toml.text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") && !$0.hasPrefix("# ") ? $0.dropFirst() : $0 }.joined(separator: "\n")
            .replacing("/var/qmail/control/rcpthosts", with: "/dev/null")
        let file = try TemporaryFile(text)
        let configuration = try Configuration.load(file: file.path, overrides: .init(), standardFile: "", own: [])
        let fresh = Configuration()
        #expect(configuration.timeouts == fresh.timeouts)
        #expect(configuration.retention == fresh.retention && configuration.bounceWindow == fresh.bounceWindow)
        #expect(configuration.holdLimit == fresh.holdLimit && configuration.holdTotalLimit == fresh.holdTotalLimit)
        #expect(configuration.maxConnections == fresh.maxConnections && configuration.maxConnectionsPerClient == fresh.maxConnectionsPerClient)
        #expect(configuration.policySettings.tags == fresh.policySettings.tags)
        #expect(configuration.policySettings.bounceSenders == fresh.policySettings.bounceSenders)
        #expect(configuration.policySettings.recipientDelimiters == fresh.policySettings.recipientDelimiters)
        #expect(configuration.policySettings.actions.count == Reason.allCases.count)
        #expect(configuration.policySettings.actions.allSatisfy { $0.value == $0.key.standardAction })
        #expect(configuration.policySettings.domains.count == 1 && configuration.policySettings.addresses.count == 1)
    }

    @Test func keysAreUnique() {
        let keys = Options.top.flatMap(\.options).map(\.key)
        #expect(Set(keys).count == keys.count)
    }

    @Test func everyFlagIsAnOption() {
        var overrides = ConfigurationOverrides()
        overrides.upstream = ["a"]
        overrides.upstreamIdentity = "a"
        overrides.protect = ["a"]
        overrides.stateDirectory = "a"
        overrides.mode = "a"
        overrides.workers = 1
        overrides.outgoingNetworks = ["a"]
        #expect(overrides.values.count == 7)
        let keys = Set(Options.top.flatMap(\.options).map(\.key))
        for (_, key, _) in overrides.values { #expect(keys.contains(key)) }
    }
}

/// A file in a folder of its own, gone with the value.
final class TemporaryFile {
    let folder: String
    let path: String

    init(_ text: String, name: String = "guardd.toml") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "guardd-\(UUID().uuidString)").path
        path = folder + "/" + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}
