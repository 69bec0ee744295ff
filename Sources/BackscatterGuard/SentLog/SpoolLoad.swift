// What the files of one pass over the spool amount to.

struct SpoolLoad {
    private(set) var entries: [(entry: SentEntry, sent: Int64)] = []
    /// Times at which mail left unrecorded.
    private(set) var holes: [Int64] = []
    private(set) var alarms: [SpoolAlarm] = []
    /// Names of files to remove when all of this is durable.
    private(set) var read: [String] = []
    /// Names of files to move aside then.
    private(set) var bad: [String] = []

    /// - Parameter now: nothing was sent later than that.
    mutating func add(_ name: String, _ file: SpoolFile, at now: Int64) {
        switch file {
        case .items(let items):
            for item in items { add(item, at: now) }
            read.append(name)
        case .refused(let reason):
            alarms.append(.refused(file: name, reason: reason))
            bad.append(name)
        case .damaged(let kept, let since, let reason):
            for item in kept { add(item, at: now) }
            holes.append(min(since, now))
            alarms.append(.damaged(file: name, reason: reason))
            bad.append(name)
        case .gone: break
        }
    }

    private mutating func add(_ item: SpoolItem, at now: Int64) {
        let time = min(item.time, now)
        switch item.kind {
        case .unrecorded:
            holes.append(time)
            alarms.append(.unrecorded(at: time))
        case .record(let line):
            // A line that can't be read is none that a hook writes; the checksum says that it came so.
            if case .entry(let entry) = RecordLine.read(line) { entries.append((entry, time)) }
        }
    }
}
