// Which mail in qmail's hands began here and so is to be recorded. What a stranger sent carries an id that the stranger
// chose: if an alias or a user's .qmail file passes it on it is not; if it goes on under a sender of ours (a list) its id
// counts for bounces to that sender and to nobody else.

enum QmailOrigin {
    /// `#@[]`, and the empty sender of bounces.
    static func isBounce(_ sender: Octets) -> Bool { sender.isEmpty || ASCII.equal(sender, "#@[]") }

    /// For qmail-remote, which sees the queue file.
    ///
    /// - Parameters:
    ///   - recipients: as qmail-remote gets them.
    ///   - takesFromStrangers: whether a domain, lower-cased, is in rcpthosts.
    static func record(
        _ header: QmailHeader, sender: Octets, recipients: [Octets], settings: HookSettings, takesFromStrangers: (Octets) -> Bool
    ) -> QmailRecord {
        guard !isBounce(sender) else { return .none }
        switch header.caller {
        case .bounce, .unknown: return .none
        case .alias, .user: return sentByProgram(header, sender: sender, recipients: recipients)
        case .network:
            // Only a RELAYCLIENT may send to elsewhere; to a domain of rcpthosts that is on another host everybody may.
            guard recipients.contains(where: { takesFromStrangers(domain($0)) }) else { return relayed(header) }
            let isOurs = header.client.flatMap { PeerAddress($0) }.map { client in settings.outgoingNetworks.contains { $0.contains(client) } } ?? false
            return isOurs ? relayed(header) : .none
        }
    }

    /// Of a client that may relay. What comes over loopback is a list's or a content filter's as often as a program's own.
    static func relayed(_ header: QmailHeader) -> QmailRecord {
        header.cameFromElsewhere || header.client.map(isLoopback) ?? false ? .bound(header.allMessageIDs) : .own(header.allMessageIDs)
    }

    /// Of a user's program, or of what a .qmail file names.
    static func sentByProgram(_ header: QmailHeader, sender: Octets, recipients: [Octets]) -> QmailRecord {
        guard header.wasForwarded else {
            return header.caller == .alias || header.cameFromElsewhere ? .bound(header.allMessageIDs) : .own(header.allMessageIDs)
        }
        // A .qmail file sends on under the sender that the mail came with, and a stranger chose that; qmail-local writes
        // Delivered-To then. Any other program gives a sender of its own, and so does a list by the alias's name.
        let isOwnSender = header.deliveredTo.isEmpty || isExpanded(sender, recipients) || header.deliveredTo.contains { isList(sender, of: $0) }
        var record = isOwnSender ? QmailRecord.bound(header.allMessageIDs.filter { !header.messageIDs.contains($0) }) : .none
        if !header.messageIDs.isEmpty { record.own = header.messageIDs }
        return record
    }

    private static func isLoopback(_ address: String) -> Bool { address.hasPrefix("127.") || address == "::1" }

    /// `list-owner@host`, `list-bounces@host`, `owner-list@host` for what was delivered to `list@host`.
    static func isList(_ sender: Octets, of address: Octets) -> Bool {
        guard let at = address.lastIndex(of: ASCII.at), let end = sender.lastIndex(of: ASCII.at), domain(address) == domain(sender) else { return false }
        let (list, name) = (ASCII.lowercased(address[..<at]), ASCII.lowercased(sender[..<end]))
        return name.starts(with: list + [ASCII.hyphen]) || name == Octets("owner-".utf8) + list
    }

    /// A sender that names its recipient (`list-bob=b.example@lists.example`): qmail-send made it for this copy of a list's
    /// mail, whose bounces come back here whoever wrote it.
    ///
    /// `list-@lists.example-@[]` asks qmail-send to do so.
    static func isExpanded(_ sender: Octets, _ recipients: [Octets]) -> Bool {
        if asksForExpansion(sender) { return true }
        guard let at = sender.lastIndex(of: ASCII.at) else { return false }
        return recipients.contains { recipient in
            guard let inner = recipient.lastIndex(of: ASCII.at) else { return false }
            let spelled = recipient[..<inner] + [ASCII.equals] + recipient[(inner + 1)...]
            return sender[..<at].count > spelled.count && sender[..<at].suffix(spelled.count).elementsEqual(spelled)
        }
    }

    private static let mark = Octets("-@[]".utf8)

    static func asksForExpansion(_ sender: Octets) -> Bool { sender.count > mark.count && sender.suffix(mark.count).elementsEqual(mark) }

    /// Without the mark that asks for expansion.
    static func plain(_ sender: Octets) -> Octets { asksForExpansion(sender) ? Octets(sender.dropLast(mark.count)) : sender }

    /// The sender that a recipient's copy leaves under.
    static func expanded(_ sender: Octets, for recipient: Octets) -> Octets {
        let path = plain(sender)
        guard asksForExpansion(sender), let at = path.lastIndex(of: ASCII.at), let inner = recipient.lastIndex(of: ASCII.at) else { return path }
        return Octets(path[..<at]) + recipient[..<inner] + [ASCII.equals] + recipient[(inner + 1)...] + path[at...]
    }

    static func domain(_ address: Octets) -> Octets {
        address.lastIndex(of: ASCII.at).map { ASCII.lowercased(address[($0 + 1)...]) } ?? []
    }

    /// qmail's rcpthosts: names, and `.name` for those below it.
    static func list(_ file: Octets) -> Set<Octets> {
        Set(file.split(separator: ASCII.lf).map { line in
            var name = ASCII.lowercased(line)
            while let last = name.last, last <= ASCII.space { name.removeLast() }
            return name
        }.filter { !$0.isEmpty && $0.first != 0x23 })
    }

    static func holds(_ list: Set<Octets>, _ domain: Octets) -> Bool {
        if list.contains(domain) { return true }
        return domain.indices.contains { domain[$0] == ASCII.dot && list.contains(Octets(domain[$0...])) }
    }
}

/// Which ids of a mail are recorded.
struct QmailRecord: Equatable {
    /// Ids of our own; empty: it has none, its pairs are recorded. nil: nothing of the kind.
    var own: [MessageID]?
    /// Ids that a stranger may have chosen.
    var bound: [MessageID]?

    static let none = QmailRecord()
    static func own(_ ids: [MessageID]) -> QmailRecord { QmailRecord(own: ids) }
    static func bound(_ ids: [MessageID]) -> QmailRecord { QmailRecord(bound: ids) }

    /// Nothing is to be recorded.
    var isNone: Bool { own == nil && bound == nil }
    var hasIDs: Bool { !(own ?? []).isEmpty || !(bound ?? []).isEmpty }

    /// - Parameters:
    ///   - sender: as qmail-queue gets it.
    ///   - hasAllRecipients: whether `recipients` are all.
    func entries(sender: Octets, recipients: [Octets], hasAllRecipients: Bool = true) -> [SentEntry] {
        var entries = own.map { [SentEntry(ids: $0, reversePath: QmailOrigin.plain(sender), forwardPaths: recipients)] } ?? []
        guard let bound else { return entries }
        if !QmailOrigin.asksForExpansion(sender) {
            entries.append(SentEntry(ids: bound, reversePath: sender, forwardPaths: recipients))
            entries[entries.count - 1].isBound = true
        } else if hasAllRecipients {
            for recipient in recipients {
                var entry = SentEntry(ids: bound, reversePath: QmailOrigin.expanded(sender, for: recipient), forwardPaths: [recipient])
                entry.isBound = true
                entries.append(entry)
            }
        } else {
            // Under which senders it leaves is not known: in doubt its bounces come in.
            entries.append(SentEntry(ids: bound, reversePath: QmailOrigin.plain(sender), forwardPaths: recipients))
        }
        return entries
    }
}
