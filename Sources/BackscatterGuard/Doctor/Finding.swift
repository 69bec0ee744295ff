// One thing that `guardd doctor` has looked at, and what to do about it.

/// What was found at one place.
public struct Finding: Sendable, Equatable {
    /// How much it matters; also the order of their weight.
    public enum Level: String, Sendable, CaseIterable, Comparable {
        /// It could not be looked at, for want of rights or of time.
        case unseen
        case ok
        /// guardd works, but not as well as it could, or not for ever.
        case warning
        /// Mail suffers, or nothing is refused that should be.
        case error

        public static func < (left: Level, right: Level) -> Bool { left.weight < right.weight }
        private var weight: Int { Level.allCases.firstIndex(of: self) ?? 0 }
    }

    /// What it belongs to, in the order in which it is told.
    public enum Section: String, Sendable, CaseIterable {
        case configuration, ports, certificates, upstream
        case mailServer = "mail server"
        case sources
        case sentLog = "sent log"
        case clock, files, limits
    }

    public var section: Section
    public var level: Level
    /// What was looked at and what was seen there. One line, washed.
    public var what: String
    /// What to do, one line; empty when nothing is.
    public var remedy: String

    init(_ section: Section, _ level: Level, _ what: String, remedy: String = "") {
        self.section = section
        self.level = level
        self.what = what
        self.remedy = remedy
    }

    /// A line as the rest of guardd writes them: the fact, then behind a semicolon what to do.
    init(_ section: Section, _ level: Level, line: String) {
        let parts = line.split(separator: "; ", maxSplits: 1)
        self.init(section, level, parts.first.map(String.init) ?? line, remedy: parts.count > 1 ? String(parts[1]) : "")
    }
}
