// Exim's main log: one `<=` line tells a mail's arrival, with its id, its client and its sender; `=>`, `->`, `**` and `==`
// its deliveries; `Completed` its end. An id that Exim adds itself is not logged: it is made of Exim's own message id,
// by which it is found (QueueID).
//
// What a stranger chooses (sender, HELO name, ident reply, subject) stands between the fields, so they are read in
// their order and not searched for. Source: Exim specification, "Log files"; logs of 4.96.

/// Reads Exim's main log, from its file or from syslog.
struct EximLogReader: MTALogReader {
    private static let limit = 100_000
    private static let otherLimit = 30_000
    private static let pathsTold = 100

    private struct Mail: Sendable {
        let reversePath: Octets
        let hasID: Bool
    }

    /// A stranger's, which a redirect may send on under another return path.
    private struct Other: Sendable {
        let entry: SentEntry
        /// Return paths that were told; more are not.
        var told: [Octets] = []
    }

    /// `<=` and what is behind it.
    private struct Arrival {
        var sender = 0..<0
        var client: Octets?
        var isFromNetwork = false
        var isAuthenticated = false
        var id: Range<Int>?
        var recipients = 1
    }

    private var rule: SentRule
    private var own = QueueStates<Mail>(limit: limit)
    private var others = QueueStates<Other>(limit: otherLimit)

    init(_ site: LogSite) { rule = SentRule(site) }

    var counts: LogCounts { rule.counts }

    mutating func take() -> [LoggedMail] { rule.take() }

    /// - Parameter text: begins with Exim's message id (the stamp before it has been read).
    mutating func read(_ text: Span<UInt8>, program: Span<UInt8>, process: Int, at time: Int64) {
        guard let id = EximLogReader.messageID(text), let key = QueueKey(text, id), id.upperBound + 3 <= text.count else { return }
        let (start, end) = (id.lowerBound, id.upperBound)
        let flag = end + 1
        if text.isWord("<= ", at: flag) {
            arrived(text, flag + 3, start..<end, key, time)
        } else if text.isWord("Completed", at: flag) {
            own.remove(key)
            others.remove(key)
        } else if text.isWord("=> ", at: flag) || text.isWord("-> ", at: flag) || text.isWord("** ", at: flag) || text.isWord("== ", at: flag) {
            delivered(text, flag + 3, key, time)
        }
    }

    /// Exim's message id at the beginning of what it writes behind its stamp.
    private static func messageID(_ text: Span<UInt8>) -> Range<Int>? {
        var start = 0
        // log_selector +pid
        if text.octet(at: 0) == 0x5B, let close = text.firstIndex(of: ASCII.space) { start = close + 1 }
        guard let end = text.firstIndex(of: ASCII.space, from: start), isMessageID(text.extracting(start..<end)) else { return nil }
        return start..<end
    }

    static func beginsWithMessageID(_ text: Span<UInt8>) -> Bool { messageID(text) != nil }

    /// `1xUyJc-0005wW-1W`, since 4.97 `1xUyJc-00000005wWz-1W00`.
    private static func isMessageID(_ text: Span<UInt8>) -> Bool {
        guard text.count == 16 || text.count == 23, text[6] == ASCII.hyphen, text[text.count == 16 ? 13 : 18] == ASCII.hyphen else { return false }
        for index in 0..<text.count where text[index] != ASCII.hyphen {
            guard ASCII.isLetter(text[index]) || ASCII.isDigit(text[index]) else { return false }
        }
        return true
    }

    private mutating func arrived(_ text: Span<UInt8>, _ start: Int, _ id: Range<Int>, _ key: QueueKey, _ time: Int64) {
        guard let arrival = EximLogReader.arrival(text, start), arrival.sender.count > 0 else { return }
        let sender = text.extracting(arrival.sender).copied()
        guard sender != [ASCII.less, ASCII.greater] else { return rule.counts.nullPaths += 1 }
        let origin: MailOrigin =
            if arrival.isAuthenticated { .authenticated }
            else if !arrival.isFromNetwork { .local }
            else if let client = arrival.client, rule.site.isOwnClient(client) { .local }
            else { .stranger }
        var entry = SentEntry(ids: [], reversePath: sender, keepsPairs: false, recipients: arrival.recipients)
        if let range = arrival.id { entry.ids = EximLogReader.ids(text.extracting(range)) }
        if entry.ids.isEmpty, origin != .stranger { entry.queueID = text.extracting(id).copied() }
        rule.settle(entry, origin: origin, at: time)
        if origin == .stranger { others.insert(key, Other(entry: entry)) }
        // Exim gives all mail of local programs an id.
        let hasID = !entry.ids.isEmpty || !arrival.isFromNetwork
        if origin == .authenticated || origin == .local, origin == .authenticated || rule.site.isOwnAddress(sender) {
            own.insert(key, Mail(reversePath: sender, hasID: hasID))
        }
    }

    /// `sender [R=id] [H=…] [U=…] P=… … [A=…] S=… [id=…] [T="…"] [for …]`.
    private static func arrival(_ text: Span<UInt8>, _ start: Int) -> Arrival? {
        guard let end = text.addressEnd(from: start, bracketed: false) else { return nil }
        var arrival = Arrival()
        arrival.sender = start..<end
        var index = end
        if text.isWord(" R=", at: index) { index = text.firstIndex(of: ASCII.space, from: index + 1) ?? text.count }
        // The subject, and the sender's own words, come last.
        let fields = text.extracting(0..<(text.firstPlace(of: " T=\"", from: index) ?? text.count))
        if fields.isWord(" H=", at: index) {
            arrival.isFromNetwork = true
            index = host(fields, index + 3, &arrival)
        }
        // An ident reply is anything: the last P= before the size is Exim's own.
        guard let size = fields.lastPlace(of: " S=", from: index) else { return nil }
        let before = fields.extracting(0..<size)
        guard let proto = before.lastPlace(of: " P=", from: index) else { return nil }
        if arrival.isFromNetwork, before.firstPlace(of: " A=", from: proto) != nil { arrival.isAuthenticated = true }
        if let id = fields.firstPlace(of: " id=", from: size) {
            arrival.id = id + 4..<(fields.firstIndex(of: ASCII.space, from: id + 4) ?? fields.count)
        }
        if let place = text.lastPlace(of: " for ", from: size) {
            arrival.recipients = 1
            for index in place + 5..<text.count where text[index] == ASCII.space { arrival.recipients += 1 }
        }
        return arrival
    }

    /// `name (helo) [address]:port`, where name and helo may be missing.
    ///
    /// - Returns: behind the address.
    private static func host(_ text: Span<UInt8>, _ start: Int, _ arrival: inout Arrival) -> Int {
        var index = start
        let limit = text.firstPlace(of: " P=", from: start) ?? text.count
        if let open = text.firstIndex(of: ASCII.openParenthesis, from: start), open < limit, text.firstIndex(of: 0x5B, from: start) ?? limit > open {
            guard let close = text.firstIndex(of: ASCII.closeParenthesis, from: open) else { return index }
            index = close + 1
        }
        guard let open = text.firstIndex(of: 0x5B, from: index), let close = text.firstIndex(of: 0x5D, from: open), close - open <= 64 else { return index }
        arrival.client = text.extracting(open + 1..<close).copied()
        return close + 1
    }

    /// The value of `id=`: without brackets, other octets than printable ASCII as `\303`.
    private static func ids(_ value: Span<UInt8>) -> [MessageID] {
        var scanner = MessageIDScanner(limit: 1)
        scanner.take(OctalText.plain(value).span)
        return scanner.finish()
    }

    /// `addr [<original>] F=<…> R=… T=… H=name [address] … C="250 …"`.
    private mutating func delivered(_ text: Span<UInt8>, _ start: Int, _ key: QueueKey, _ time: Int64) {
        guard let end = text.addressEnd(from: start, bracketed: false) else { return }
        if others[key] != nil { redirected(text, start, end, key, time) }
        guard let mail = own[key] else { return }
        if rule.site.pairs == .always || !mail.hasID {
            var paths = [text.extracting(start..<end).copied()]
            if text.isWord(" <", at: end), let close = text.addressEnd(from: end + 2, bracketed: true) {
                paths.append(text.extracting(end + 2..<close).copied())
            }
            rule.tell(SentEntry(ids: [], reversePath: mail.reversePath, forwardPaths: paths), time)
        }
        guard !rule.site.relays.isEmpty, text.isWord("=>", at: start - 3) || text.isWord("->", at: start - 3),
            let host = text.firstPlace(of: " H=", from: end), let nameEnd = text.firstIndex(of: ASCII.space, from: host + 3),
            rule.site.isRelay(text.extracting(host + 3..<nameEnd)), let confirmation = text.firstPlace(of: " C=\"", from: nameEnd),
            var entry = RelayReply.entry(text.extracting(confirmation + 4..<text.count))
        else { return }
        entry.reversePath = mail.reversePath
        rule.tell(entry, time)
    }
}

// MARK: Mail of strangers that goes on under an address of ours

extension EximLogReader {
    /// `addr [(parents)] [<original>] [F=<sender>] [P=<return path>] R=…`: a redirect router with `errors_to` changes the return
    /// path. P= stands there with `log_selector = +return_path_on_delivery` only; without it nobody knows, and the id counts
    /// for the addresses that are usual for a list by the original's name.
    ///
    /// Source: Exim specification, "Log files", "The redirect router"; logs of 4.96.
    fileprivate mutating func redirected(_ text: Span<UInt8>, _ start: Int, _ addressEnd: Int, _ key: QueueKey, _ time: Int64) {
        var index = addressEnd
        var original: Octets?
        if text.isWord(" (", at: index), let close = text.firstIndex(of: ASCII.closeParenthesis, from: index) { index = close + 1 }
        if text.isWord(" <", at: index), let close = text.addressEnd(from: index + 2, bracketed: true) {
            original = text.extracting(index + 2..<close).copied()
            index = close + 1
        }
        if text.isWord(" F=<", at: index), let close = text.addressEnd(from: index + 4, bracketed: true) { index = close + 1 }
        let forwardPath = text.extracting(start..<addressEnd).copied()
        if text.isWord(" P=<", at: index), let close = text.addressEnd(from: index + 4, bracketed: true) {
            sentOn(key, under: text.extracting(index + 4..<close).copied(), to: forwardPath, time)
        } else if let original, original != forwardPath, !text.isWord("**", at: start - 3) {
            if !rule.site.isOwnAddress(forwardPath) { rule.counts.untoldPaths = (rule.counts.untoldPaths ?? 0) + 1 }
            for path in EximLogReader.owners(of: original) { sentOn(key, under: path, to: forwardPath, time) }
        }
    }

    private mutating func sentOn(_ key: QueueKey, under path: Octets, to forwardPath: Octets, _ time: Int64) {
        guard let mail = others[key], path != mail.entry.reversePath else { return }
        if rule.site.pairs == .always || mail.entry.ids.isEmpty, rule.site.isOwnAddress(path) {
            rule.tell(SentEntry(ids: [], reversePath: path, forwardPaths: [forwardPath]), time)
        }
        guard mail.told.count < EximLogReader.pathsTold, !mail.told.contains(path)
        else { return }
        _ = others.change(key) { $0.told.append(path) }
        var entry = mail.entry
        entry.reversePath = path
        rule.settle(entry, origin: .from(mail.entry.reversePath), at: time)
    }

    /// By whose names the bounces of a list come back, as list managers and aliases(5) have it.
    private static func owners(of address: Octets) -> [Octets] {
        guard let at = address.lastIndex(of: ASCII.at) else { return [] }
        let (name, domain) = (address[..<at], address[at...])
        let behind = ["owner", "bounces", "bounce", "request", "admin", "errors", "return"].map { Octets(name) + [ASCII.hyphen] + Octets($0.utf8) + domain }
        return [address, Octets("owner-".utf8) + name + domain] + behind
    }
}

/// Text in which octets stand as `\303`, and control characters as `\n`.
enum OctalText {
    static func plain(_ text: Span<UInt8>) -> Octets {
        guard text.firstIndex(of: ASCII.backslash) != nil else { return text.copied() }
        var octets = Octets()
        var index = 0
        while index < text.count {
            if text[index] == ASCII.backslash, let value = octal(text, at: index + 1) {
                octets.append(value)
                index += 4
            } else if text[index] == ASCII.backslash, let control = control(text.octet(at: index + 1)) {
                octets.append(control)
                index += 2
            } else {
                octets.append(text[index])
                index += 1
            }
        }
        return octets
    }

    private static func octal(_ text: Span<UInt8>, at start: Int) -> UInt8? {
        guard start + 3 <= text.count else { return nil }
        var value = 0
        for index in start..<start + 3 {
            guard text[index] >= ASCII.zero, text[index] <= 0x37 else { return nil }
            value = value * 8 + Int(text[index] - ASCII.zero)
        }
        return value <= 0xFF ? UInt8(value) : nil
    }

    private static func control(_ letter: UInt8?) -> UInt8? {
        switch letter {
        case 0x6E: ASCII.lf
        case 0x72: ASCII.cr
        case 0x74: ASCII.tab
        case ASCII.backslash: ASCII.backslash
        default: nil
        }
    }
}
