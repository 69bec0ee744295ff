// guardd run: serves in the foreground until SIGTERM.

import ArgumentParser
import BackscatterGuard

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stands in front of a mail server and refuses forged bounces.",
        discussion: """
            Runs in the foreground and logs to standard error. SIGTERM ends it when open transactions are done, SIGHUP reads \
            the configuration again, SIGUSR2 starts the program anew without a client that is turned away. Exit status 78: the configuration or the sent log needs mending.
            """
    )

    @OptionGroup var options: RunOptions

    func run() throws {
        let start: ServerStart
        do {
            start = try ServerStart.ofProcess()
        } catch {
            for line in error.lines { RunOptions.complain("guardd: error: \(line)") }
            throw ExitCode(ConfigurationError.exitStatus)
        }
        let configuration = try options.loadConfiguration()
        let (file, overrides) = (options.config, options.overrides)
        do throws(ServerError) {
            let server = try Server(configuration, start) { () throws(ConfigurationError) in try Configuration.load(file: file, overrides: overrides) }
            try server.run()
        } catch {
            for line in error.description.split(separator: "\n") { RunOptions.complain("guardd: error: \(line)") }
            throw ExitCode(error.exitStatus)
        }
    }
}
