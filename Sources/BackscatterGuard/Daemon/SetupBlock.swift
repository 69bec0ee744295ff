// Lines put into a configuration file that people write: Exim's, sendmail.mc. All else stays octet for octet. Where the file
// says something else about the same thing nothing is put in: which of the two is meant only its owner knows.

/// The lines that a file needs, and the file with them.
struct SetupBlock {
    /// Of the file, for complaints.
    let path: String
    let wanted: [String]

    static let mark = "guardd setup: see guardd.toml"

    /// Exim: the top of the main section, where no line before can go on with a backslash.
    ///
    /// - Returns: the same octets when all lines are there.
    func exim(_ file: Octets) throws(SetupError) -> Octets {
        let missing = try missing(from: Self.mainSection(of: file), isAbout: { Self.name($0) == Self.name($1) }, says: Self.says)
        guard !missing.isEmpty else { return file }
        return Octets((["# \(Self.mark)"] + missing).map { $0 + "\n" }.joined().utf8) + file
    }

    /// Ports besides 25 that `daemon_smtp_ports` of an Exim configuration names.
    static func eximPorts(of file: Octets, path: String) throws(SetupError) -> [Int] {
        let lines = mainSection(of: file)
        guard let index = lines.firstIndex(where: { name($0) == "daemon_smtp_ports" }) else { return [] }
        guard let ports = EximPorts.others(value(lines[index])) else {
            throw SetupError("\(path):\(index + 1): these ports can't be read; nothing was changed. Write numbers there, and try again")
        }
        return ports
    }

    /// Its lines, one that goes on with a backslash as a whole where it begins.
    private static func mainSection(of file: Octets) -> [String] {
        var lines: [String] = []
        var whole: Int?
        for octets in file.split(separator: ASCII.lf, omittingEmptySubsequences: false) {
            let line = String(decoding: octets, as: UTF8.self)
            let begin = whole ?? lines.count
            lines.append(whole == nil ? line : "")
            if whole != nil { lines[begin] = String(lines[begin].dropLast()) + line.drop { $0 == " " || $0 == "\t" } }
            whole = line.hasSuffix("\\") ? begin : nil
            if begin == lines.count - 1, words(octets).first?.lowercased() == "begin" { return lines.dropLast() }
        }
        return lines
    }

    /// Whether a line of the file says what a wanted one does: log_selector may say more.
    private static func says(_ line: String, _ wanted: String) -> Bool {
        guard name(wanted) == "log_selector" else { return words(Octets(line.utf8)[...]) == words(Octets(wanted.utf8)[...]) }
        return EximLogSelector(value(line)).lacking(EximLogSelector.wanted).isEmpty
    }

    /// sendmail.mc: before the first MAILER(), as cf/README orders it.
    ///
    /// - Returns: the same octets when all lines are there.
    func sendmail(_ file: Octets) throws(SetupError) -> Octets {
        var lines = file.split(separator: ASCII.lf, omittingEmptySubsequences: false).map { Octets($0) }
        let missing = try missing(from: lines.map { String(decoding: $0, as: UTF8.self) }, isAbout: { $0.hasPrefix(Self.macro($1)) }, says: { $0.hasPrefix($1) })
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
    private func missing(from texts: [String], isAbout: (String, String) -> Bool, says: (String, String) -> Bool) throws(SetupError) -> [String] {
        var missing: [String] = []
        for line in wanted {
            guard let index = texts.firstIndex(where: { isAbout($0, line) }) else {
                missing.append(line)
                continue
            }
            guard says(texts[index], line) else { throw clash(index, Self.merged(texts[index], line)) }
        }
        return missing
    }

    /// What the file has, and what is wanted, where both can be.
    private static func merged(_ line: String, _ wanted: String) -> String {
        guard name(wanted) == "log_selector" else { return wanted }
        let selector = EximLogSelector(value(line))
        return "log_selector = \(selector.adding(selector.lacking(EximLogSelector.wanted)).text)"
    }

    private func clash(_ index: Int, _ line: String) -> SetupError {
        SetupError("\(path):\(index + 1) says something else already; nothing was changed. Put there, if it is right for you: \(line)")
    }

    /// `hosts_proxy` of `hosts_proxy = …`; "" of what sets nothing.
    private static func name(_ line: String) -> String {
        guard line.first(where: { $0 != " " && $0 != "\t" }) != "#", let equals = line.firstIndex(of: "=") else { return "" }
        return line[..<equals].split { $0 == " " || $0 == "\t" }.last.map(String.init) ?? ""
    }

    private static func value(_ line: String) -> String {
        line.firstIndex(of: "=").map { String(line[line.index(after: $0)...]) } ?? ""
    }

    /// "INPUT_MAIL_FILTER(`guardd'" of that line: a macro and its first argument.
    private static func macro(_ line: String) -> String {
        line.firstIndex(of: ",").map { String(line[..<$0]) } ?? line
    }

    private static func words(_ line: Octets.SubSequence) -> [String] {
        String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }.map(String.init)
    }
}
