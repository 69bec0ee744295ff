// guardd check: does or looks at what a start does before it serves, and leaves nothing behind.

import ArgumentParser
import BackscatterGuard
import Glibc

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether guardd would start with this configuration.",
        discussion: """
            For a start by the same user, with the same flags: configuration, certificates, user, state_dir, sockets and ports. Prints every fault with its \
            remedy, and exits as guardd run would: 78 for what has to be written otherwise, 71 for what the system refuses (a port that is taken). Nothing is \
            left behind. Ports that a running guardd has are not tested, nor what another user than this one may do, whether the key fits the sent log, and \
            whether mail server and Redis answer: guardd doctor looks at a whole installation.
            """
    )

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp(
        "Print the commented configuration file (toml), the reference page (markdown), guardd.toml(5) (man) or the page of metrics (metrics) and check nothing.", valueName: "form"))
    var printReference: ConfigurationReference?

    func run() throws {
        if let printReference { return print(printReference.text, terminator: "") }
        let configuration = try options.loadConfiguration()
        let prospect = StartProspect(configuration)
        var faults = prospect.faults
        var certificates: (certificates: [String], warnings: [String]) = ([], [])
        do {
            certificates = try configuration.checkCertificates(at: Int64(time(nil)))
        } catch {
            // They are read before the first port is bound.
            faults.insert(.configuration(error), at: 0)
        }
        for warning in certificates.warnings + prospect.warnings { RunOptions.complain("guardd: warning: \(warning)") }
        for line in faults.flatMap({ $0.description.split(separator: "\n") }) { RunOptions.complain("guardd: error: \(line)") }
        if let first = faults.first { throw ExitCode(first.exitStatus) }
        let listeners = configuration.listeners.map { "\($0.address) (\($0.direction.rawValue))" }.joined(separator: ", ")
        let upstreams = configuration.upstreams.map(\.text).joined(separator: ", ")
        print("\(configuration.file ?? "flags"): good: listens on \(listeners), upstream \(upstreams), identity \(configuration.upstreamIdentity.rawValue)")
        for warning in sharedLogWarnings(configuration) { RunOptions.complain("guardd: warning: \(warning)") }
        for certificate in certificates.certificates { print("certificate \(certificate)") }
    }
}

/// A shared log is looked at, but a server that does not answer is no reason not to start.
private func sharedLogWarnings(_ configuration: Configuration) -> [String] {
    guard let settings = try? configuration.sharedLogSettings() else { return [] }
    return settings.warnings()
}

extension ConfigurationReference: ExpressibleByArgument {}
