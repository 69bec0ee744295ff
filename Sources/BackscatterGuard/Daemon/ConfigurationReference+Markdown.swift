// docs/reference/guardd.toml.md.

extension ConfigurationReference {
    static func markdown() -> String {
        var lines = ["# guardd.toml", "", "<!-- Generated: guardd check --print-reference markdown -->", ""]
        lines += introduction.map { "- \($0)" }
        for group in Options.top {
            lines += ["", "## \(group.title)"]
            if !group.prose.isEmpty { lines += ["", escaped(group.prose)] }
            for option in group.options { lines += markdownLines(Row(option)) }
        }
        for part in parts {
            lines += ["", "## `\(part.header)`", "", part.prose.map { escaped($0) }.joined(separator: " ")]
            lines += part.rows.flatMap(markdownLines)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func markdownLines(_ row: Row) -> [String] {
        let range = row.range.isEmpty ? "" : ": \(row.range)"
        let standard = switch row.standard {
        case let text? where text == row.sample || text.first == "\"" || text.first == "[": "default `\(text)`"
        case let words?: "default: \(words)"
        case nil: "**has to be written**"
        }
        let paragraphs = row.prose.split(separator: "\n").flatMap { ["", escaped(String($0))] }
        return ["", "### `\(row.key)`", "", "\(row.type)\(range); \(standard). Example: `\(row.key) = \(row.sample)`"] + paragraphs
    }

    /// `<>` and `*` would be taken for markup.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if character == "<" || character == "*" { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
