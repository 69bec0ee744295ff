// The ids of mail that strangers brought. Such a mail may come by again as if it began here: sent on by a user's rule,
// by a mailing list, by a filter that calls sendmail. An id that a stranger chose must not count as sent by that.

/// Ids of strangers' mail, and the reverse-paths under which each came: a mail reaches a site by several ways, directly and
/// through lists. Bounded; the older half is dropped whole.
struct StrangerIDs: Sendable {
    enum Origin: Equatable {
        /// No stranger's mail had it.
        case none
        /// It came, but not with the reverse-path asked about.
        case other
        /// It came with the reverse-path asked about.
        case same
    }

    private struct Half: Sendable {
        var ids: Set<UInt64> = []
        /// Hashes of an id and a reverse-path together.
        var ways: Set<UInt64> = []
    }

    private let limit: Int
    private var newer = Half()
    private var older = Half()

    /// - Parameter limit: ways kept; 2 or more.
    init(limit: Int = 131_072) { self.limit = max(2, limit) }

    mutating func add(_ id: MessageID, from reversePath: Octets) {
        let way = StrangerIDs.way(id, reversePath)
        guard !newer.ways.contains(way) else { return }
        if newer.ways.count >= limit / 2 {
            older = newer
            newer = Half()
        }
        newer.ids.insert(StrangerIDs.hash(id.key))
        newer.ways.insert(way)
    }

    func origin(of id: MessageID, from reversePath: Octets) -> Origin {
        guard !newer.ids.isEmpty || !older.ids.isEmpty else { return .none }
        let name = StrangerIDs.hash(id.key)
        guard newer.ids.contains(name) || older.ids.contains(name) else { return .none }
        let way = StrangerIDs.way(id, reversePath)
        return newer.ways.contains(way) || older.ways.contains(way) ? .same : .other
    }

    private static func way(_ id: MessageID, _ reversePath: Octets) -> UInt64 { hash(ASCII.lowercased(reversePath) + [ASCII.nul] + id.key) }

    /// Seeded anew in each process: nobody outside can make two ids alike.
    private static func hash(_ octets: Octets) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(octets)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
