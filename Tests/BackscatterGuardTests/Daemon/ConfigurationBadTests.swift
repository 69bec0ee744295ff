import Foundation
import Testing
@testable import BackscatterGuard

/// Each folder of Tests/bad-config holds a file that must refuse to start, and the lines that must be said about it.
@Suite("Configuration: refused files, each with its message") struct ConfigurationBadTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../bad-config").standardizedFileURL
    static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { !$0.hasPrefix(".") }.sorted()

    @Test func casesAreFound() { #expect(Self.cases.count >= 31) }

    @Test(arguments: cases) func refuses(_ name: String) throws {
        let directory = Self.folder.appending(path: name).path + "/"
        let expected = try String(contentsOfFile: directory + "expected-error", encoding: .utf8).split(separator: "\n").map(String.init)
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.load(
                file: directory + "guardd.toml", overrides: .init(), standardFile: "/nonexistent/guardd.toml",
                own: [PeerAddress("192.0.2.10"), PeerAddress("127.0.0.1")].compactMap(\.self))
        }
        #expect(error.lines.map { $0.replacing(directory, with: "") } == expected)
        #expect(error.lines.allSatisfy { !$0.contains("\n") })
    }
}
