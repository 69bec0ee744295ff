// guardd inspect: what guardd reads from a message, and what it would decide.

import ArgumentParser
import BackscatterGuard
import Glibc

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what guardd reads from a message and what it would decide.",
        discussion: """
            Every message is taken for a notification to a protected recipient. Without --state-dir and --config no sent log is \
            asked, and an id that would have to be looked up is not_covered. With one the log is asked, also while the daemon runs: \
            with --config the one that the configuration names, which may be one that machines share. \
            Exit status 66: a file could not be read (the others are shown), 78: the sent log can't be opened.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: ArgumentHelp("Ask the sent log in this directory.", valueName: "directory"))
    var stateDir: String?

    @Option(help: ArgumentHelp("Ask the sent log of this configuration file.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Whom the messages are for (default: X-Original-To, Envelope-To, Delivered-To or To).", valueName: "address"))
    var recipient: String?

    @Argument(help: "Files of one message each, or - for standard input.")
    var files: [String]

    func validate() throws {
        if stateDir != nil, config != nil { throw ValidationError("--state-dir and --config both name a log: leave one away") }
    }

    func run() throws {
        guard stateDir != nil || config != nil else { return try inspect(Inspector(lookup: nil, recipient: recipient, now: SentLogOptions.now())) }
        let place = try SentLogOptions.parse((stateDir.map { ["--state-dir", $0] } ?? []) + (config.map { ["--config", $0] } ?? [])).place()
        // Opening makes what is missing; asking must not.
        let isThere = unsafe access(place.stateDirectory + "/sent.mdb", F_OK) == 0
        guard isThere || place.shared != nil else {
            complain("\(place.stateDirectory): no sent log here (sent.mdb): name the state_dir of the configuration")
            throw ExitCode(ConfigurationError.exitStatus)
        }
        var outcome: Result<Void, any Error> = .success(())
        try place.withLog { log, now throws(SentLogError) in
            outcome = Result { try inspect(Inspector(lookup: { log.answer($0, at: now) }, recipient: recipient, now: now)) }
        }
        try outcome.get()
    }

    private func inspect(_ inspector: Inspector) throws {
        var isUnread = false
        for (index, file) in files.enumerated() {
            do throws(InspectionError) {
                let inspection = try inspector.inspect(file)
                print(json ? inspection.json : (index > 0 ? "\n" : "") + inspection.page)
            } catch {
                complain(error.description)
                isUnread = true
            }
        }
        if isUnread { throw ExitCode(InspectionError.exitStatus) }
    }
}
