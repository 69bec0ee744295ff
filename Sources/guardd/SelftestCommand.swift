// guardd selftest: tries the way out and the way in of a running installation.

import ArgumentParser
import BackscatterGuard

struct SelftestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Sends a mail out, plays a genuine and a forged bounce of it, and says whether both got what they should.",
        discussion: """
            The probe goes the way that mail goes here: through guardd's outbound listener, else by sendmail(1), or by --via. The \
            bounces come in at guardd's inbound listener, or at the mail server that asks guardd's milter, 127.0.0.1:25, or --mx. \
            What arrives says "safe to delete"; the sent log forgets the probe. Run it as root or as guardd's user. Exit status 1: \
            something was not as it must be; 64, 75, 78: there was nothing to test.
            """
    )

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("Where the probe goes (default: to its sender).", valueName: "address"))
    var to: String?

    @Option(help: ArgumentHelp("Who sends it and gets the bounces (default: --to if protected, else guardd-selftest@ the first protected domain).", valueName: "address"))
    var from: String?

    @Option(help: ArgumentHelp("Hand the probe to this mail server.", valueName: "host:port"))
    var via: String?

    @Option(help: ArgumentHelp("Hand the probe to this sendmail(1).", valueName: "path"))
    var sendmail: String?

    @Option(help: ArgumentHelp("Play the bounces to this mail server.", valueName: "host:port"))
    var mx: String?

    @Option(help: ArgumentHelp("Wait here for the probe with the built-in sink; the mail server must send it there.", valueName: "addr:port"))
    var sink: String?

    @Option(help: ArgumentHelp("How long it may take until the probe is recorded, and at the sink.", valueName: "seconds"))
    var wait = 30

    func run() throws {
        let configuration = try options.loadConfiguration()
        var settings = SelftestSettings()
        (settings.to, settings.from, settings.via, settings.mx, settings.sink, settings.sendmail) = (to, from, via, mx, sink, sendmail)
        settings.wait = max(1, min(wait, 3_600))
        let test: Selftest
        do throws(SelftestFault) { test = try Selftest(configuration, settings) { say($0.line) } } catch {
            complain("error: \(error.text)")
            throw ExitCode(error.exitStatus)
        }
        say(test.title)
        let isGood = test.run()
        say(isGood ? "Both bounces got what they should." : "Something was not as it must be.")
        if !isGood { throw ExitCode(1) }
    }
}
