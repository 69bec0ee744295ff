// guardd status: how the running guardd is; without one, what its files say.

import ArgumentParser
import BackscatterGuard

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells how guardd is, for which domains forged bounces are refused, and what stands in the way.",
        discussion: """
            Asks the running guardd at its status socket; without an answer it tells what the files say. Exit status 0: all is well. 1: something stands \
            in the way or wants attention. 2: guardd does not run, or does not answer. 75, 78: the files can't be read, or the configuration is bad.
            """
    )

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("The status socket (default: status_socket of the configuration).", valueName: "path"))
    var socket: String?

    @Flag(help: "Print /status.json as it is (docs/status.md).")
    var json = false

    func run() throws {
        // With a socket named the configuration need not be readable: for monitoring.
        let configuration = socket == nil ? try options.loadConfiguration() : nil
        guard let path = socket ?? configuration?.statusPath else {
            guard let configuration else { return }
            return try tellFiles(configuration, otherwise: 1)
        }
        do throws(StatusClientError) {
            let (status, text) = try StatusClient(path: path).document(of: configuration)
            tell(status, text)
        } catch {
            RunOptions.complain("guardd: error: \(error.text)")
            guard let configuration, !json else { throw ExitCode(2) }
            if case .another = error { say("whether this one runs is not known; its files say:") } else { say("guardd does not run, or does not answer; its files say:") }
            try tellFiles(configuration, otherwise: 2)
            throw ExitCode(2)
        }
    }

    private func tell(_ status: StatusDocument, _ text: [UInt8]) {
        if json { say(String(decoding: text, as: UTF8.self)) } else { StatusScreen.lines(status).forEach { say($0) } }
        let code = StatusScreen.exitStatus(status)
        if code != 0 { Self.exit(withError: ExitCode(code)) }
    }

    private func tellFiles(_ configuration: Configuration, otherwise code: Int32) throws {
        let policy = try options.loadPolicy(configuration)
        let (isCovered, coverage) = try options.place(configuration).withLog { log, now throws(SentLogError) in
            (log.answer(Inquiry(ids: []), at: now).isCovered, try log.coverageText(at: now))
        }
        let report = StatusReport(policy, isCovered: isCovered, blocks: EnforcementBlocks(stateDirectory: configuration.stateDirectory))
        let sources = SourceReports.lines(stateDirectory: configuration.stateDirectory, at: SentLogOptions.now())
        for line in report.lines + coverage + sources { say(line) }
        if !report.isEnforced { throw ExitCode(code) }
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
