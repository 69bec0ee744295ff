// What `guardd setup` does: says the lines, writes them, takes them back.

/// One call of it.
public struct MailServerSetup: Sendable {
    public var server: SetupServer
    public var position: SetupPosition
    /// Postfix's configuration directory.
    public var folder = "/etc/postfix"
    /// Services of master.cf that take mail from outside; empty: by their ports.
    public var services: [String] = []
    /// qmail's run file of the service on port 25.
    public var runFile = "/service/smtpd/run"
    /// Exim's configuration file, sendmail.mc; nil: where they usually are.
    public var file: String?

    public init(_ server: SetupServer, _ position: SetupPosition) {
        (self.server, self.position) = (server, position)
    }

    /// The lines, for a person.
    public func lines(_ configuration: Configuration) throws(SetupError) -> [String] {
        if let debian { return try lines(debian, configuration) }
        guard server == .postfix else { return try blockLines(configuration) }
        let postfix = PostfixInstance(folder: folder)
        let plan = try PostfixPlan(position, configuration, postfix.exists ? try postfix.facts() : .standard, outside: services)
        let head = postfix.exists ? [] : ["# There is no Postfix in \(folder): these are the lines for one as Debian installs it."]
        let lines = plan.edits.isEmpty ? ["# Postfix has all its lines for --position \(position.rawValue) already."] : PostfixEdit.lines(plan.edits, folder: folder)
        return head + lines + Self.comments(plan.notes) + (plan.edits.isEmpty ? [] : Self.comments(["Then: postfix reload, and start guardd (guardd check tells whether it would)."]))
    }

    /// Writes them, with a copy of what was there.
    ///
    /// - Returns: what was done, for a person.
    public func apply(_ configuration: Configuration) throws(SetupError) -> [String] {
        switch server {
        case .postfix:
            let postfix = PostfixInstance(folder: folder)
            guard postfix.exists else { throw SetupError("no Postfix is configured in \(folder); name its folder: --config-directory") }
            let plan = try PostfixPlan(position, configuration, try postfix.facts(), outside: services)
            guard try postfix.apply(plan.edits) else { return ["\(folder) has all lines for --position \(position.rawValue) already; nothing changed."] + plan.notes }
            return PostfixEdit.lines(plan.edits, folder: folder) + plan.notes.map { "# \($0)" } + [
                "Written. As it was: \(postfix.files.store); guardd setup postfix --undo takes it back.", "Then: postfix reload, and start guardd.",
            ]
        case .qmail:
            guard position == .front else { throw SetupError("only --position front can be applied for qmail") }
            return try applyRunFile(configuration)
        case .exim, .sendmail:
            if let debian { return try apply(debian, configuration) }
            return try applyBlock(configuration)
        }
    }

    /// Takes back what `apply` wrote, if nobody has changed it since.
    public func undo() throws(SetupError) -> [String] {
        switch server {
        case .postfix:
            try PostfixInstance(folder: folder).files.undo()
            return ["main.cf and master.cf in \(folder) are as they were. Then: stop guardd, postfix reload."]
        case .qmail:
            try runFiles.undo()
            return ["\(runFile) is as it was. Then: svc -t \(runFiles.folder)"]
        case .exim, .sendmail:
            if let debian {
                try debian.files.undo()
                return ["The parts of Exim's configuration in \(debian.folder) are as they were. Then: \(afterwards)"]
            }
            try blockFiles.undo()
            return ["\(blockFile) is as it was. Then: \(afterwards)"]
        }
    }

    // MARK: qmail

    private var runFiles: SetupFiles {
        SetupFiles(folder: SetupText.folder(of: runFile), names: [runFile.split(separator: "/").last.map(String.init) ?? runFile])
    }

    /// Only a run file in which tcpserver starts qmail-smtpd is replaced: any other does something that guardd can't know.
    private func applyRunFile(_ configuration: Configuration) throws(SetupError) -> [String] {
        try SetupText.checkProgram(configuration)
        let old = try SetupFiles.read(runFile)
        let wanted = Octets(SetupText.runFile(configuration).utf8)
        if old == wanted { return ["\(runFile) starts guardd already; nothing changed."] }
        let text = String(decoding: old, as: UTF8.self)
        guard text.contains("tcpserver"), text.contains("qmail-smtpd") else {
            throw SetupError("\(runFile) does not start qmail-smtpd by tcpserver; put in by hand what guardd setup qmail prints, or name the right one: --run-file")
        }
        _ = try runFiles.apply([wanted], expected: [old])
        return [
            "\(runFile) starts guardd. As it was: \(runFiles.store); guardd setup qmail --undo takes it back.",
            "What tcpserver's rules (/etc/tcp.smtp) and variables said belongs into guardd.toml: docs/positions.md. Then: svc -t \(runFiles.folder)",
        ]
    }

    // MARK: Exim, sendmail

    private var blockFile: String { file ?? (server == .exim ? "/etc/exim4/exim4.conf" : "/etc/mail/sendmail.mc") }

    private var blockFiles: SetupFiles {
        SetupFiles(folder: SetupText.folder(of: blockFile), names: [blockFile.split(separator: "/").last.map(String.init) ?? blockFile])
    }

    private var afterwards: String {
        server == .exim ? (debian == nil ? "exim4 -bV" : "update-exim4.conf") + ", restart Exim" : "make sendmail.cf of it (Debian: sendmailconfig), restart sendmail"
    }

    private func applyBlock(_ configuration: Configuration) throws(SetupError) -> [String] {
        let lines = try blockLines(configuration)
        // A comment, the lines for the file, an empty line, what is to be done elsewhere.
        let wanted = Array(lines.drop { $0.hasPrefix("#") }.prefix { !$0.isEmpty })
        let rest = Array(lines.drop { !$0.isEmpty }.dropFirst())
        let old = try SetupFiles.read(blockFile)
        let block = SetupBlock(path: blockFile, wanted: wanted)
        let new = server == .exim ? try block.exim(old) : try block.sendmail(old)
        guard try blockFiles.apply([new], expected: [old]) else { return ["\(blockFile) has all lines for --position \(position.rawValue) already; nothing changed."] + rest }
        return wanted + [
            "Written into \(blockFile). As it was: \(blockFiles.store); guardd setup \(server.rawValue) --undo takes it back.", "Then: \(afterwards).",
        ] + (rest.isEmpty ? [] : [""] + rest)
    }

    /// In front of Exim the other ports of its configuration, if that can be read, stay open.
    private func blockLines(_ configuration: Configuration) throws(SetupError) -> [String] {
        guard server == .exim, position == .front, ConfigurationSystem.exists(blockFile) else { return try SetupText.lines(server, position, configuration, run: runFile) }
        return try SetupText.exim(position, configuration, keeping: try SetupBlock.eximPorts(of: try SetupFiles.read(blockFile), path: blockFile))
    }

    // MARK: Debian's Exim

    private var debian: DebianExim? { server == .exim ? DebianExim.meant(by: file) : nil }

    private func lines(_ debian: DebianExim, _ configuration: Configuration) throws(SetupError) -> [String] {
        var head: [String] = []
        let present: DebianExim.Facts
        do throws(SetupError) {
            present = try debian.facts()
        } catch {
            present = DebianExim.Facts(isSplit: try debian.isSplit())
            head = ["# Exim could not be asked what it has (\(error)): these are the lines for one as Debian installs it."]
        }
        let plan = try DebianEximPlan(position, configuration, present)
        guard !plan.lines.isEmpty else { return head + ["# Exim has all its lines for --position \(position.rawValue) already."] }
        return head + ["# \(debian.folder)/\(plan.name), at its end"] + plan.lines.dropFirst() + [""] + plan.notes + Self.comments(["Then: \(afterwards)."])
    }

    private func apply(_ debian: DebianExim, _ configuration: Configuration) throws(SetupError) -> [String] {
        let plan = try DebianEximPlan(position, configuration, try debian.facts())
        guard try debian.apply(plan) else { return ["Exim has all its lines for --position \(position.rawValue) already; nothing changed."] + plan.notes }
        return plan.lines.dropFirst() + [
            "Written to the end of \(debian.folder)/\(plan.name). As it was: \(debian.files.store); guardd setup exim --undo takes it back.", "Then: \(afterwards).", "",
        ] + plan.notes
    }

    private static func comments(_ texts: [String]) -> [String] { texts.isEmpty ? [] : [""] + texts.map { "# \($0)" } }
}
