// Postfix's log: smtpd or pickup tell where a mail began, cleanup its ids, qmgr its reverse-path, the delivery agents
// where it went, each by the queue id. A cleanup line alone proves nothing: mail of strangers writes the same, with an id
// of their choice. Written from logs of Postfix 3.7; see docs/sources.md.

/// Reads Postfix's messages.
struct PostfixLogReader: MTALogReader {
    /// Mails of ours, and of others, that are remembered at the same time.
    static let ownLimit = 100_000
    static let otherLimit = 30_000
    private static let idsKept = 8

    private struct Mail: Sendable {
        var origin: MailOrigin
        var ids: [MessageID] = []
        /// How many of `ids` were settled.
        var settled = 0
        /// nil: not told yet.
        var reversePath: Octets?
        var recipients = 1
        var isCounted = false
    }

    enum Program { case smtpd, pickup, cleanup, qmgr, smtp, local, delivery, other, untold }

    private var rule: SentRule
    private var own = QueueStates<Mail>(limit: ownLimit)
    private var others = QueueStates<Mail>(limit: otherLimit)

    init(_ site: LogSite) { rule = SentRule(site) }

    var counts: LogCounts { rule.counts }
    /// Mails that are remembered.
    var pending: Int { own.count + others.count }

    mutating func take() -> [LoggedMail] { rule.take() }

    mutating func read(_ text: Span<UInt8>, program: Span<UInt8>, process: Int, at time: Int64) {
        var kind = PostfixLogReader.program(program)
        if case .other = kind { return }
        guard let colon = PostfixLogReader.queueIDEnd(text), let key = QueueKey(text, 0..<colon) else { return }
        let body = colon + 2
        if case .untold = kind { kind = PostfixLogReader.program(writing: text, at: body) }
        switch kind {
        case .smtpd: if text.isWord("client=", at: body) { begin(key, clientOrigin(text, body + 7)) }
        case .pickup: if text.isWord("uid=", at: body) { begin(key, pickupOrigin(text, body)) }
        case .cleanup:
            if text.isWord("message-id=", at: body) {
                add(text.extracting(body + 11..<text.count), to: key, time)
            } else if text.isWord("resent-message-id=", at: body) {
                add(text.extracting(body + 18..<text.count), to: key, time)
            }
        case .qmgr:
            if text.isWord("from=<", at: body) { takeReversePath(text, body + 6, key, time) } else if text.isWord("removed", at: body) { remove(key) }
        case .smtp, .local, .delivery: if text.isWord("to=<", at: body) { delivered(text, body + 4, key, kind, time) }
        case .other, .untold: return
        }
    }

    /// The last part of `postfix/submission/smtpd`. What stands before it is the site's choice.
    static func program(_ name: Span<UInt8>) -> Program {
        var start = name.count
        while start > 0, name[start - 1] != 0x2F { start -= 1 }
        guard start > 0 else { return name.spells("postfix") ? .untold : .other }
        let own = start..<name.count
        switch name.count - start {
        case 4: return name.spells("qmgr", in: own) ? .qmgr : name.spells("smtp", in: own) ? .smtp : name.spells("lmtp", in: own) || name.spells("pipe", in: own) ? .delivery : .other
        case 5: return name.spells("smtpd", in: own) ? .smtpd : name.spells("local", in: own) ? .local : name.spells("error", in: own) ? .delivery : .other
        case 6: return name.spells("pickup", in: own) ? .pickup : .other
        case 7: return name.spells("cleanup", in: own) ? .cleanup : name.spells("virtual", in: own) ? .delivery : .other
        default: return .other
        }
    }

    /// The colon behind a queue id: letters and digits, followed by a space. `NOQUEUE` is none.
    private static func queueIDEnd(_ text: Span<UInt8>) -> Int? {
        var index = 0
        while index < text.count, index <= QueueKey.longest, ASCII.isLetter(text[index]) || ASCII.isDigit(text[index]) { index += 1 }
        guard index >= 5, text.octet(at: index) == ASCII.colon, text.octet(at: index + 1) == ASCII.space, !text.isWord("NOQUEUE:", at: 0) else { return nil }
        return index
    }

    // MARK: Where it began

    /// `name[address]`, `name[address]:port`, then `, sasl_method=…, sasl_username=…, sasl_sender=…, orig_queue_id=…, orig_client=…`,
    /// each of which may be missing, in this order.
    ///
    /// Source: Postfix smtpd(8) 3.7, XFORWARD_README.
    private func clientOrigin(_ text: Span<UInt8>, _ start: Int) -> MailOrigin {
        guard var end = text.firstIndex(of: 0x5D, from: start) else { return .stranger }
        var client = PostfixLogReader.address(text, start)
        while end < text.count, text[end] != ASCII.comma { end += 1 }
        let isAuthenticated = text.isWord(", sasl_method=", at: end)
        if let first = PostfixLogReader.value(of: ", orig_queue_id=", in: text, from: end), let key = QueueKey(text, first) {
            return origin(after: key)
        }
        if isAuthenticated { return .authenticated }
        if let original = text.firstPlace(of: ", orig_client=", from: end) { client = PostfixLogReader.address(text, original + 14) }
        guard let client, rule.site.isOwnClient(client) else { return .stranger }
        return .local
    }

    /// The address in `name[address]`.
    private static func address(_ text: Span<UInt8>, _ start: Int) -> Octets? {
        guard let open = text.firstIndex(of: 0x5B, from: start), let close = text.firstIndex(of: 0x5D, from: open), close - open <= 64 else { return nil }
        return text.extracting(open + 1..<close).copied()
    }

    private static func value(of name: StaticString, in text: Span<UInt8>, from start: Int) -> Range<Int>? {
        guard let place = text.firstPlace(of: name, from: start) else { return nil }
        let first = place + name.utf8CodeUnitCount
        return first..<(text.firstIndex(of: ASCII.comma, from: first) ?? text.count)
    }

    /// `uid=1000 from=<…>`, and behind it ` orig_id=…` where postsuper(1) put the mail into the queue again.
    private func pickupOrigin(_ text: Span<UInt8>, _ start: Int) -> MailOrigin {
        guard let open = text.firstIndex(of: ASCII.less, from: start), let close = text.addressEnd(from: open + 1, bracketed: true) else { return .stranger }
        guard text.isWord(" orig_id=", at: close + 1) else { return .local }
        guard let key = QueueKey(text, close + 10..<text.count) else { return .stranger }
        return origin(after: key)
    }

    /// The origin of a mail that was made of the one under `key`. What is not known counts as a stranger's.
    private func origin(after key: QueueKey) -> MailOrigin {
        guard let first = own[key] ?? others[key] else { return .stranger }
        switch first.origin {
        case .authenticated, .local: return first.origin
        case .stranger, .from: return first.reversePath.map { .from($0) } ?? .stranger
        case .unknown: return .stranger
        }
    }

    private mutating func begin(_ key: QueueKey, _ origin: MailOrigin) {
        var mail = Mail(origin: origin)
        // Queue ids come back; but what came before its first line belongs to this mail.
        if let early = others[key], early.origin == .unknown {
            mail = early
            mail.origin = origin
        }
        remove(key)
        put(key, mail)
    }

    private mutating func put(_ key: QueueKey, _ mail: Mail) {
        switch mail.origin {
        case .authenticated, .local: own.insert(key, mail)
        case .unknown, .stranger, .from: others.insert(key, mail)
        }
    }

    private mutating func remove(_ key: QueueKey) {
        if own.remove(key) == nil { others.remove(key) }
    }

    private mutating func change(_ key: QueueKey, _ body: (inout Mail) -> Void) {
        if own.change(key, body) == nil { _ = others.change(key, body) }
    }

    // MARK: Its ids and its reverse-path

    private mutating func add(_ body: Span<UInt8>, to key: QueueKey, _ time: Int64) {
        let ids = LoggedID.all(in: body)
        if own[key] == nil, others[key] == nil { others.insert(key, Mail(origin: .unknown)) }
        change(key) { mail in
            for id in ids where mail.ids.count < PostfixLogReader.idsKept && !mail.ids.contains(id) { mail.ids.append(id) }
        }
        settle(key, time)
    }

    /// `addr>, size=1, nrcpt=1 (queue active)`, `addr>, status=expired, returned to sender`.
    private mutating func takeReversePath(_ text: Span<UInt8>, _ start: Int, _ key: QueueKey, _ time: Int64) {
        guard let end = text.addressEnd(from: start, bracketed: true) else { return }
        let path = text.extracting(start..<end).copied()
        var recipients = 1
        if let place = text.firstPlace(of: ", nrcpt=", from: end) {
            var index = place + 8
            recipients = 0
            while let octet = text.octet(at: index), ASCII.isDigit(octet), recipients < 1_000_000 {
                recipients = recipients * 10 + Int(octet - ASCII.zero)
                index += 1
            }
        }
        change(key) { mail in
            mail.reversePath = path
            mail.recipients = max(1, recipients)
        }
        settle(key, time)
    }

    /// Tells what is complete: an origin, a reverse-path, ids.
    private mutating func settle(_ key: QueueKey, _ time: Int64) {
        guard let mail = own[key] ?? others[key], let path = mail.reversePath, mail.origin != .unknown else { return }
        guard mail.settled < mail.ids.count || !mail.isCounted else { return }
        let entry = SentEntry(
            ids: Array(mail.ids[mail.settled...]), reversePath: path, keepsPairs: false, recipients: mail.recipients
        )
        change(key) { mail in
            mail.settled = mail.ids.count
            mail.isCounted = true
        }
        rule.settle(entry, origin: mail.origin, at: time)
    }

    // MARK: Where it went

    /// `addr>, [orig_to=<addr>,] relay=…, …, status=sent (text)`. Text and relay are remote, the addresses our user's.
    private mutating func delivered(_ text: Span<UInt8>, _ start: Int, _ key: QueueKey, _ program: Program, _ time: Int64) {
        guard let end = text.addressEnd(from: start, bracketed: true) else { return }
        if case .local = program { forwarded(text, end, key, time) }
        guard let mail = own[key], let path = mail.reversePath, !path.isEmpty, mail.origin == .authenticated || rule.site.isOwnAddress(path) else { return }
        var behind = end + 1
        var paths = [text.extracting(start..<end).copied()]
        if text.isWord(", orig_to=<", at: behind), let original = text.addressEnd(from: behind + 11, bracketed: true) {
            paths.append(text.extracting(behind + 11..<original).copied())
            behind = original + 1
        }
        if rule.site.pairs == .always || mail.ids.isEmpty {
            rule.tell(SentEntry(ids: [], reversePath: path, forwardPaths: paths), time)
        }
        guard case .smtp = program, let reply = relayReply(text, behind), var entry = RelayReply.entry(text.extracting(reply..<text.count)) else { return }
        entry.reversePath = path
        rule.tell(entry, time)
    }

    /// `, relay=name[address]:25, delay=…, dsn=2.0.0, status=sent (250 …)`; nil unless one of our relays took it.
    private func relayReply(_ text: Span<UInt8>, _ start: Int) -> Int? {
        guard !rule.site.relays.isEmpty, text.isWord(", relay=", at: start), let open = text.firstIndex(of: 0x5B, from: start + 8),
            rule.site.isRelay(text.extracting(start + 8..<open)), let status = text.firstPlace(of: ", status=sent (", from: open)
        else { return nil }
        return status + 15
    }

    /// `status=sent (forwarded as QID)`: local(8) made a new mail of this one, for a .forward file or an alias with an owner.
    private mutating func forwarded(_ text: Span<UInt8>, _ start: Int, _ key: QueueKey, _ time: Int64) {
        guard let place = text.lastPlace(of: ", status=sent (forwarded as ", from: start) else { return }
        var end = place + 28
        while end < text.count, ASCII.isLetter(text[end]) || ASCII.isDigit(text[end]) { end += 1 }
        guard text.octet(at: end) == ASCII.closeParenthesis, let next = QueueKey(text, place + 28..<end), let mail = others[next], mail.origin == .unknown
        else { return }
        begin(next, origin(after: key))
        settle(next, time)
    }
}
