import Foundation
import Testing
@testable import BackscatterGuard

@Suite("guardd setup: files that are changed so that they can be as before") struct SetupFilesTests {
    /// Two files with these contents, gone with `holder`.
    private func files(_ first: String, _ second: String) throws -> (SetupFiles, holder: TemporaryFile) {
        let holder = try TemporaryFile(first, name: "one")
        try Data(second.utf8).write(to: URL(filePath: holder.folder + "/two"))
        return (SetupFiles(folder: holder.folder, names: ["one", "two"]), holder)
    }

    private func octets(_ texts: String...) -> [Octets] { texts.map { Octets($0.utf8) } }

    private func present(_ files: SetupFiles) throws -> [Octets] { try files.names.map { try files.octets($0) } }

    @Test func thereAndBack() throws {
        let (files, holder) = try files("a", "b")
        #expect(try files.state() == .none)
        #expect(try files.apply(octets("A", "b"), expected: octets("a", "b")))
        #expect(try present(files) == octets("A", "b") && files.state() == .after)
        // Once more, and further: what to go back to stays.
        #expect(try !files.apply(octets("A", "b"), expected: octets("A", "b")))
        #expect(try files.apply(octets("A", "B"), expected: octets("A", "b")))
        try files.undo()
        #expect(try present(files) == octets("a", "b"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: holder.folder).sorted() == ["one", "two"])
        #expect(throws: SetupError.self) { try files.undo() }
    }

    @Test func changedInBetween() throws {
        let (files, holder) = try files("a", "b")
        _ = try files.apply(octets("A", "B"), expected: octets("a", "b"))
        try Data("by hand".utf8).write(to: URL(filePath: holder.folder + "/two"))
        #expect(try files.state() == .changed("two"))
        #expect(throws: SetupError.self) { try files.undo() }
        #expect(throws: SetupError.self) { try files.apply(octets("AA", "BB"), expected: octets("A", "by hand")) }
        #expect(try present(files) == octets("A", "by hand"))
    }

    /// Who writes while the lines are made is not written over.
    @Test func changedMeanwhile() throws {
        let (files, holder) = try files("a", "b")
        #expect(throws: SetupError.self) { try files.apply(octets("A", "B"), expected: octets("x", "b")) }
        #expect(try present(files) == octets("a", "b") && files.state() == .none)
        _ = holder
    }

    /// A crash at any point leaves what `undo` takes back.
    @Test func halfWritten() throws {
        let (files, holder) = try files("a", "b")
        _ = try files.apply(octets("A", "B"), expected: octets("a", "b"))
        try Data("b".utf8).write(to: URL(filePath: holder.folder + "/two"))
        #expect(try files.state() == .after)
        try files.undo()
        #expect(try present(files) == octets("a", "b"))
        try FileManager.default.createDirectory(atPath: files.store, withIntermediateDirectories: false)
        #expect(try files.state() == .none)
        try Data("a".utf8).write(to: URL(filePath: files.store + "/one.before"))
        try Data("b".utf8).write(to: URL(filePath: files.store + "/two.before"))
        #expect(try files.state() == .before)
        #expect(try files.apply(octets("A", "b"), expected: octets("a", "b")))
        try files.undo()
        #expect(try present(files) == octets("a", "b"))
    }

    @Test func linkAndModeStay() throws {
        let (files, holder) = try files("a", "b")
        try FileManager.default.moveItem(atPath: holder.path, toPath: holder.folder + "/real")
        try FileManager.default.createSymbolicLink(atPath: holder.path, withDestinationPath: "real")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: holder.folder + "/real")
        _ = try files.apply(octets("A", "b"), expected: octets("a", "b"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: holder.path) == "real")
        #expect(try FileManager.default.attributesOfItem(atPath: holder.folder + "/real")[.posixPermissions] as? Int == 0o640)
        try files.undo()
        #expect(try present(files) == octets("a", "b"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: holder.path) == "real")
    }

    /// A file that was not there is gone again, whatever became of the others; one that somebody has put there meanwhile stays.
    @Test func absent() throws {
        let holder = try TemporaryFile("a", name: "one")
        let files = SetupFiles(folder: holder.folder, names: ["one", "d/two", "d/three"])
        try FileManager.default.createDirectory(atPath: holder.folder + "/d", withIntermediateDirectories: false)
        #expect(try files.apply([Octets("a".utf8), Octets("B".utf8), nil], expected: [Octets("a".utf8), nil, nil]))
        #expect(try files.state() == .after && files.octets("d/two") == Octets("B".utf8) && files.present("d/three") == nil)
        #expect(try files.apply([Octets("A".utf8), Octets("B".utf8), Octets("C".utf8)], expected: [Octets("a".utf8), Octets("B".utf8), nil]))
        try FileManager.default.removeItem(atPath: holder.folder + "/d/three")
        #expect(try files.state() == .after)
        try files.undo()
        #expect(try files.octets("one") == Octets("a".utf8) && files.present("d/two") == nil)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: holder.folder).sorted() == ["d", "one"])

        #expect(throws: SetupError.self) { try files.apply([nil, Octets("B".utf8), nil], expected: [Octets("a".utf8), Octets("x".utf8), nil]) }
        _ = try files.apply([Octets("a".utf8), Octets("B".utf8), nil], expected: [Octets("a".utf8), nil, nil])
        try Data("by hand".utf8).write(to: URL(filePath: holder.folder + "/d/three"))
        #expect(try files.state() == .changed("d/three"))
        #expect(throws: SetupError.self) { try files.undo() }
    }

    /// Of two applications the second is found to be wrong: the first can still be taken back.
    @Test func reverted() throws {
        let holder = try TemporaryFile("a", name: "one")
        let files = SetupFiles(folder: holder.folder, names: ["one", "two"])
        func apply(_ text: String, _ second: Octets?) throws {
            let (expected, kept) = ([try files.octets("one"), try files.present("two")], try files.state())
            #expect(try files.apply([Octets(text.utf8), second], expected: expected))
            if text == "wrong" { try files.revert(to: expected, kept) }
        }
        try apply("wrong", Octets("w".utf8))
        #expect(try files.state() == .none && files.octets("one") == Octets("a".utf8) && files.present("two") == nil)
        try apply("A", nil)
        try apply("wrong", Octets("w".utf8))
        #expect(try files.state() == .after && files.octets("one") == Octets("A".utf8) && files.present("two") == nil)
        try files.undo()
        #expect(try files.octets("one") == Octets("a".utf8) && FileManager.default.contentsOfDirectory(atPath: holder.folder) == ["one"])
    }
}
