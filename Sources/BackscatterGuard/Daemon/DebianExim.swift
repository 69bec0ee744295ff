// Debian's Exim: update-exim4.conf makes its configuration of parts, and takes options from macros. What guardd needs goes
// into a part that is the site's own: the end of exim4.conf.localmacros where the configuration is unsplit, files in
// conf.d/main where it is split. What the site has chosen is asked of Exim itself, of the configuration as it would be made
// now, before and after. README.Debian of exim4-base, "Using Exim Macros to control the configuration"; 4.96-15+deb12u10.

import Foundation

/// Found by the folder of update-exim4.conf.conf.
struct DebianExim {
    static let folder = "/etc/exim4"
    private static let parts = ["update-exim4.conf.conf", "exim4.conf.template", unsplit]

    /// Read before all else.
    static let unsplit = "exim4.conf.localmacros"
    static let early = "conf.d/main/000_guardd"
    /// Behind what gives MAIN_LOG_SELECTOR its value (01), before what uses it (90).
    static let late = "conf.d/main/89_guardd"

    let folder: String
    /// How the daemon is started.
    var defaults = "/etc/default/exim4"

    var files: SetupFiles { SetupFiles(folder: folder, names: [DebianExim.unsplit, DebianExim.early, DebianExim.late]) }

    /// The one that is meant.
    ///
    /// - Parameter file: of `--file`; nil: what Exim itself would read, for which exim4.conf goes before.
    static func meant(by file: String?) -> DebianExim? {
        guard let file else {
            let isMade = !ConfigurationSystem.exists("\(folder)/exim4.conf") && ConfigurationSystem.exists("\(folder)/\(parts[0])")
            return isMade ? DebianExim(folder: folder) : nil
        }
        return parts.contains { file.hasSuffix("/" + $0) } ? DebianExim(folder: SetupText.folder(of: file)) : nil
    }

    /// What Exim would do with the parts as they are.
    struct Facts: Equatable {
        var isSplit: Bool
        /// Debian's own.
        var selector = EximLogSelector("+smtp_protocol_error +smtp_syntax_error +tls_certificate_verified +tls_peerdn")
        var interfaces = "<; ::0 ; 0.0.0.0"
        /// nil: this Exim has no such option.
        var proxy: String? = ""
        var ports = "smtp"
        /// `-oX` of the daemon's command line; nil: none.
        var listening: String?
    }

    /// `dc_use_split_config`: the last in the file counts, which is a shell's.
    func isSplit() throws(SetupError) -> Bool {
        let name = "dc_use_split_config="
        let lines = String(decoding: try files.octets(DebianExim.parts[0]), as: UTF8.self).split(separator: "\n")
        let value = lines.last { $0.hasPrefix(name) }?.dropFirst(name.utf8.count) ?? ""
        return value.filter { $0 != "'" && $0 != "\"" }.lowercased() == "true"
    }

    func facts() throws(SetupError) -> Facts {
        var facts = Facts(isSplit: try isSplit())
        let place = FileManager.default.temporaryDirectory.path + "/guardd-setup.\(UUID().uuidString)"
        guard unsafe mkdir(place, 0o700) == 0 else { throw SetupError("\(place) can't be made: \(systemReason())") }
        defer { try? FileManager.default.removeItem(atPath: place) }
        let made = place + "/exim.conf"
        _ = try SetupTool.run("update-exim4.conf", ["-d", folder, "-o", made])
        // -bP passes over faults of the log selector.
        _ = try SetupTool.run("exim4", ["-C", made, "-bV"])
        // What it says of the last one is its exit status; the first one it may not know.
        let said = try SetupTool.run("exim4", ["-C", made, "-bP", "hosts_proxy", "local_interfaces", "daemon_smtp_ports", "log_selector"])
        func value(_ name: String) -> String? {
            said.split(separator: "\n").first { $0.hasPrefix("\(name) =") }.map { $0.dropFirst(name.utf8.count + 2).trimmingCharacters(in: .whitespaces) }
        }
        facts.selector = EximLogSelector(value("log_selector") ?? "")
        (facts.interfaces, facts.ports) = (value("local_interfaces") ?? "", value("daemon_smtp_ports") ?? "")
        facts.proxy = value("hosts_proxy")
        facts.listening = try listening()
        return facts
    }

    /// What `-oX` says in SMTPLISTENEROPTIONS or COMMONOPTIONS of /etc/default/exim4.
    func listening() throws(SetupError) -> String? {
        guard ConfigurationSystem.exists(defaults) else { return nil }
        for line in String(decoding: try SetupFiles.read(defaults), as: UTF8.self).split(separator: "\n") {
            guard line.hasPrefix("SMTPLISTENEROPTIONS=") || line.hasPrefix("COMMONOPTIONS="), let option = line.firstRange(of: "-oX") else { continue }
            let rest = line[option.upperBound...].drop { $0 == " " }
            guard let quote = rest.first, quote == "'" || quote == "\"" else { return String(rest.prefix { $0 != " " && $0 != "'" && $0 != "\"" }) }
            return String(rest.dropFirst().prefix { $0 != quote })
        }
        return nil
    }

    /// Writes the lines, and asks Exim whether they mean what they should.
    ///
    /// - Returns: whether anything is different now.
    /// - Throws: with the files as they were.
    func apply(_ plan: DebianEximPlan) throws(SetupError) -> Bool {
        guard !plan.lines.isEmpty else { return false }
        var expected: [Octets?] = []
        for name in files.names { expected.append(try files.present(name)) }
        var contents = expected
        guard let index = files.names.firstIndex(of: plan.name) else { preconditionFailure("no file \(plan.name)") }
        contents[index] = DebianExim.ended(expected[index] ?? []) + Octets(plan.lines.map { $0 + "\n" }.joined().utf8)
        let kept = try files.state()
        guard try files.apply(contents, expected: expected) else { return false }
        do {
            try plan.check(try facts())
        } catch {
            try files.revert(to: expected, kept)
            throw SetupError("\(error); \(folder) is as before. Put in by hand what guardd setup exim --position \(plan.position.rawValue) prints: docs/setup.md")
        }
        return true
    }

    private static func ended(_ octets: Octets) -> Octets { octets.isEmpty || octets.last == ASCII.lf ? octets : octets + [ASCII.lf] }
}
