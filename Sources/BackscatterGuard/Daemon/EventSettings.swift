// Where the event store keeps its files, and how much.

/// Of the event store. Nothing is written where `days` or `size` is 0.
struct EventSettings: Sendable, Equatable {
    /// `state_dir/events`
    var folder: String
    /// Octets of all files together.
    var size: Int
    /// Seconds that an event is kept.
    var retention: Int64

    var isKept: Bool { size > 0 && retention > 0 }
    /// Octets after which a new file is begun: so that the oldest can go without much being lost.
    var segmentSize: Int { max(16 << 10, min(8 << 20, size / 16)) }
    /// Seconds after which a new file is begun.
    var segmentAge: Int64 { max(60, min(Day.seconds, retention / 8)) }
}
