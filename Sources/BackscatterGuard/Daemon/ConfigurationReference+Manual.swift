// guardd.toml(5), in the macros of man(7). Made when the package is built: deploy/man/generate.

extension ConfigurationReference {
    static func manual() -> String {
        var lines = [
            #".TH GUARDD.TOML 5 "\#(GuarddVersion.date)" "guardd \#(GuarddVersion.text)" "BackscatterGuard""#, ".SH NAME", #"guardd.toml \- configuration of guardd"#,
            ".SH SYNOPSIS", #".I \#(roff(Configuration.standardFile))"#, ".SH DESCRIPTION",
        ]
        lines.append(introduction.map(line).joined(separator: "\n.PP\n"))
        for group in Options.top {
            lines += [".SH \(roff(group.title.uppercased()))"]
            if !group.prose.isEmpty { lines += group.prose.split(separator: "\n").map { line(String($0)) } }
            for option in group.options { lines += manualLines(Row(option)) }
        }
        for part in parts {
            lines += [".SH \(roff(part.header))"] + part.prose.map(line)
            lines += part.rows.flatMap(manualLines)
        }
        lines += [".SH SEE ALSO", ".BR guardd (8),", ".BR guardd\\-check (1)"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func manualLines(_ row: Row) -> [String] {
        var facts = row.type
        if !row.range.isEmpty { facts += ": \(row.range)" }
        facts += row.standard.map { "; default \($0)" } ?? "; has to be written"
        let prose = row.prose.split(separator: "\n").map { line(String($0)) } + [line(facts + "."), line("Example: \(row.key) = \(row.sample)")]
        return [".TP", ".B \(roff(row.key))", prose.joined(separator: "\n.br\n")]
    }

    /// A line of text: none of its beginnings is a request.
    private static func line(_ text: String) -> String {
        let escaped = roff(text)
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }

    /// What roff would read as an escape or typeset as another character. groff_char(7).
    private static func roff(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\(rs"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case "…": result += "\\&..."
            case "–": result += "\\(en"
            case "→": result += "\\(->"
            case "×": result += "\\(mu"
            default: result.append(character)
            }
        }
        return result
    }
}
