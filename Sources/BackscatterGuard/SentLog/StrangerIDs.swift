// The ids of mail that strangers brought. Such a mail may come by again as if it began here: sent on by a user's rule,
// by a mailing list, by a filter that calls sendmail. An id that a stranger chose must not count as sent by that.

/// Ids of strangers' mail, and the reverse-path under which each came. Bounded; the older half is dropped whole.
struct StrangerIDs: Sendable {
    enum Origin: Equatable {
        /// No stranger's mail had it.
        case none
        /// It came with one reverse-path, which is not the one asked about.
        case other
        /// It came with the reverse-path asked about, or with several.
        case same
    }

    /// Stands for several reverse-paths.
    private static let several: UInt64 = 0

    private let limit: Int
    private var newer: [UInt64: UInt64] = [:]
    private var older: [UInt64: UInt64] = [:]

    /// - Parameter limit: ids kept; 2 or more.
    init(limit: Int = 131_072) { self.limit = max(2, limit) }

    mutating func add(_ id: MessageID, from reversePath: Octets) {
        let name = StrangerIDs.hash(id.key)
        var path = StrangerIDs.hash(ASCII.lowercased(reversePath))
        if path == StrangerIDs.several { path = 1 }
        if let known = newer[name] ?? older[name], known != path { path = StrangerIDs.several }
        if newer.count >= limit / 2, newer[name] == nil {
            older = newer
            newer = [:]
        }
        newer[name] = path
    }

    func origin(of id: MessageID, from reversePath: Octets) -> Origin {
        guard !newer.isEmpty || !older.isEmpty else { return .none }
        let name = StrangerIDs.hash(id.key)
        guard let known = newer[name] ?? older[name] else { return .none }
        if known == StrangerIDs.several { return .same }
        var path = StrangerIDs.hash(ASCII.lowercased(reversePath))
        if path == StrangerIDs.several { path = 1 }
        return known == path ? .same : .other
    }

    /// Seeded anew in each process: nobody outside can make two ids alike.
    private static func hash(_ octets: Octets) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(octets)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
