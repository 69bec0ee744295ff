// guardd setup: what the mail server needs for guardd's place in the mail path.

import ArgumentParser
import BackscatterGuard

extension SetupServer: ExpressibleByArgument {}
extension SetupPosition: ExpressibleByArgument {}

struct Setup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the lines that the mail server needs, or writes them.",
        discussion: """
            From the present configuration and, for Postfix, from what Postfix does at present. --apply writes Postfix's main.cf and \
            master.cf, qmail's run file, Exim's configuration or sendmail.mc, and keeps what was there in the folder guardd-setup beside them; --undo \
            puts that back, unless the files were changed since. Nothing is reloaded or started. Exit status 1: it can't be done, nothing was changed.
            """
    )

    @Argument(help: "The mail server.")
    var server: SetupServer

    @Option(help: ArgumentHelp("front, before-queue, milter or log (default: what the configuration is made for).", valueName: "position"))
    var position: SetupPosition?

    @Option(help: ArgumentHelp("Configuration file of guardd (default: \(Configuration.standardFile)).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Postfix's configuration directory.", valueName: "directory"))
    var configDirectory = "/etc/postfix"

    @Option(name: .long, parsing: .singleValue, help: ArgumentHelp(
        "A service of master.cf that takes mail from outside, if it can't be told by its port; may be repeated.", valueName: "name/type"))
    var service: [String] = []

    @Option(help: ArgumentHelp("qmail: the run file of the service on port 25.", valueName: "file"))
    var runFile = "/service/smtpd/run"

    @Option(help: ArgumentHelp("Exim, sendmail: the file to write into (default: /etc/exim4/exim4.conf, or else Debian's parts of it; /etc/mail/sendmail.mc).", valueName: "file"))
    var file: String?

    @Flag(help: "Write the lines.")
    var apply = false

    @Flag(help: "Take back what --apply wrote.")
    var undo = false

    func validate() throws {
        if apply, undo { throw ValidationError("--apply and --undo: only one of them") }
    }

    func run() throws {
        do {
            for line in try work() { print(line) }
        } catch let error as SetupError {
            RunOptions.complain("guardd: error: \(error)")
            throw ExitCode(1)
        }
    }

    private func work() throws -> [String] {
        var setup = MailServerSetup(server, position ?? .front)
        (setup.folder, setup.services, setup.runFile, setup.file) = (configDirectory, service, runFile, file)
        if undo { return try setup.undo() }
        let configuration = try RunOptions.parse(config.map { ["--config", $0] } ?? []).loadConfiguration()
        if position == nil { setup.position = .suggested(by: configuration) }
        return try apply ? setup.apply(configuration) : setup.lines(configuration)
    }
}
