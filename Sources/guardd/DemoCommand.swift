// guardd demo: shows what guardd does, on this machine alone.

import ArgumentParser
import BackscatterGuard
import Glibc

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Shows guardd at work: a mail, its bounce, forged bounces.",
        discussion: """
            Starts guardd on loopback in front of an embedded mail server, plays seven mails through it and prints what was \
            answered and why. Exit status 1: an answer was not what it must be.
            """
    )

    @Flag(help: "Stay up afterwards and say how to try it by hand.")
    var keep = false

    @Option(help: ArgumentHelp("Port of guardd on 127.0.0.1; 0 means a free one.", valueName: "n"))
    var port: UInt16 = 0

    func run() throws {
        let isGood: Bool
        do {
            isGood = try Demo(port: port, keeps: keep, say: Self.say).run()
        } catch {
            RunOptions.complain("guardd: error: \(error)")
            throw ExitCode((error as? ServerError)?.exitStatus ?? 71)
        }
        if !isGood { throw ExitCode(1) }
    }

    /// At once, also into a pipe.
    @Sendable private static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
