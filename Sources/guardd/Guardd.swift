// The command line of guardd. Everything it does is in the library; this target only names the commands.

import ArgumentParser
import BackscatterGuard

@main
struct Guardd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guardd",
        abstract: "Refuses forged bounces in front of a mail server.",
        subcommands: [Run.self, Check.self, Record.self, Import.self, Sent.self, Inspect.self, DemoCommand.self]
    )
}
