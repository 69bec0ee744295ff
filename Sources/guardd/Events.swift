// guardd events: what was refused, and why. Reads the store's files, so it works while the daemon is down.

import ArgumentParser
import BackscatterGuard
import Glibc

extension EventFilter.Outcome: ExpressibleByArgument {}
extension Reason: ExpressibleByArgument {}

struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows which bounces were refused, would have been, or were let pass, and why.",
        discussion: """
            Reads state_dir/events, also while the daemon is down; run it as the user that guardd runs as. The newest events come last. \
            What came too often is told in one line with its count. Exit status 0: there are some, 1: none, 66: they can't be read, \
            78: the configuration needs mending.
            """
    )

    @OptionGroup var log: SentLogOptions

    @Option(help: ArgumentHelp("From then on: 2026-11-22, 2026-11-22T05:23 (UTC), @seconds, or an age: 36h, 10d.", valueName: "time"))
    var since = "24h"

    @Option(name: .long, parsing: .singleValue, help: ArgumentHelp("deliver, mark, defer, refuse, or would-refuse: let pass because nothing may be refused; may be repeated.", valueName: "verdict"))
    var verdict: [EventFilter.Outcome] = []

    @Option(name: .long, parsing: .singleValue, help: ArgumentHelp("Such as never_sent; may be repeated.", valueName: "reason"))
    var reason: [Reason] = []

    @Option(help: ArgumentHelp("To this recipient, or to any of this domain.", valueName: "address"))
    var to: String?

    @Option(help: ArgumentHelp("That returned this mail.", valueName: "message-id"))
    var msgid: String?

    @Option(help: ArgumentHelp("That this host brought.", valueName: "address"))
    var client: String?

    @Option(help: ArgumentHelp("The newest so many; 0: all.", valueName: "n"))
    var limit: UInt32 = 100

    @Flag(help: "One JSON object a line, as they are kept.")
    var json = false

    @Flag(help: "Go on with what comes, until interrupted.")
    var follow = false

    private func makeFilter() throws -> EventFilter {
        let now = SentLogOptions.now()
        guard let time = UTC.time(since, now: now) else {
            throw ValidationError("--since \(since): not a time (2026-11-22, 2026-11-22T05:23, @seconds, 36h, 10d)")
        }
        var filter = EventFilter()
        filter.since = time
        filter.outcomes = Set(verdict)
        filter.reasons = Set(reason)
        (filter.recipient, filter.messageID, filter.client) = (to, msgid, client)
        return filter
    }

    func run() throws {
        let filter = try makeFilter()
        var files = EventFiles(stateDirectory: try log.place().stateDirectory)
        if let fault = files.fault {
            complain(fault)
            throw ExitCode(66)
        }
        var found = 0
        var newest: [String] = []
        if !json, limit == 0 { say(VerdictEvent.heading) }
        files.read(since: filter.since) { event, line in
            guard filter.takes(event) else { return }
            found += 1
            if limit == 0 { return say(text(event, line)) }
            newest.append(text(event, line))
            if newest.count >= 2 * Int(limit) { newest.removeFirst(newest.count - Int(limit)) }
        }
        if !json, limit > 0, found > 0 || follow { say(VerdictEvent.heading) }
        for text in newest.suffix(Int(limit)) { say(text) }
        if files.damaged > 0 { complain("\(files.damaged) damaged lines were passed over") }
        if follow { goOn(&files, filter) }
        if found == 0 { throw ExitCode(1) }
    }

    private func text(_ event: VerdictEvent, _ line: [UInt8]) -> String { json ? String(decoding: line, as: UTF8.self) : event.row }

    /// Until the process is ended, or nobody reads.
    private func goOn(_ files: inout EventFiles, _ filter: EventFilter) {
        while true {
            usleep(500_000)
            files.read { event, line in
                if filter.takes(event) { say(text(event, line)) }
            }
        }
    }
}
