// Settings of the local sent log, with their defaults and limits.

/// Where the log lies and how long it remembers. Times in seconds.
public struct SentLogSettings: Sendable {
    /// Longest retention that the file's tables allow.
    public static let longestRetention: Int64 = 90 * Day.seconds

    /// Directory of the log and its key; made (mode 0700) when missing.
    public var stateDirectory: String
    /// How old a mail may be when its bounce comes: coverage must be complete that far back.
    public var bounceWindow: Int64
    /// How long records are kept; they go by whole days.
    public var retention: Int64
    /// The times above are what the log goes by from now on. Commands leave this off: they go by what the daemon set,
    /// or a `guardd record` with default times would drop days that the daemon keeps.
    public var setsTimes = true
    /// Begin a log where there is none. Off for commands that only look: a mistyped directory must not become a log.
    public var beginsLog = true
    /// Entries that may wait for the disk.
    public var queueLimit = 65_536
    /// Address space for the file, octets; no memory is taken. All processes that open a log must use the same.
    public var mapSize = 64 << 30
    /// Ids whose returns are counted at the same time.
    public var countedReturns = 65_536

    public init(stateDirectory: String, bounceWindow: Int64 = 10 * Day.seconds, retention: Int64 = 21 * Day.seconds) {
        self.stateDirectory = stateDirectory
        self.bounceWindow = bounceWindow
        self.retention = retention
    }

    /// What is wrong with the times, for people; nil when nothing is.
    public var fault: String? {
        guard setsTimes else { return nil }
        if bounceWindow < Day.seconds { return "bounce_window: must be a day at least" }
        if retention > SentLogSettings.longestRetention { return "retention: must be 90 days at most" }
        if retention < bounceWindow + 7 * Day.seconds { return "retention: must be bounce_window and 7 days at least" }
        return nil
    }

    var logFile: String { stateDirectory + "/sent.mdb" }
    var mapLockFile: String { stateDirectory + "/sent.mdb-lock" }
    var keyFile: String { stateDirectory + "/sent.key" }
    var guardFile: String { stateDirectory + "/sent.guard" }
}

/// The times that a log goes by; stored in it by the daemon.
struct SentTimes: Sendable, Equatable {
    let bounceWindow: Int64
    let retention: Int64

    init(_ settings: SentLogSettings) {
        bounceWindow = settings.bounceWindow
        retention = settings.retention
    }

    init?(octets: Octets) {
        var reader = IntegerReader(octets)
        guard let window = reader.next(Int64.self), let retention = reader.next(Int64.self) else { return nil }
        bounceWindow = window
        self.retention = retention
    }

    var octets: Octets {
        var octets = Octets()
        octets.appendInteger(bounceWindow)
        octets.appendInteger(retention)
        return octets
    }
}
