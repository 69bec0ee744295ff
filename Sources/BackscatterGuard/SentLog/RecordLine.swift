// The line form in which programs tell what was sent: `id TAB reverse-path TAB forward-paths,comma-separated`.
// The last two may be missing. Brackets are optional everywhere.

enum RecordLine {
    /// Longer lines are refused.
    static let limit = 262_144

    enum Outcome: Equatable {
        case entry(SentEntry)
        /// An empty line, or mail with the null reverse-path, which nothing comes back to.
        case nothing
        case malformed(String)
    }

    /// - Parameter line: without its line end.
    static func read(_ line: Octets) -> Outcome {
        var line = line
        if line.last == ASCII.cr { line.removeLast() }
        if line.allSatisfy(ASCII.isBlank) { return .nothing }
        let fields = line.split(separator: ASCII.tab, omittingEmptySubsequences: false).map { Octets($0) }
        guard fields.count <= 3 else { return .malformed("more than three fields") }
        guard let id = MessageID(fields[0]) else { return .malformed("no Message-ID in the first field") }
        guard !line.contains(where: { ASCII.isControl($0) && $0 != ASCII.tab }) else { return .malformed("control characters") }
        let reversePath = fields.count > 1 ? trimmed(fields[1]) : []
        if reversePath == [ASCII.less, ASCII.greater] { return .nothing }
        let forwardPaths = fields.count > 2 ? fields[2].split(separator: ASCII.comma).map { path(Octets($0)) } : []
        return .entry(SentEntry(ids: [id], reversePath: path(reversePath), forwardPaths: forwardPaths.filter { !$0.isEmpty }))
    }

    /// Without blanks around it and without brackets.
    static func path(_ text: Octets) -> Octets {
        let path = trimmed(text)
        guard path.count > 1, path.first == ASCII.less, path.last == ASCII.greater else { return path }
        return Octets(path.dropFirst().dropLast())
    }

    private static func trimmed(_ text: Octets) -> Octets {
        guard let first = text.firstIndex(where: { !ASCII.isBlank($0) }), let last = text.lastIndex(where: { !ASCII.isBlank($0) })
        else { return [] }
        return Octets(text[first...last])
    }
}
