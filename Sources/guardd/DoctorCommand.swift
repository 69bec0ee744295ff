// guardd doctor: what is wrong with this installation, and what to do about it.

import ArgumentParser
import BackscatterGuard

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at everything that guardd needs, and says what is wrong and what to do.",
        discussion: """
            Configuration, ports, certificates, the mail server behind and whether it sees the true clients, sources, the sent log, \
            clock, files, limits. It changes nothing and sends no mail. As root it sees most. Takes 15 seconds at most. \
            Exit status as monitoring plugins have it: 0 all is well, 1 warnings, 2 errors.
            """
    )

    @OptionGroup var options: RunOptions

    @Flag(help: "One JSON object.")
    var json = false

    func run() throws {
        let report = Doctor.examine(file: options.config, overrides: options.overrides)
        say(json ? report.json : report.text)
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }
}
