// guardd record: for MTA hooks, scripts, and the first filling of the log. Works while the daemon runs.

import ArgumentParser
import BackscatterGuard
import Glibc

struct Record: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Records outgoing mail in the sent log.",
        discussion: """
            Each argument is a Message-ID (with or without <>), an .eml file, an mbox or a Maildir. Without arguments, or \
            with -, lines are read from standard input: id TAB reverse-path TAB forward-paths,comma-separated TAB bound; the last \
            three may be missing. Users who may not open the log record through the daemon's control socket. Returns when all of it is on disk. Exit status 65 when something could not be read \
            (the rest is recorded), 75 when the log can't record now, 78 when it can't be opened.
            """
    )

    @OptionGroup var log: SentLogOptions

    @Option(help: ArgumentHelp(
        "Record through the daemon's control socket here; without it: through that of the hooks' settings, if the log is not this user's.",
        valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("Reverse-path of what the arguments name.", valueName: "address"))
    var from = ""

    @Option(help: ArgumentHelp("Forward-paths of what the arguments name, separated by commas.", valueName: "addresses"))
    var to = ""

    @Flag(help: "A stranger chose the ids, and a list or a rule sent the mail on under --from: they count for bounces to exactly that address.")
    var bound = false

    @Flag(help: "Print how many entries are on disk, a line each time that it is more: for programs that write lines and wait.")
    var acknowledge = false

    @Argument(help: "Message-IDs, .eml files, mboxes, Maildirs, or - for standard input.")
    var mail: [String] = []

    func validate() throws {
        if bound, !from.contains("@") { throw ValidationError("--bound needs the address that the ids count for: --from") }
    }

    func run() throws {
        let refused: Int
        if let socket = try socket ?? Record.socket(insteadOf: log.stateDir) {
            do throws(SentLogError) {
                refused = try record(with: SentRecorder(controlSocket: socket, complain: complain, acknowledge: tell))
            } catch {
                complain(error.text)
                throw ExitCode(75)
            }
        } else {
            refused = try log.withLog(begins: true) { log, now throws(SentLogError) in
                try record(with: SentRecorder(log, at: now, complain: complain, acknowledge: tell))
            }
        }
        if refused > 0 { throw ExitCode(65) }
    }

    private func tell(_ count: Int) {
        if acknowledge { say("\(count)") }
    }

    /// - Returns: how many inputs could not be read.
    private func record(with recorder: SentRecorder) throws(SentLogError) -> Int {
        var recorder = recorder
        var like = SentEntry(ids: [], reversePath: Array(from.utf8), forwardPaths: to.split(separator: ",").map { Array($0.utf8) })
        like.isBound = bound
        for argument in mail.isEmpty ? ["-"] : mail {
            if argument == "-" {
                try recorder.record(linesFrom: 0)
            } else {
                try recorder.record(argument: argument, like: like)
            }
        }
        try recorder.flush()
        return recorder.refused
    }

    /// The hooks' socket, when there is a log that this user may not read.
    private static func socket(insteadOf stateDir: String) throws -> String? {
        guard unsafe access(stateDir + "/sent.key", R_OK) != 0, errno == EACCES else { return nil }
        do throws(HookSettings.Fault) {
            return try HookSettings.ofProcess().controlSocket
        } catch {
            complain(error.text)
            throw ExitCode(78)
        }
    }
}
