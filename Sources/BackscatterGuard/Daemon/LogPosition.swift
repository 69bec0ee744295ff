// How far a log was followed, so that a new start goes on there. It is saved after the ids of the lines before it are
// durable: what was read twice because of that is recorded twice, which changes nothing.

/// The places up to which the files of one log have been read.
struct LogPosition: Sendable, Equatable {
    /// One file: which, how far, and what stood before that place, by which the file is known again if it was copied.
    struct Place: Sendable, Equatable {
        var device: UInt64
        var inode: UInt64
        /// Octets read; the end of a line.
        var offset: Int
        /// Octets before `offset` that `hash` is made of.
        var count: Int
        var hash: UInt64
        /// The file had been deleted while it was perhaps still written.
        var isNameless = false
    }

    /// Octets before a place that are remembered.
    static let memory = 256
    private static let headline = "guardd log position 1"

    /// In the order in which they were written; the last is the one under the log's own name.
    var places: [Place] = []
    /// When all that was written had been read; seconds since 1970.
    var caughtUp: Int64

    init(places: [Place], caughtUp: Int64) {
        self.places = places
        self.caughtUp = caughtUp
    }

    /// What `text` gives; nil for anything else.
    init?(_ text: String) {
        let lines = text.split(separator: "\n")
        guard lines.first.map(String.init) == LogPosition.headline, lines.count >= 2, lines[1].hasPrefix("time "), let time = Int64(lines[1].dropFirst(5)) else { return nil }
        caughtUp = time
        for line in lines.dropFirst(2) {
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count == 5 || numbers.count == 6 && numbers[5] == 1, let offset = Int(exactly: numbers[2]), let count = Int(exactly: numbers[3]), count <= LogPosition.memory, count <= offset
            else { return nil }
            places.append(Place(device: numbers[0], inode: numbers[1], offset: offset, count: count, hash: numbers[4], isNameless: numbers.count == 6))
        }
    }

    var text: String {
        var lines = [LogPosition.headline, "time \(caughtUp)"]
        lines += places.map { "\($0.device) \($0.inode) \($0.offset) \($0.count) \($0.hash)\($0.isNameless ? " 1" : "")" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// FNV-1a: tells files apart, defends nothing.
    static func hash(_ octets: some Sequence<UInt8>) -> UInt64 {
        octets.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
