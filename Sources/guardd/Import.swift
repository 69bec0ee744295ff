// guardd import: past days from logs and mailboxes. Works while the daemon runs.

import ArgumentParser
import BackscatterGuard
import Glibc

extension ImportFormat: ExpressibleByArgument {}

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fills the sent log with past days, out of logs of mail servers and out of mailboxes.",
        discussion: """
            Logs of Postfix, Exim and sendmail and mboxes, plain or .gz, and Maildirs of sent mail, also while they are in use. Run it as the user that guardd \
            runs as. Who is one of us is read from the configuration: protected_domains, outgoing_networks, and the [[source]] of \
            the same format. What is imported twice changes nothing. Exit status 65 when a file could not be read (the others \
            are imported), 78 when the configuration or the log needs mending.
            """
    )

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("postfix, exim, sendmail, mbox, maildir; auto: by what stands in it.", valueName: "format"))
    var format = ImportFormat.auto

    @Flag(help: "State that the imported logs tell of all mail that left between their first and their last line.")
    var covers = false

    @Argument(help: "Logs and mboxes, .gz too, and Maildirs.")
    var files: [String]

    func run() throws {
        let configuration = try options.loadConfiguration()
        let policy = try options.loadPolicy(configuration)
        let log = try options.place(configuration)
        let refused = try log.withLog(begins: true) { log, now throws(SentLogError) in
            var report = try ImportReport(configuration, policy, log, at: now)
            var refused = 0
            for file in files {
                do throws(SentLogError) {
                    for line in try report.read(file, as: format) { say(line) }
                } catch {
                    guard error.isOfInput else { throw error }
                    complain(error.text)
                    refused += 1
                }
            }
            if report.unread > 0 { complain("\(report.unread) files of mailboxes could not be read: the ids in them are not in the log") }
            refused += report.unread
            for line in try report.conclude(covers: covers, isWhole: refused == 0) { say(line) }
            return refused
        }
        if refused > 0 {
            if covers { complain("--covers: nothing is stated, because a file could not be read") }
            throw ExitCode(65)
        }
    }
}
