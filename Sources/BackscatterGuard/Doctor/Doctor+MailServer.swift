// Postfix on this machine, as far as its configuration tells: does it ask guardd's milter, and what does it do while guardd
// is not there? Only what `postconf` says is read; where there is none, nothing is said.

import Foundation

extension Doctor {
    private static let patience: Int64 = 4_000

    var mailServerFindings: [Finding] {
        let milters = configuration.listeners.filter { $0.kind == .milter }
        guard !milters.isEmpty, let postconf = program("postconf") else { return [] }
        do throws(ProbeFailure) {
            let main = try lines(of: [postconf, "-n"])
            let services = try lines(of: [postconf, "-P"])
            return findings(milters, PostfixParameters(main), PostfixParameters(services))
        } catch {
            return [Finding(.mailServer, .unseen, error.text, remedy: Doctor.askRoot)]
        }
    }

    func program(_ name: String) -> String? {
        system.programFolders.map { "\($0)/\(name)" }.first { ConfigurationSystem.problem(withProgram: $0) == nil }
    }

    /// What a program of the mail server says.
    func lines(of command: [String]) throws(ProbeFailure) -> [String] {
        let run = try ProgramRun.run(command, until: deadline.within(Doctor.patience))
        guard run.isGood else { throw ProbeFailure(text: "\(command.joined(separator: " ")) tells nothing") }
        return String(decoding: run.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func findings(_ milters: [Configuration.Listener], _ main: PostfixParameters, _ services: PostfixParameters) -> [Finding] {
        var findings: [Finding] = []
        for (parameter, mail) in [("smtpd_milters", "mail that comes by SMTP"), ("non_smtpd_milters", "mail of local programs")] {
            let values = main.values(parameter) + services.values(parameter)
            guard !milters.contains(where: { milter in values.contains { names($0, milter) } }) else {
                findings.append(Finding(.mailServer, .ok, "Postfix asks guardd about \(mail) (\(parameter))"))
                continue
            }
            findings.append(Finding(
                .mailServer, .warning, "Postfix does not ask guardd about \(mail): \(parameter) = \(values.first ?? "")",
                remedy: "postconf -e '\(parameter) = \(milters[0].postfixText)', then postfix reload (docs/milter.md)"))
        }
        let actions = main.values("milter_default_action") + services.values("milter_default_action")
        if actions.contains("accept") {
            findings.append(Finding(
                .mailServer, .warning, "milter_default_action = accept: while guardd is not there mail leaves unrecorded, and its bounces are refused later",
                remedy: "milter_default_action = tempfail, Postfix's own default"))
        }
        return findings
    }

    private func names(_ value: String, _ milter: Configuration.Listener) -> Bool {
        value.split { $0 == " " || $0 == "," || $0 == "{" || $0 == "}" }.contains { word in
            if let path = milter.path {
                guard word.hasPrefix("unix:") || word.hasPrefix("local:") else { return false }
                let place = word.drop { $0 != ":" }.dropFirst()
                // In a chroot Postfix's own word for it is relative to its queue.
                return place == path || !place.hasPrefix("/") && path.hasSuffix("/" + place)
            }
            let port = ":\(milter.address.port)"
            return word.hasPrefix("inet:") && word.hasSuffix(port)
        }
    }
}

extension Configuration.Listener {
    /// As Postfix writes it.
    fileprivate var postfixText: String { path.map { "unix:\($0)" } ?? "inet:\(reachable.text):\(address.port)" }
}

/// Lines of postconf(1): `name = value`, or `service/type/name = value`.
struct PostfixParameters {
    private let pairs: [(name: Substring, value: Substring)]

    init(_ lines: [String]) {
        pairs = lines.compactMap { line in
            let parts = line.split(separator: " = ", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].split(separator: " ").first ?? ""
            return (name, parts.count > 1 ? parts[1] : "")
        }
    }

    func values(_ name: String) -> [String] {
        pairs.filter { $0.name == name || $0.name.hasSuffix("/" + name) }.map { String($0.value).trimmingCharacters(in: .whitespaces) }
    }
}
