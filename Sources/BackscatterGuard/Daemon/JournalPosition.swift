// How far the journal was followed, as LogPosition is for files: saved after the ids of the entries before it are durable.

/// Two places of the journal: the one that was reached, and one before it from where the mails under way are known again.
struct JournalPosition: Sendable, Equatable {
    private static let headline = "guardd journal position 1"

    /// Cursor of an entry.
    var from: String
    /// Cursor of the last entry that was read; what stands up to it was recorded.
    var known: String
    /// When that was written; seconds since 1970.
    var time: Int64
    /// Entries behind `from` up to `known`.
    var count: Int

    /// - Returns: nil, and nil for the time, for anything else than `text` gives.
    static func read(_ text: String) -> (position: JournalPosition, caughtUp: Int64)? {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        guard lines.count == 4, lines[0].joined(separator: " ") == headline, lines.dropFirst().allSatisfy({ $0.count >= 2 }) else { return nil }
        guard lines[1][0] == "time", let caughtUp = Int64(lines[1][1]), lines[2][0] == "from", lines[3][0] == "known", lines[3].count == 4 else { return nil }
        guard JournalMessage.isCursor(lines[2][1]), JournalMessage.isCursor(lines[3][1]), let time = Int64(lines[3][2]), let count = Int(lines[3][3]), count >= 0 else { return nil }
        return (JournalPosition(from: lines[2][1], known: lines[3][1], time: time, count: count), caughtUp)
    }

    func text(caughtUp: Int64) -> String {
        "\(JournalPosition.headline)\ntime \(caughtUp)\nfrom \(from)\nknown \(known) \(time) \(count)\n"
    }
}

/// Remembers which entry stood some way back.
struct JournalMarks: Sendable {
    /// Entries between two marks, and the marks kept: so many entries are read again after a stop, at most.
    static let step = 4_096
    static let kept = 24

    private var marks: [(cursor: String, count: Int)] = []
    private var count = 0

    /// - Parameter position: of an earlier run.
    mutating func pass(_ message: JournalMessage, after position: JournalPosition?) -> JournalPosition {
        if let position, marks.isEmpty { marks = [(position.from, 0)]; count = position.count }
        count += 1
        if marks.isEmpty || count >= (marks.last?.count ?? 0) + JournalMarks.step {
            marks.append((message.cursor, count))
            if marks.count > JournalMarks.kept { marks.removeFirst() }
        }
        let oldest = marks.first ?? (message.cursor, count)
        return JournalPosition(from: oldest.cursor, known: message.cursor, time: message.time, count: count - oldest.count)
    }
}
