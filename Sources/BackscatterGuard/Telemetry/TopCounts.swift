// Who comes most often, among any number of strangers, in bounded memory.

/// The most frequent of many names.
///
/// The space-saving algorithm (Metwally, Agrawal, El Abbadi 2005): when all places are taken, a new name takes the place of
/// the rarest and inherits its count as a possible error. A name that came more often than 1 / `places` of all is in it.
public struct TopCounts: Sendable {
    /// A name and how often it came: at least `count` - `error`, at most `count` times.
    public struct Entry: Sendable, Equatable {
        public var name: String
        public var count: Int
        public var error: Int
    }

    private struct Place {
        var count: Int
        var error: Int
    }

    private let places: Int
    private var counts: [String: Place] = [:]

    /// - Parameter places: names that are kept.
    init(places: Int = 128) { self.places = max(1, places) }

    /// - Complexity: O(`places`) for a name that is new when all places are taken, else O(1).
    mutating func add(_ name: String, _ count: Int = 1, error: Int = 0) {
        if let old = counts[name] {
            counts[name] = Place(count: old.count + count, error: old.error + error)
        } else if counts.count < places {
            counts[name] = Place(count: count, error: error)
        } else if let rarest = counts.min(by: { $0.value.count < $1.value.count }) {
            counts[rarest.key] = nil
            counts[name] = Place(count: rarest.value.count + count, error: rarest.value.count + error)
        }
    }

    /// The most frequent first; of equals by name.
    public func top(_ limit: Int) -> [Entry] {
        counts.map { Entry(name: $0.key, count: $0.value.count, error: $0.value.error) }
            .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
            .prefix(max(0, limit)).map(\.self)
    }

    /// Adds all of another.
    mutating func add(_ other: TopCounts) {
        for entry in other.top(.max) { add(entry.name, entry.count, error: entry.error) }
    }
}
