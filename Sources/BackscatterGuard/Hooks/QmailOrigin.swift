// Which mail in qmail's hands began here and so is to be recorded. What a stranger sent, and an alias or a user's .qmail
// file passes on, carries an id that the stranger chose: it is not.

enum QmailOrigin {
    /// `#@[]`, and the empty sender of bounces.
    static func isBounce(_ sender: Octets) -> Bool { sender.isEmpty || ASCII.equal(sender, "#@[]") }

    /// For qmail-remote, which sees the queue file.
    ///
    /// - Parameters:
    ///   - recipients: as qmail-remote gets them.
    ///   - takesFromStrangers: whether a domain, lower-cased, is in rcpthosts.
    static func isOwn(
        _ header: QmailHeader, sender: Octets, recipients: [Octets], settings: HookSettings, takesFromStrangers: (Octets) -> Bool
    ) -> Bool {
        guard !isBounce(sender) else { return false }
        switch header.caller {
        case .bounce, .unknown: return false
        case .alias: return isExpanded(sender, recipients)
        case .user: return !header.wasForwarded || !header.messageIDs.isEmpty || isExpanded(sender, recipients)
        case .network:
            // Only a RELAYCLIENT may send to elsewhere; to a domain of rcpthosts that is on another host everybody may.
            guard recipients.contains(where: { takesFromStrangers(domain($0)) }) else { return true }
            return header.client.flatMap { PeerAddress($0) }.map { client in settings.outgoingNetworks.contains { $0.contains(client) } } ?? false
        }
    }

    /// A sender that names its recipient (`list-bob=b.example@lists.example`): qmail-send made it for this copy of a list's
    /// mail, whose bounces come back here whoever wrote it.
    static func isExpanded(_ sender: Octets, _ recipients: [Octets]) -> Bool {
        guard let at = sender.lastIndex(of: ASCII.at) else { return false }
        return recipients.contains { recipient in
            guard let inner = recipient.lastIndex(of: ASCII.at) else { return false }
            let spelled = recipient[..<inner] + [ASCII.equals] + recipient[(inner + 1)...]
            return sender[..<at].count > spelled.count && sender[..<at].suffix(spelled.count).elementsEqual(spelled)
        }
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
