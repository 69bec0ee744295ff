// Lines put into a configuration file that people write: Exim's, sendmail.mc. All else stays octet for octet. Where the file
// says something else about the same thing nothing is put in: which of the two is meant only its owner knows.

/// The lines that a file needs, and the file with them.
struct SetupBlock {
    /// Of the file, for complaints.
    let path: String
    let wanted: [String]

    private static let mark = "guardd setup: see guardd.toml"

    /// Exim: the top of the main section, where no line before can go on with a backslash.
    ///
    /// - Returns: the same octets when all lines are there.
    func exim(_ file: Octets) throws(SetupError) -> Octets {
        let main = file.split(separator: ASCII.lf, omittingEmptySubsequences: false).prefix { Self.words($0).first?.lowercased() != "begin" }
        let missing = try missing(from: main.map { Array($0) }, isAbout: { Self.name($0) == Self.name($1) }, says: { Self.words(Array($0.utf8)[...]) == Self.words(Array($1.utf8)[...]) })
        guard !missing.isEmpty else { return file }
        return Octets((["# \(Self.mark)"] + missing).map { $0 + "\n" }.joined().utf8) + file
    }

    /// sendmail.mc: before the first MAILER(), as cf/README orders it.
    ///
    /// - Returns: the same octets when all lines are there.
    func sendmail(_ file: Octets) throws(SetupError) -> Octets {
        var lines = file.split(separator: ASCII.lf, omittingEmptySubsequences: false).map { Octets($0) }
        let missing = try missing(from: lines, isAbout: { $0.hasPrefix(Self.macro($1)) }, says: { $0.hasPrefix($1) })
        guard !missing.isEmpty else { return file }
        let added = ["dnl \(Self.mark)"] + missing
        if let place = lines.firstIndex(where: { $0.starts(with: "MAILER(".utf8) }) {
            lines.insert(contentsOf: added.map { Octets($0.utf8) }, at: place)
            return Octets(lines.joined(separator: [ASCII.lf]))
        }
        let end = file.isEmpty || file.last == ASCII.lf ? "" : "\n"
        return file + Octets((end + added.map { $0 + "\n" }.joined()).utf8)
    }

    /// What of `wanted` the file does not say. Both closures: a line of the file, a wanted one.
    private func missing(from lines: [Octets], isAbout: (String, String) -> Bool, says: (String, String) -> Bool) throws(SetupError) -> [String] {
        let texts = lines.map { String(decoding: $0, as: UTF8.self) }
        var missing: [String] = []
        for line in wanted {
            guard let index = texts.firstIndex(where: { isAbout($0, line) }) else {
                missing.append(line)
                continue
            }
            guard says(texts[index], line) else { throw clash(index, line) }
        }
        return missing
    }

    private func clash(_ index: Int, _ line: String) -> SetupError {
        SetupError("\(path):\(index + 1) says something else already; nothing was changed. Put there, if it is right for you: \(line)")
    }

    /// `hosts_proxy` of `hosts_proxy = …`; "" of what sets nothing.
    private static func name(_ line: String) -> String {
        guard line.first(where: { $0 != " " && $0 != "\t" }) != "#", let equals = line.firstIndex(of: "=") else { return "" }
        return line[..<equals].split { $0 == " " || $0 == "\t" }.last.map(String.init) ?? ""
    }

    /// "INPUT_MAIL_FILTER(`guardd'" of that line: a macro and its first argument.
    private static func macro(_ line: String) -> String {
        line.firstIndex(of: ",").map { String(line[..<$0]) } ?? line
    }

    private static func words(_ line: Octets.SubSequence) -> [String] {
        String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }.map(String.init)
    }
}
