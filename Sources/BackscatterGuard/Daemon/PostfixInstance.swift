// A Postfix on this machine: asked and changed by its own tool, postconf(1), and on a copy first.

import Foundation

/// Found by its configuration directory.
struct PostfixInstance {
    let folder: String
    var files: SetupFiles { SetupFiles(folder: folder, names: ["main.cf", "master.cf"]) }

    /// Whether there is one.
    var exists: Bool { files.names.allSatisfy { ConfigurationSystem.exists("\(folder)/\($0)") } && SetupTool.path("postconf") != nil }

    func facts() throws(SetupError) -> PostfixFacts {
        func ask(_ arguments: [String]) throws(SetupError) -> String { try SetupTool.run("postconf", ["-c", folder] + arguments) }
        return PostfixFacts(services: try ask(["-M"]), options: try ask(["-P"]), parameters: try ask(PostfixFacts.names))
    }

    /// Makes the changes on a copy, puts the copy in place, and asks `postfix check`.
    ///
    /// - Returns: whether anything is different now.
    /// - Throws: with the files as they were, unless the text says otherwise.
    func apply(_ edits: [PostfixEdit]) throws(SetupError) -> Bool {
        var expected: [Octets] = []
        for name in files.names { expected.append(try files.octets(name)) }
        let contents = try edited(edits, expected)
        let kept = try files.state()
        guard try files.apply(contents, expected: expected) else { return false }
        do {
            _ = try SetupTool.run("postfix", ["-c", folder, "check"])
        } catch {
            try files.revert(to: expected, kept)
            throw SetupError("postfix check is not content, so main.cf and master.cf are as before; what it found is in Postfix's log (\(error))")
        }
        return true
    }

    /// What the files would be.
    private func edited(_ edits: [PostfixEdit], _ present: [Octets]) throws(SetupError) -> [Octets] {
        let copy = "\(folder)/guardd-setup.\(getpid())"
        guard unsafe mkdir(copy, 0o700) == 0 else { throw SetupError("\(copy) can't be made: \(systemReason())") }
        defer { try? FileManager.default.removeItem(atPath: copy) }
        for (index, name) in files.names.enumerated() { try SetupFiles.write(present[index], to: "\(copy)/\(name)", like: "\(folder)/\(name)") }
        for edit in edits { _ = try SetupTool.run("postconf", ["-c", copy] + edit.arguments) }
        var contents: [Octets] = []
        for name in files.names { contents.append(try SetupFiles.read("\(copy)/\(name)")) }
        return contents
    }
}

/// A program of the system's, run to its end by a command of guardd. Never by the daemon.
enum SetupTool {
    private static let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin"]

    static func path(_ name: String) -> String? {
        let listed = ConfigurationSystem.variable("PATH")?.split(separator: ":").map(String.init) ?? []
        return (listed + folders).map { "\($0)/\(name)" }.first { $0.hasPrefix("/") && ConfigurationSystem.exists($0) }
    }

    /// - Returns: its standard output.
    /// - Throws: when it isn't there or its exit status isn't 0, with the first lines it had to say.
    static func run(_ name: String, _ arguments: [String]) throws(SetupError) -> String {
        guard let path = path(name) else { throw SetupError("\(name) is not installed") }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let (output, complaints) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, complaints)
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw SetupError("\(path) can't be started: \(error)")
        }
        // What these say of errors fits into the pipe.
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let lines = String(decoding: complaint, as: UTF8.self).split(separator: "\n").prefix(5).joined(separator: "; ")
            throw SetupError("\(name) \(arguments.joined(separator: " ")): \(lines.isEmpty ? "exit status \(process.terminationStatus)" : lines)")
        }
        return String(decoding: said, as: UTF8.self)
    }
}
