// Ids as logs show them. Postfix writes `?` for what can't be printed, so an id is not always told as it was sent:
// a fold within it becomes `??`, an octet of another alphabet one `?`.

enum LoggedID {
    private static let limit = 4
    private static let questionMark: UInt8 = 0x3F

    /// The ids of a logged field body: as they stand, and without what may have been a fold.
    static func all(in body: Span<UInt8>) -> [MessageID] {
        var scanner = MessageIDScanner(limit: limit)
        scanner.take(body)
        let ids = scanner.finish()
        guard body.firstIndex(of: questionMark) != nil else { return ids }
        return ids + ids.compactMap(withoutFolds).filter { !ids.contains($0) }
    }

    /// Without runs of two `?` and more; nil when there are none.
    private static func withoutFolds(_ id: MessageID) -> MessageID? {
        var octets = Octets()
        var index = 0
        while index < id.octets.count {
            var end = index
            while end < id.octets.count, id.octets[end] == questionMark { end += 1 }
            if end - index == 1 { octets.append(questionMark) }
            if end == index {
                octets.append(id.octets[index])
                end += 1
            }
            index = end
        }
        return octets.count == id.octets.count ? nil : MessageID(scanned: octets)
    }

    /// How Postfix's log shows an id that holds other octets than printable ASCII; nil when it shows it as it is.
    ///
    /// Source: Postfix printable(3).
    static func shown(_ id: MessageID) -> MessageID? {
        guard id.octets.contains(where: { $0 >= 0x80 || ASCII.isControl($0) }) else { return nil }
        return MessageID(scanned: id.octets.map { $0 >= 0x80 || ASCII.isControl($0) ? questionMark : $0 })
    }

    // MARK: sendmail, which shows the first 100 octets of the field only

    /// How many octets of a Message-ID field sendmail logs.
    static let cut = 100
    /// An id's beginning is at least so long: the field without `<` and a fold.
    static let beginnings = 92...100

    /// What the log keeps of an id that was cut: compared without case, because where its domain begins is not known.
    static func beginning(_ octets: some Collection<UInt8>) -> Octets? {
        beginnings.contains(octets.count) ? ASCII.lowercased(octets) : nil
    }

    /// All beginnings by which an id may have been recorded; none for an id that is not longer.
    static func beginnings(of id: MessageID) -> [Octets] {
        guard id.octets.count >= beginnings.lowerBound else { return [] }
        return beginnings.filter { $0 <= id.octets.count }.map { ASCII.lowercased(id.octets.prefix($0)) }
    }
}

extension SentKey {
    /// All names by which an id may have been recorded: the id as it is, as a log may have shown it, the queue ids it may have
    /// been made of, the beginnings that a log may have left of it.
    func names(of id: MessageID) -> [Hash128] {
        var names = [hash(id: id)]
        if let shown = LoggedID.shown(id) { names.append(hash(id: shown)) }
        names += QueueID.candidates(in: id).map { hash(.queueID, $0) }
        names += LoggedID.beginnings(of: id).map { hash(.idBeginning, $0) }
        return names
    }
}
