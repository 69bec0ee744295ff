// The three readers behind one face, and what they share: who sent a mail, and which of its ids may count as sent.

/// Reads the messages of one MTA's log, in their order; tells mails that left.
protocol MTALogReader: Sendable {
    /// The next message.
    ///
    /// - Parameters:
    ///   - text: without what syslog puts before it; without its line end. Any octets, any length.
    ///   - program: as in LogLine; empty where the MTA writes its own file without one.
    ///   - time: by the line's stamp, seconds since 1970.
    mutating func read(_ text: Span<UInt8>, program: Span<UInt8>, process: Int, at time: Int64)

    /// What was found since the last call, in order.
    mutating func take() -> [LoggedMail]

    var counts: LogCounts { get }
}

/// Where a mail began, as far as the log has told.
enum MailOrigin: Sendable, Equatable {
    case unknown
    /// With a user's name and password.
    case authenticated
    /// By a program on this machine, or by a client of our networks.
    case local
    case stranger
    /// Made of a stranger's mail that came with this reverse-path: forwarded, or given back by a filter.
    case from(Octets)
}

/// Decides which ids of a mail count as sent, and keeps what decides it.
struct SentRule: Sendable {
    let site: LogSite
    private var strangers = StrangerIDs()
    private(set) var found: [LoggedMail] = []
    var counts = LogCounts()

    init(_ site: LogSite) { self.site = site }

    mutating func take() -> [LoggedMail] {
        guard !found.isEmpty else { return [] }
        defer { found = [] }
        return found
    }

    /// All is known of some ids of a mail.
    ///
    /// - Parameters:
    ///   - entry: ids, reverse-path and number of recipients; what counts of it is told.
    mutating func settle(_ entry: SentEntry, origin: MailOrigin, at time: Int64) {
        switch origin {
        case .unknown: return
        case .stranger: return keep(entry)
        case .from(let before): return sentOn(entry, before, time)
        case .authenticated, .local: break
        }
        guard !entry.reversePath.isEmpty else { return counts.nullPaths += 1 }
        guard origin == .authenticated || site.isOwnAddress(entry.reversePath) else {
            counts.foreignPaths += 1
            return
        }
        counts.mails += 1
        var own = entry
        own.ids = []
        for id in entry.ids {
            switch strangers.origin(of: id, from: entry.reversePath) {
            case .none: own.ids.append(id)
            case .other: bind(id, entry, time)
            case .same: counts.strangers += 1
            }
        }
        tell(own, time)
    }

    /// More of a mail that counts: pairs, a relay's id.
    mutating func tell(_ entry: SentEntry, _ time: Int64) {
        guard !entry.isEmpty else { return }
        counts.ids += entry.ids.count + entry.idBeginnings.count + (entry.queueID == nil ? 0 : 1)
        found.append(LoggedMail(entry: entry, time: time))
    }

    private mutating func keep(_ entry: SentEntry) {
        counts.strangers += entry.ids.count
        for id in entry.ids { strangers.add(id, from: entry.reversePath) }
    }

    /// A stranger's mail goes on. If its reverse-path has become one of ours its bounces come to that address: there, and
    /// nowhere else, the id counts.
    private mutating func sentOn(_ entry: SentEntry, _ before: Octets, _ time: Int64) {
        let hasChanged = ASCII.lowercased(before) != ASCII.lowercased(entry.reversePath)
        for id in entry.ids {
            if hasChanged, strangers.origin(of: id, from: entry.reversePath) != .same { bind(id, entry, time) } else { counts.strangers += 1 }
        }
        if hasChanged, !entry.idBeginnings.isEmpty {
            var beginnings = entry
            beginnings.ids = []
            bind(beginnings, time)
        }
    }

    private mutating func bind(_ id: MessageID, _ entry: SentEntry, _ time: Int64) {
        var one = entry
        one.ids = [id]
        one.idBeginnings = []
        bind(one, time)
    }

    private mutating func bind(_ entry: SentEntry, _ time: Int64) {
        let addresses = site.ownAddresses(entry.reversePath)
        if addresses.isEmpty { counts.strangers += entry.ids.count }
        for address in addresses {
            var bound = entry
            bound.reversePath = address
            bound.queueID = nil
            bound.isBound = true
            tell(bound, time)
        }
    }
}

extension Span where Element == UInt8 {
    /// The end of the address at `start`, which may be quoted: before `>`, or before a space where no bracket is around it.
    /// What a stranger wrote into a quoted local part ends nothing.
    func addressEnd(from start: Int, bracketed: Bool) -> Int? {
        var index = start
        var isQuoted = false
        while index < count {
            switch self[index] {
            case ASCII.backslash: index += 1
            case ASCII.quote: isQuoted.toggle()
            case ASCII.greater where bracketed && !isQuoted: return index
            case ASCII.space where !bracketed && !isQuoted: return index
            default: break
            }
            index += 1
        }
        return bracketed || isQuoted ? nil : count
    }

    /// The first place at or after `start` that spells `word`, as it is given.
    func firstPlace(of word: StaticString, from start: Int = 0) -> Int? {
        let length = word.utf8CodeUnitCount
        guard length > 0 else { return nil }
        var index = start
        while index + length <= count, let place = unsafe firstIndex(of: word.utf8Start[0], from: index) {
            if isWord(word, at: place) { return place }
            index = place + 1
        }
        return nil
    }

    /// The last place at or after `start` that spells `word`.
    func lastPlace(of word: StaticString, from start: Int = 0) -> Int? {
        var index = count - word.utf8CodeUnitCount
        while index >= start {
            if isWord(word, at: index) { return index }
            index -= 1
        }
        return nil
    }

    /// Whether the octets at `start` are `word`, case and all.
    @inline(__always)
    func isWord(_ word: StaticString, at start: Int) -> Bool {
        let length = word.utf8CodeUnitCount
        guard start >= 0, count - start >= length else { return false }
        var index = 0
        while index < length {
            if unsafe word.utf8Start[index] != self[start + index] { return false }
            index += 1
        }
        return true
    }
}
