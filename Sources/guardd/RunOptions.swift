// The flags that say how guardd is to run, shared by the commands that read a configuration. They alone suffice; where a
// file is read as well they win.

import ArgumentParser
import BackscatterGuard
import Glibc

/// Configuration file and flags of `guardd run` and `guardd check`.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp(
        "Configuration file (default: \(Configuration.standardFile), if neither --listen nor --upstream is given).",
        valueName: "file"))
    var config: String?

    @Option(name: .long, parsing: .singleValue, help: ArgumentHelp("Listen here; may be repeated.", valueName: "addr:port"))
    var listen: [String] = []

    @Option(name: .long, parsing: .singleValue, help: ArgumentHelp(
        "The mail server behind: addr:port, name:port or unix:/path. Repeated: the first that answers.", valueName: "addr:port"))
    var upstream: [String] = []

    @Option(help: ArgumentHelp("How the upstream learns the true client: proxy-v2, proxy-v1, xclient or none.", valueName: "kind"))
    var upstreamIdentity: String?

    @Option(name: .long, parsing: .singleValue, help: ArgumentHelp("Judge bounces to this domain; may be repeated.", valueName: "domain"))
    var protect: [String] = []

    @Option(help: ArgumentHelp("Folder of the sent log.", valueName: "dir"))
    var stateDir: String?

    @Option(help: ArgumentHelp("enforce, or observe: judge and count, refuse nothing.", valueName: "mode"))
    var mode: String?

    @Option(help: ArgumentHelp("Started as root: become this user, once ports are bound and keys are read.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("Threads that carry sessions.", valueName: "n"))
    var workers: Int?

    @Option(name: .long, parsing: .singleValue, help: ArgumentHelp("Clients whose mail is outgoing; may be repeated.", valueName: "cidr"))
    var outgoingNetwork: [String] = []

    var overrides: ConfigurationOverrides {
        var overrides = ConfigurationOverrides()
        overrides.listen = listen
        overrides.upstream = upstream
        overrides.upstreamIdentity = upstreamIdentity
        overrides.protect = protect
        overrides.stateDirectory = stateDir
        overrides.mode = mode
        overrides.user = user
        overrides.workers = workers
        overrides.outgoingNetworks = outgoingNetwork
        return overrides
    }

    /// The configuration; its warnings go to standard error.
    ///
    /// - Throws: `ExitCode` 78 after its faults were written to standard error, one line each.
    func loadConfiguration() throws -> Configuration {
        do {
            let configuration = try Configuration.load(file: config, overrides: overrides)
            for warning in configuration.warnings { Self.complain("guardd: warning: \(warning)") }
            return configuration
        } catch {
            for line in error.lines { Self.complain("guardd: error: \(line)") }
            throw ExitCode(ConfigurationError.exitStatus)
        }
    }

    static func complain(_ line: String) {
        let octets = Array((line + "\n").utf8)
        _ = unsafe write(STDERR_FILENO, octets, octets.count)
    }
}
