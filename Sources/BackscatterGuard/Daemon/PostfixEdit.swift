// One change of Postfix's configuration: as postconf(1) is asked for it, and as a person writes it.

enum PostfixEdit: Equatable {
    /// A parameter of main.cf.
    case parameter(String, String)
    /// A whole line of master.cf, made or replaced.
    case service(id: String, text: String)
    /// An option below a line of master.cf.
    case option(id: String, name: String, value: String)
    /// A line of master.cf that goes.
    case removal(id: String, text: String)

    var isMain: Bool {
        if case .parameter = self { true } else { false }
    }

    /// What stands behind `postconf -c folder`.
    var arguments: [String] {
        switch self {
        case .parameter(let name, let value): ["-e", "\(name) = \(value)"]
        case .service(let id, let text): ["-M", "\(id)=\(text)"]
        case .option(let id, let name, let value): ["-P", "\(id)/\(name)=\(value)"]
        case .removal(let id, _): ["-MX", id]
        }
    }

    /// The lines of main.cf and master.cf, with a word on where they go.
    static func lines(_ edits: [PostfixEdit], folder: String) -> [String] {
        let main = edits.filter(\.isMain)
        var lines: [String] = main.isEmpty ? [] : ["# \(folder)/main.cf"]
        for case .parameter(let name, let value) in main { lines.append("\(name) = \(value)") }
        var place = ""
        for edit in edits where !edit.isMain {
            if place.isEmpty { lines += [lines.isEmpty ? "# \(folder)/master.cf" : "\n# \(folder)/master.cf"] }
            switch edit {
            case .parameter: continue
            case .service(let id, let text):
                place = id
                lines += broken(text)
            case .option(let id, let name, let value):
                if id != place { lines.append("# below \(id.replacing("/", with: " ")):") }
                place = id
                lines.append("  -o \(name)=\(value)")
            case .removal(let id, let text):
                place = id + " -"
                lines.append("# without this line and its options:\n#\(broken(text)[0])")
            }
        }
        return lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }

    /// An entry with each option on a line of its own.
    private static func broken(_ text: String) -> [String] {
        let parts = text.split(separator: " -o ", omittingEmptySubsequences: true).map(String.init)
        return [parts[0]] + parts.dropFirst().map { "  -o \($0)" }
    }
}
