// The command line of guardd. Everything it does is in the library; this target only names the commands.

import ArgumentParser
import BackscatterGuard
import Glibc

/// Where the process begins: a hook is served first, because it is started for every mail.
@main
enum EntryPoint {
    nonisolated static func main() {
        if let status = HookProgram.run(arguments) { exit(status) }
        Guardd.main()
    }

    /// As octets: an address need not be UTF-8.
    private static var arguments: [[UInt8]] {
        (0..<Int(CommandLine.argc)).map { index in
            guard let argument = unsafe CommandLine.unsafeArgv[index] else { return [] }
            return unsafe Array(UnsafeBufferPointer(start: argument, count: strlen(argument))).map { UInt8(bitPattern: $0) }
        }
    }
}

struct Guardd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guardd",
        abstract: "Refuses forged bounces in front of a mail server.",
        version: GuarddVersion.text,
        subcommands: [
            Run.self, Check.self, Record.self, Import.self, Sent.self, Status.self, Events.self, Top.self, Inspect.self,
            DoctorCommand.self, SelftestCommand.self, Setup.self, DemoCommand.self, QmailRemoteHelp.self, QmailQueueHelp.self,
        ]
    )
}
