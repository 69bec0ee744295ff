// guardd status: what is refused now, and what stands in the way.

import ArgumentParser
import BackscatterGuard

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells for which domains forged bounces are refused, and what stands in the way.",
        discussion: "Exit status 0: for all that are not to be observed. 1: something stands in the way. 75, 78: it can't be told."
    )

    @OptionGroup var options: RunOptions

    func run() throws {
        let configuration = try options.loadConfiguration()
        let policy = try options.loadPolicy(configuration)
        let (isCovered, coverage) = try options.place(configuration).withLog { log, now throws(SentLogError) in
            (log.answer(Inquiry(ids: []), at: now).isCovered, try log.coverageText(at: now))
        }
        let report = StatusReport(policy, isCovered: isCovered, blocks: EnforcementBlocks(stateDirectory: configuration.stateDirectory))
        let sources = SourceReports.lines(stateDirectory: configuration.stateDirectory, at: SentLogOptions.now())
        for line in report.lines + coverage + sources { say(line) }
        if !report.isEnforced { throw ExitCode(1) }
    }
}

extension RunOptions {
    /// The log of a configuration and the flags over it.
    ///
    /// - Throws: ExitCode 78 when the settings of a shared log are no good; the text goes to standard error.
    func place(_ configuration: Configuration) throws -> SentLogPlace {
        do {
            return try SentLogPlace(configuration)
        } catch {
            for line in error.lines { RunOptions.complain("guardd: error: \(line)") }
            throw ExitCode(ConfigurationError.exitStatus)
        }
    }

    /// - Throws: ExitCode 78 when the file of protected domains can't be read; the text goes to standard error.
    func loadPolicy(_ configuration: Configuration) throws -> Policy {
        do {
            return try configuration.makePolicy()
        } catch {
            for line in error.lines { RunOptions.complain("guardd: error: \(line)") }
            throw ExitCode(ConfigurationError.exitStatus)
        }
    }
}
