import Foundation
import Testing
@testable import BackscatterGuard

/// The main behaviours as a mail administrator would write them down: Tests/dialogues.
@Suite("Dialogues: client, upstream and log, line by line") struct DialogueTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../dialogues").standardizedFileURL
    static let files = (FileManager.default.subpaths(atPath: folder.path) ?? []).filter { $0.hasSuffix(".dlg") }.sorted()

    @Test func dialoguesAreFound() { #expect(Self.files.count >= 20) }

    @Test(arguments: files) func holds(_ file: String) throws {
        let dialogue = try Dialogue(String(contentsOf: Self.folder.appending(path: file), encoding: .utf8))
        _ = try DialogueRun(dialogue, name: file, drips: false)
        _ = try DialogueRun(dialogue, name: file, drips: true)
    }

    @Test(arguments: ["hello", "Q: x", "set x", "C"]) func mistakesAreTold(_ line: String) {
        #expect(throws: Dialogue.Mistake.self) { try Dialogue("# comment\n" + line) }
    }
}
