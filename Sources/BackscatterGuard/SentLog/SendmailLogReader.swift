// sendmail's log: a `from=` line tells a mail's arrival, `to=` lines its deliveries. The Message-ID in it is cut after 100
// octets without a mark; what was cut counts by its beginning. That a client authenticated stands in a line of its own,
// without a queue id: the process and the client tell which mails are meant. What goes to an alias with an owner goes in a
// mail of its own (`clone: owner=`), whose bounces come to the owner. Source: logs of sendmail 8.17.

/// Reads sendmail's messages.
struct SendmailLogReader: MTALogReader {
    private static let limit = 100_000
    private static let otherLimit = 30_000
    private static let sessionLimit = 10_000
    /// A process number comes back; a session does not last so long, in seconds.
    private static let sessionLife: Int64 = 3_600

    private struct Mail: Sendable {
        let reversePath: Octets
        let hasID: Bool
    }

    private struct Session: Sendable {
        let relay: Octets
        let since: Int64
    }

    private var rule: SentRule
    private var own = QueueStates<Mail>(limit: limit)
    /// Strangers', which may be cloned.
    private var others = QueueStates<SentEntry>(limit: otherLimit)
    private var sessions = QueueStates<Session>(limit: sessionLimit)

    init(_ site: LogSite) { rule = SentRule(site) }

    var counts: LogCounts { rule.counts }

    mutating func take() -> [LoggedMail] { rule.take() }

    mutating func read(_ text: Span<UInt8>, program: Span<UInt8>, process: Int, at time: Int64) {
        guard program.spells("sendmail") || program.spells("sm-") else { return }
        if text.isWord("AUTH=server, relay=", at: 0) { return authenticated(text, process, time) }
        guard let colon = SendmailLogReader.queueIDEnd(text), let key = QueueKey(text, 0..<colon) else { return }
        if text.isWord("from=", at: colon + 2) {
            arrived(text, colon + 7, key, process, time)
        } else if text.isWord("to=", at: colon + 2) {
            delivered(text, colon + 5, key, time)
        } else if text.isWord("AUTH=server, relay=", at: colon + 2) {
            authenticated(text.extracting(colon + 2..<text.count), process, time)
        } else {
            cloned(text, colon + 2, key, time)
        }
    }

    private static func queueIDEnd(_ text: Span<UInt8>) -> Int? {
        var index = 0
        while index < text.count, index <= QueueKey.longest, ASCII.isLetter(text[index]) || ASCII.isDigit(text[index]) { index += 1 }
        guard index >= 8, text.octet(at: index) == ASCII.colon, text.octet(at: index + 1) == ASCII.space else { return nil }
        return index
    }

    private static func sessionKey(_ process: Int) -> QueueKey? {
        let digits = Octets(String(process).utf8)
        return QueueKey(digits.span, 0..<digits.count)
    }

    /// `AUTH=server, relay=name [address], authid=…, mech=…, bits=0`.
    private mutating func authenticated(_ text: Span<UInt8>, _ process: Int, _ time: Int64) {
        guard let end = text.firstPlace(of: ", authid=", from: 19), end - 19 <= 512, let key = SendmailLogReader.sessionKey(process) else { return }
        sessions.insert(key, Session(relay: text.extracting(19..<end).copied(), since: time))
    }

    /// `<addr>, size=1, class=0, nrcpts=1, msgid=<…>, bodytype=…, proto=…, daemon=…, relay=…`; proto to bodytype may be missing.
    ///
    /// A Message-ID may hold commas and words, so the fields before and behind it are found from the two ends.
    private mutating func arrived(_ text: Span<UInt8>, _ start: Int, _ key: QueueKey, _ process: Int, _ time: Int64) {
        guard let size = sizePlace(text, start), let relayAt = text.lastPlace(of: ", relay=", from: size) else { return }
        let path = RecordLine.path(text.extracting(start..<size).copied())
        guard !path.isEmpty, path != [ASCII.less, ASCII.greater] else { return rule.counts.nullPaths += 1 }
        let relay = text.extracting(relayAt + 8..<text.count).copied()
        var entry = SentEntry(ids: [], reversePath: path, keepsPairs: false, recipients: SendmailLogReader.recipients(text, size, relayAt))
        if let value = SendmailLogReader.messageID(text, size, relayAt) { SendmailLogReader.read(value, into: &entry, text) }
        let origin = origin(relay, process, time)
        rule.settle(entry, origin: origin, at: time)
        // Queue ids come back.
        own.remove(key)
        others.remove(key)
        if origin == .stranger { others.insert(key, entry) }
        guard origin == .authenticated || origin == .local && rule.site.isOwnAddress(path) else { return }
        own.insert(key, Mail(reversePath: path, hasID: !entry.ids.isEmpty || !entry.idBeginnings.isEmpty))
    }

    /// `CHILD: clone: owner=addr`: a mail to an alias with an owner goes on under another queue id and under the owner's address,
    /// which has no domain where the alias file gives it none.
    ///
    /// Source: sendmail's sendall(); logs of sendmail 8.17.
    private mutating func cloned(_ text: Span<UInt8>, _ start: Int, _ parent: QueueKey, _ time: Int64) {
        let rest = text.extracting(min(start, text.count)..<text.count)
        guard let colon = SendmailLogReader.queueIDEnd(rest), let child = QueueKey(rest, 0..<colon), rest.isWord("clone: owner=", at: colon + 2)
        else { return }
        let owner = RecordLine.path(rest.extracting(colon + 15..<rest.count).copied())
        guard !owner.isEmpty else { return }
        if let mail = own[parent] {
            own.insert(child, Mail(reversePath: owner, hasID: mail.hasID))
        } else if var entry = others[parent] {
            let before = entry.reversePath
            entry.reversePath = owner
            rule.settle(entry, origin: .from(before), at: time)
        }
    }

    /// The comma behind the sender, who may be written with or without brackets.
    private func sizePlace(_ text: Span<UInt8>, _ start: Int) -> Int? {
        guard text.octet(at: start) == ASCII.less else { return text.firstPlace(of: ", size=", from: start) }
        guard let end = text.addressEnd(from: start + 1, bracketed: true), text.isWord(", size=", at: end + 1) else { return nil }
        return end + 1
    }

    /// `name [address]`, `name [address] (may be forged)`, `user@localhost` for a program on this machine.
    private func origin(_ relay: Octets, _ process: Int, _ time: Int64) -> MailOrigin {
        if let key = SendmailLogReader.sessionKey(process), let session = sessions[key], session.relay == relay,
            time - session.since <= SendmailLogReader.sessionLife
        { return .authenticated }
        guard let open = relay.lastIndex(of: 0x5B) else {
            return relay.contains(ASCII.at) ? .local : .stranger
        }
        guard let close = relay[open...].firstIndex(of: 0x5D) else { return .stranger }
        var address = relay[(open + 1)..<close]
        if ASCII.equal(address.prefix(5), "ipv6:") { address = address.dropFirst(5) }
        return rule.site.isOwnClient(Octets(address)) ? .local : .stranger
    }

    private static func recipients(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard let place = text.firstPlace(of: ", nrcpts=", from: start), place < end else { return 1 }
        var index = place + 9
        var count = 0
        while let octet = text.octet(at: index), ASCII.isDigit(octet), count < 1_000_000 {
            count = count * 10 + Int(octet - ASCII.zero)
            index += 1
        }
        return max(1, count)
    }

    /// The value of `msgid=`: up to the first of the fields behind it, counted from the end.
    private static func messageID(_ text: Span<UInt8>, _ start: Int, _ relay: Int) -> Range<Int>? {
        guard let place = text.firstPlace(of: ", msgid=", from: start), place < relay else { return nil }
        let rest = text.extracting(0..<relay)
        var end = relay
        if let daemon = rest.extracting(0..<end).lastPlace(of: ", daemon=", from: place) { end = daemon }
        if let proto = rest.extracting(0..<end).lastPlace(of: ", proto=", from: place) { end = proto }
        if let body = rest.extracting(0..<end).lastPlace(of: ", bodytype=", from: place) { end = body }
        return place + 8 < end ? place + 8..<end : nil
    }

    /// What 100 octets leave of an id: all of it, or its beginning.
    private static func read(_ range: Range<Int>, into entry: inout SentEntry, _ text: Span<UInt8>) {
        let value = OctalText.plain(text.extracting(range))
        var scanner = MessageIDScanner(limit: 1)
        scanner.take(value.span)
        let isWithin = scanner.isWithinBrackets
        guard let id = scanner.finish().first else { return }
        if value.count >= LoggedID.cut, isWithin || !value.contains(ASCII.greater), let beginning = LoggedID.beginning(id.octets) {
            entry.idBeginnings = [beginning]
        }
        if !isWithin { entry.ids = [id] }
    }

    /// `<addr>,<addr>, …, relay=name [address], dsn=…, stat=Sent (…)`.
    private mutating func delivered(_ text: Span<UInt8>, _ start: Int, _ key: QueueKey, _ time: Int64) {
        guard let mail = own[key], let end = text.firstPlace(of: ", ", from: start) else { return }
        if rule.site.pairs == .always || !mail.hasID {
            let paths = text.extracting(start..<end).copied().split(separator: ASCII.comma).map { RecordLine.path(Octets($0)) }
            rule.tell(SentEntry(ids: [], reversePath: mail.reversePath, forwardPaths: paths.filter { !$0.isEmpty }), time)
        }
        guard !rule.site.relays.isEmpty, let relay = text.firstPlace(of: ", relay=", from: end),
            let nameEnd = text.firstIndex(of: ASCII.space, from: relay + 8) else { return }
        var name = text.extracting(relay + 8..<nameEnd)
        if name.count > 0, name[name.count - 1] == ASCII.dot { name = name.extracting(0..<name.count - 1) }
        guard rule.site.isRelay(name), let status = text.firstPlace(of: ", stat=Sent (", from: nameEnd) else { return }
        let reply = Octets("250 ".utf8) + text.extracting(status + 13..<text.count).copied()
        guard var entry = RelayReply.entry(reply.span) else { return }
        entry.reversePath = mail.reversePath
        rule.tell(entry, time)
    }
}
