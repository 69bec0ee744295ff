// config/guardd.toml. Prose stands behind "# ", an option behind "#" alone: a file with those "#" taken away is valid.

extension ConfigurationReference {
    static func toml() -> String {
        var lines = ["# guardd.toml: the configuration of guardd, with every option and its default.", "#"]
        lines += introduction.flatMap { comment($0) }
        lines.append("# This file is generated: guardd check --print-reference toml")
        for group in Options.top {
            lines += ["", "# --- \(group.title) ---"]
            if !group.prose.isEmpty { lines += comment(group.prose) }
            for option in group.options { lines += tomlLines(Row(option)) }
        }
        for part in parts {
            lines += ["", "# --- \(part.header) ---"]
            lines += part.prose.flatMap { comment($0) }
            lines += ["", "#\(part.header)"]
            lines += part.rows.flatMap(tomlLines)
            if part.header.hasPrefix("[domain") { lines += ["", "#actions = { undecided = \"mark\" }"] }
            if part.header.hasPrefix("[address") { lines.append("#actions = { never_sent = \"mark\" }") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func tomlLines(_ row: Row) -> [String] {
        var facts = row.type
        if !row.range.isEmpty { facts += ": \(row.range)" }
        facts += row.standard.map { "; default \($0)" } ?? "; no default, has to be written"
        return [""] + comment(row.prose) + comment(facts) + ["#\(row.key) = \(row.sample)"]
    }

    /// Lines of at most 118 characters, cut at blanks; the text's own line ends stay.
    private static func comment(_ text: String) -> [String] {
        text.split(separator: "\n").flatMap { paragraph in
            var lines: [String] = []
            var line = "#"
            for word in paragraph.split(separator: " ") {
                if line.count + 1 + word.count > 118 {
                    lines.append(line)
                    line = "#"
                }
                line += " " + word
            }
            return lines + [line]
        }
    }
}
