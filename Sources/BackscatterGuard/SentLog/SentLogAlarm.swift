// What the sent log mended or stopped by itself, and the operator has to hear of.

/// Something about the log that needs attention though work goes on. `text` is one line.
public enum SentLogAlarm: Sendable, Equatable {
    /// A damaged file was moved aside and a new one begun; coverage starts anew.
    case movedAside(file: String, to: String, reason: String)
    /// The file was removed or replaced while it was in use; a new one was begun; coverage starts anew.
    case lost(file: String)
    /// The file was opened again because LMDB refused to go on with it; nothing is lost.
    case reopened(file: String, reason: String)
    /// The clock is `by` seconds from the newest time in the log (negative: behind). Nothing expires before `until`.
    case clockStepped(by: Int64, until: Int64)
    /// The hole could not be written to the log yet; it is kept in memory and in a file of its own.
    case holePending(since: Int64, reason: String)

    public var text: String {
        switch self {
        case .movedAside(let file, let to, let reason):
            "sent log \(file) was damaged (\(reason)) and moved to \(to); a new one is begun and coverage starts anew"
        case .lost(let file):
            "sent log \(file) was removed or replaced while in use; coverage starts anew"
        case .reopened(let file, let reason):
            "sent log \(file) was opened again (\(reason))"
        case .clockStepped(let by, let until):
            "clock is \(by.magnitude) s \(by < 0 ? "behind" : "after") the newest time in the sent log: nothing expires before \(UTC.text(until))"
        case .holePending(let since, let reason):
            "the hole in coverage since \(UTC.text(since)) is not in the sent log yet: \(reason)"
        }
    }
}
