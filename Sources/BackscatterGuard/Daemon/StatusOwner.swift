// Which guardd answers at a status socket: one state directory may serve two of them (docs/recording.md), and the socket's
// standard place is one.

import Glibc

extension Configuration {
    /// The file's real path: a guardd is known by it, however it was named.
    var realFile: String? {
        guard let file else { return nil }
        guard let text = unsafe realpath(file, nil) else { return file }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}

extension StatusDocument {
    /// Told by the guardd of this configuration: its file is the same, or one of its listeners, which no two can have.
    func isOf(_ wanted: Configuration) -> Bool {
        if let configuration, configuration == wanted.realFile { return true }
        let own = Set(wanted.listeners.map(\.text))
        return listeners.contains { own.contains($0.address) }
    }

    /// Who told it, for people.
    var owner: String {
        let places = listeners.map(\.address).joined(separator: ", ")
        return "process \(process), \(configuration.map { "of \($0), " } ?? "")which listens on \(places)"
    }
}

extension StatusClient {
    /// The state of the guardd that a configuration is of.
    ///
    /// - Parameter wanted: nil: of whoever answers.
    /// - Throws: also `.another`, when it is not that one that answers.
    public func document(
        of wanted: Configuration?, within milliseconds: Int64 = 10_000
    ) throws(StatusClientError) -> (document: StatusDocument, json: [UInt8]) {
        let answer = try get("/status.json", within: milliseconds)
        guard answer.status == 200, let document = StatusDocument(json: answer.body) else {
            throw .noAnswer(path: path, reason: "not the status of a guardd of this version")
        }
        if let wanted, !document.isOf(wanted) { throw .another(path: path, owner: document.owner) }
        return (document, answer.body)
    }
}
