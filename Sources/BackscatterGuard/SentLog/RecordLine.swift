// The line form in which programs tell what was sent: `ids TAB reverse-path TAB forward-paths,comma-separated TAB bound`.
// The last three may be missing. `bound`: a stranger chose the ids, they count for bounces to the reverse-path only. Brackets are optional, but several ids need them: `<one@a.example> <two@a.example>`.
// Mail that left without an id has an empty first field; then the other two must be there.

enum RecordLine {
    /// Longer lines are refused.
    static let limit = 262_144
    private static let bound = Octets("bound".utf8)

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
        guard fields.count <= 4 else { return .malformed("more than four fields") }
        let isBound = fields.count > 3 && trimmed(fields[3]) == bound
        guard isBound || fields.count < 4 else { return .malformed("the fourth field may be \"bound\" only") }
        guard !line.contains(where: { ASCII.isControl($0) && $0 != ASCII.tab }) else { return .malformed("control characters") }
        let ids = MessageID.all(in: fields[0])
        let reversePath = fields.count > 1 ? trimmed(fields[1]) : []
        if reversePath == [ASCII.less, ASCII.greater] { return .nothing }
        let forwardPaths = fields.count > 2 ? fields[2].split(separator: ASCII.comma).map { path(Octets($0)) }.filter { !$0.isEmpty } : []
        var entry = SentEntry(ids: ids, reversePath: path(reversePath), forwardPaths: forwardPaths)
        entry.isBound = isBound
        guard !entry.isEmpty else { return .malformed("no Message-ID in the first field") }
        guard !isBound || entry.reversePath.contains(ASCII.at) else { return .malformed("bound to no address: the second field has none") }
        return .entry(entry)
    }

    /// The lines that tell of an entry, without line ends: one, unless it is too long for one, or has ids that read right
    /// only by themselves.
    ///
    /// What a line can't tell is left out: a path with control characters, a forward-path with a comma.
    static func lines(of entry: SentEntry) -> [Octets] {
        let bracketed = entry.ids.filter { MessageID.all(in: inBrackets($0)) == [$0] }
        var heads = bracketed.isEmpty ? [] : [Octets(bracketed.map(inBrackets).joined(separator: [ASCII.space]))]
        // A blank before it, so that it is nothing else but an id, whatever it begins with.
        for id in entry.ids where !bracketed.contains(id) { heads.append([ASCII.space] + id.octets) }
        if heads.isEmpty { heads.append([]) }
        let reversePath = isPlain(entry.reversePath) ? entry.reversePath : []
        // What counts for one address that a line can't tell counts for none.
        if entry.isBound, !reversePath.contains(ASCII.at) { return [] }
        let forwardPaths = entry.forwardPaths.filter { isPlain($0) && !$0.contains(ASCII.comma) }
        let end = entry.isBound ? [ASCII.tab] + bound : []
        return heads.flatMap { lines(head: $0 + [ASCII.tab] + reversePath, forwardPaths, end: end) }
    }

    private static func lines(head: Octets, _ forwardPaths: [Octets], end: Octets) -> [Octets] {
        var lines: [Octets] = []
        var line = head + [ASCII.tab]
        for path in forwardPaths where path.count < limit / 4 {
            if line.count + 1 + path.count + end.count > limit {
                lines.append(line + end)
                line = head + [ASCII.tab]
            }
            if line.last != ASCII.tab { line.append(ASCII.comma) }
            line += path
        }
        return lines + [line + end]
    }

    private static func inBrackets(_ id: MessageID) -> Octets { [ASCII.less] + id.octets + [ASCII.greater] }

    private static func isPlain(_ path: Octets) -> Bool { path.count < limit / 4 && !path.contains(where: ASCII.isControl) }

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
