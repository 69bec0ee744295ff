// guardd check: does what a start does before it listens, and no more.

import ArgumentParser
import BackscatterGuard
import Glibc

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether guardd would start with this configuration.",
        discussion: "Prints every fault with its file, key path and remedy, and exits with status 78 if there is one."
    )

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp(
        "Print the commented configuration file (toml), the reference page (markdown), guardd.toml(5) (man) or the page of metrics (metrics) and check nothing.", valueName: "form"))
    var printReference: ConfigurationReference?

    func run() throws {
        if let printReference { return print(printReference.text, terminator: "") }
        let configuration = try options.loadConfiguration()
        let certificates: (certificates: [String], warnings: [String])
        let doubts: [String]
        do {
            doubts = try configuration.checkAccounts()
            certificates = try configuration.checkCertificates(at: Int64(time(nil)))
        } catch {
            for line in error.lines { RunOptions.complain("guardd: error: \(line)") }
            throw ExitCode(ConfigurationError.exitStatus)
        }
        for warning in certificates.warnings + doubts { RunOptions.complain("guardd: warning: \(warning)") }
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
