// guardd sent …: the administrator's view of the sent log. All work while the daemon runs.

import ArgumentParser
import BackscatterGuard
import Glibc

struct Sent: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks into the sent log and tends it.",
        subcommands: [Lookup.self, Stats.self, Cover.self, Uncover.self, Prune.self, Retire.self]
    )

    struct Lookup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tells whether Message-IDs were sent. Exit status 1 when one was not."
        )

        @OptionGroup var log: SentLogOptions

        @Option(help: ArgumentHelp("Tell also whether it left under this address or domain.", valueName: "address"))
        var from: String?

        @Argument(help: "Message-IDs, with or without <>.")
        var ids: [String]

        func run() throws {
            let wanted = try ids.map { text in
                guard let id = MessageID(Array(text.utf8)) else { throw ValidationError("\(text): not a Message-ID") }
                return id
            }
            let areAllKnown = try log.withLog { log, now throws(SentLogError) in
                var areAllKnown = true
                for id in wanted {
                    let record = try log.lookup(id, at: now)
                    say(SentReport.lookup(id, record, sender: from))
                    areAllKnown = areAllKnown && record != nil
                }
                return areAllKnown
            }
            if !areAllKnown { throw ExitCode(1) }
        }
    }

    struct Stats: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows how much the log holds and since when it is complete."
        )

        @OptionGroup var log: SentLogOptions

        func run() throws {
            print(try log.withLog { log, now throws(SentLogError) in try log.statisticsText(at: now) })
            for line in EnforcementBlocks(stateDirectory: try log.place().stateDirectory).lines { print("enforcement: \(line)") }
            for line in SourceReports.lines(stateDirectory: try log.place().stateDirectory, at: SentLogOptions.now()) { print(line) }
        }
    }

    struct Cover: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "States that the log holds all outgoing mail since a time.",
            discussion: """
                Say so only when it is true (past mail was recorded, or none was sent): bounces of mail that left \
                unrecorded would be refused. TIME: 2026-11-22, 2026-11-22T05:23 (UTC), @seconds, or an age: 10d, 36h.
                """
        )

        @OptionGroup var log: SentLogOptions

        @Option(help: ArgumentHelp("Since when.", valueName: "time"))
        var since: String

        func run() throws {
            let clock = SentLogOptions.now()
            guard let time = UTC.time(since, now: clock), time <= clock else {
                throw ValidationError("--since \(since): not a time in the past (2026-11-22, 2026-11-22T05:23, @seconds, 10d, 36h)")
            }
            let lines = try log.withLog(begins: true) { log, now throws(SentLogError) in
                try log.cover(since: time, at: now)
                return try log.coverageText(at: now)
            }
            print(lines.joined(separator: "\n"))
        }
    }

    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drops the days that are older than the retention; the daemon does so by itself."
        )

        @OptionGroup var log: SentLogOptions

        func run() throws {
            let outcome = try log.withLog { log, now throws(SentLogError) in try log.expire(at: now) }
            switch outcome {
            case .expired(let time): print("nothing is kept from before \(UTC.text(time))")
            case .suspended(let time):
                complain("nothing expires before \(UTC.text(time)): the clock stepped by more than a day")
                throw ExitCode(75)
            }
        }
    }
}

extension Sent {
    struct Uncover: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes back what guardd sent cover and guardd import --covers stated.",
            discussion: """
                Nothing that was stated counts any more, so unknown ids are not refused. In a log of this machine nothing counts at all then; \
                a guardd that records by itself counts anew from its next start (or SIGUSR2). In a shared log what each machine vouches for by itself stays.
                """
        )

        @OptionGroup var log: SentLogOptions

        func run() throws {
            let lines = try log.withLog { log, now throws(SentLogError) in
                try log.uncover()
                return try log.coverageText(at: now)
            }
            print(lines.joined(separator: "\n"))
        }
    }

    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a machine that sends no more off the list of a shared log.",
            discussion: "Say so only when its mail stands in the log: from then on the others alone vouch for the log being complete. Exit status 1 when there is none of that name."
        )

        @OptionGroup var log: SentLogOptions

        @Argument(help: "The host name by which `guardd sent stats` lists it.")
        var name: String

        func run() throws {
            guard try log.withLog({ log, _ throws(SentLogError) in try log.retire(name) }) else {
                complain("no sender is called \(name)")
                throw ExitCode(1)
            }
        }
    }
}

/// What the commands have in common: where the log is, and how its faults end them.
struct SentLogOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Directory of the sent log.", valueName: "directory"))
    var stateDir = "/var/lib/guardd"

    @Option(help: ArgumentHelp("Take directory, times and shared log from this configuration file.", valueName: "file"))
    var config: String?

    static func now() -> Int64 { Int64(time(nil)) }

    func place() throws -> SentLogPlace {
        guard let config else { return SentLogPlace(stateDirectory: stateDir, shared: nil) }
        do {
            return try SentLogPlace(Configuration.load(file: config, overrides: ConfigurationOverrides()))
        } catch {
            for line in error.lines { complain("error: \(line)") }
            throw ExitCode(ConfigurationError.exitStatus)
        }
    }

    /// As `SentLogPlace.withLog`.
    func withLog<Value>(begins: Bool = false, _ body: (any SentLogDesk, Int64) throws(SentLogError) -> Value) throws -> Value {
        try place().withLog(begins: begins, body)
    }
}

/// Where a sent log is: in a directory, or shared by machines.
struct SentLogPlace {
    var stateDirectory: String
    var shared: SharedLogSettings?

    init(stateDirectory: String, shared: SharedLogSettings?) {
        self.stateDirectory = stateDirectory
        self.shared = shared
    }

    /// - Throws: ConfigurationError for the settings of a shared log.
    init(_ configuration: Configuration) throws(ConfigurationError) {
        self.init(stateDirectory: configuration.stateDirectory, shared: try configuration.sharedLogSettings())
    }

    /// Opens the log for one command and closes it again.
    ///
    /// - Parameter begins: begin a log where there is none.
    /// - Throws: ExitCode 78 for faults of files or settings, 75 for what may pass; the text goes to standard error.
    func withLog<Value>(begins: Bool = false, _ body: (any SentLogDesk, Int64) throws(SentLogError) -> Value) throws -> Value {
        let now = SentLogOptions.now()
        var settings = SentLogSettings(stateDirectory: stateDirectory)
        settings.setsTimes = false
        settings.beginsLog = begins
        do throws(SentLogError) {
            let log: any SentLogDesk
            if let shared {
                log = try RedisDesk(shared, begins: begins)
            } else {
                log = try LMDBSentLog(settings, at: now) { complain($0.text) }
            }
            defer { log.close() }
            return try body(log, now)
        } catch {
            complain(error.text)
            throw ExitCode(error.isOperatorFault ? 78 : 75)
        }
    }
}

/// One line on standard error.
@Sendable func complain(_ text: String) {
    writeLine("guardd: \(text)", to: 2)
}

/// One line on standard output, at once: whoever reads a pipe waits for it.
func say(_ text: String) {
    writeLine(text, to: 1)
}

private func writeLine(_ text: String, to descriptor: CInt) {
    let line = Array("\(text)\n".utf8)
    _ = unsafe write(descriptor, line, line.count)
}
