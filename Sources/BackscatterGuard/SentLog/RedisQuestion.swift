// One inquiry as a pipeline of commands, and its findings out of their replies. The senders' rows are asked for first:
// what they say to stand then stands by the time the ids are looked up (SenderRow tells why that is enough).

/// What a lookup in a shared log needs to know of the log.
struct RedisView: Sendable {
    let key: SentKey
    let layout: RedisLayout
    /// Seconds.
    let bounceWindow: Int64
    let retention: Int64
}

/// A question on its way.
struct RedisQuestion: Sendable {
    let inquiry: Inquiry
    let now: Int64
    /// All commands, as they go over the wire.
    let commands: Octets
    /// How many replies they bring.
    let count: Int
    private let view: RedisView
    private let days: [Int32]
    private let ids: [[Hash128]]
    private let references: [[Hash128]]
    private let pairs: [(recipient: Int, name: Hash128)]
    /// Replies before those to lookups: rows, statement, clock.
    private static let preface = 3

    init(_ inquiry: Inquiry, _ view: RedisView, at now: Int64) {
        self.inquiry = inquiry
        self.now = now
        self.view = view
        days = RedisLayout.days(at: now, retention: view.retention)
        ids = RedisQuestion.names(inquiry.ids, inquiry.recipients, view.key)
        references = RedisQuestion.names(inquiry.references, inquiry.recipients, view.key)
        pairs = RedisQuestion.pairs(inquiry, view.key)
        var commands: Octets = []
        commands.appendCommand([Octets("HGETALL".utf8), view.layout.senders])
        commands.appendCommand([Octets("HGET".utf8), view.layout.log, Octets("stated".utf8)])
        commands.appendCommand("TIME")
        let names = ids.joined().map { ($0, RedisLayout.Table.ids) } + references.joined().map { ($0, .ids) } + pairs.map { ($0.name, .pairs) }
        let hget = Octets("HGET".utf8)
        for (name, table) in names {
            let field = RedisLayout.field(name)
            for day in days { commands.appendCommand([hget, view.layout.key(table, day: day, of: name), field]) }
        }
        self.commands = commands
        count = RedisQuestion.preface + names.count * days.count
    }

    /// A time by the clock of a Redis server, milliseconds since 1970, and which start of which server that is.
    struct Moment: Sendable, Equatable {
        let clock: Int64
        let run: UInt64
    }

    /// What the replies tell.
    struct Answer {
        var findings: Findings
        /// Nothing is known, and the senders' rows do not reach to the question yet: to be asked again.
        var isWaiting = false
        /// When it was asked first, of this server.
        let asked: Moment
    }

    /// The findings, when what was sent in the last seconds does not matter.
    func findings(_ replies: [RedisReply], run: UInt64) -> Findings? { answer(replies, run: run, asked: nil, matters: false)?.findings }

    /// - Parameters:
    ///   - run: the start of the Redis server that answered.
    ///   - asked: when this was asked first; nil: just now. Of another server: its clock says nothing of this one's, so just now.
    ///   - matters: what was sent in the last seconds does.
    /// - Returns: nil when a reply is an error or not what was asked for.
    func answer(_ replies: [RedisReply], run: UInt64, asked: Moment?, matters: Bool = true) -> Answer? {
        guard replies.count == count, let site = RedisQuestion.site(replies, run: run) else { return nil }
        var rest = replies.dropFirst(RedisQuestion.preface)
        var findings = Findings(nothingFor: inquiry, .answered)
        for (index, forms) in ids.enumerated() {
            guard let found = record(forms, for: inquiry.recipients, &rest) else { return nil }
            findings.ids[index] = found.record
        }
        for (index, forms) in references.enumerated() {
            guard let found = record(forms, for: inquiry.recipients, &rest) else { return nil }
            findings.references[index] = found.record
        }
        for pair in pairs {
            let replies = rest.prefix(days.count)
            rest = rest.dropFirst(days.count)
            guard !replies.contains(where: { $0.errorText != nil }) else { return nil }
            if replies.contains(where: { $0.octets != nil }) { findings.knownPairs[pair.recipient] = true }
        }
        var first = Moment(clock: site.clock, run: run)
        if let asked, asked.run == run { first = asked }
        var answer = Answer(findings: findings, asked: first)
        let isKnown = findings.ids.contains { $0 != nil } || findings.knownPairs.contains(true)
        switch site.standing(from: now - view.bounceWindow, to: now, asked: matters ? first.clock : nil) {
        case .complete: answer.findings.isCovered = true
        case .incomplete: break
        // A few seconds' doubt must neither refuse the genuine nor let the forged in: both come again.
        case .waiting:
            if !isKnown { (answer.findings.availability, answer.isWaiting) = (.silent, true) }
        }
        return answer
    }

    /// Out of the replies to `HGETALL senders`, `HGET log stated`, `TIME`.
    static func site(_ replies: [RedisReply], run: UInt64) -> SharedSite? {
        guard replies.count >= preface, let rows = replies[0].pairs, replies[1].errorText == nil, let clock = replies[2].milliseconds else { return nil }
        var site = SharedSite()
        site.rows = rows.compactMap { SenderRow(octets: $0.value) }
        site.unreadable = rows.count - site.rows.count
        site.statement = replies[1].octets.flatMap(SharedSite.Statement.init(octets:))
        site.clock = clock
        site.run = run
        return site
    }

    /// The record that days and spellings know together; nil: a reply is an error.
    private func record(
        _ forms: [Hash128], for recipients: [Octets], _ rest: inout ArraySlice<RedisReply>
    ) -> (record: SentRecord?, Void)? {
        var found: SentRecord?
        let kinds = 1 + (recipients.isEmpty ? 1 : min(recipients.count, Inquiry.boundLimit))
        for form in forms.indices {
            var one: SentRecord?
            for (day, reply) in zip(days, rest) {
                if reply.errorText != nil { return nil }
                guard let value = reply.octets else { continue }
                guard let record = SentRecord(redisValue: value, day: day, key: view.key) else { return nil }
                if one == nil { one = record } else { one?.merge(record) }
            }
            rest = rest.dropFirst(days.count)
            if form >= forms.count / kinds {
                one?.isBound = true
                one?.isOpen = false
            }
            // What is bound was asked for by the address that it is bound to.
            if found == nil { found = one }
        }
        return (found, ())
    }

    /// The id's names; then all of these as they are named where they are bound: to each recipient, or to anybody where
    /// no recipient is asked for.
    private static func names(_ ids: [MessageID], _ recipients: [Octets], _ key: SentKey) -> [[Hash128]] {
        ids.prefix(Inquiry.idLimit).map { id in
            let names = key.names(of: id)
            if recipients.isEmpty { return names + names.map { key.bound($0) } }
            return names + recipients.prefix(Inquiry.boundLimit).flatMap { recipient in names.map { key.bound($0, to: recipient) } }
        }
    }

    private static func pairs(_ inquiry: Inquiry, _ key: SentKey) -> [(recipient: Int, name: Hash128)] {
        var pairs: [(recipient: Int, name: Hash128)] = []
        for failed in inquiry.failedRecipients {
            for (index, recipient) in inquiry.recipients.enumerated() {
                guard pairs.count < Inquiry.pairLimit else { return pairs }
                pairs.append((index, key.hash(pairFrom: recipient, to: failed)))
            }
        }
        return pairs
    }
}

// Stored as two decimal numbers, so that an administrator can read it.
extension SharedSite.Statement {
    init?(octets: Octets) {
        let parts = String(decoding: octets, as: UTF8.self).split(separator: " ").compactMap { Int64($0) }
        guard parts.count == 2, parts[0] <= parts[1] else { return nil }
        self.init(since: parts[0], at: parts[1])
    }

    var octets: Octets { Octets("\(since) \(at)".utf8) }

    /// Together with an earlier one, if they leave nothing out between them.
    func united(with earlier: SharedSite.Statement?) -> SharedSite.Statement {
        guard let earlier, earlier.at >= since else { return self }
        // Only one is kept: of two with a gap between them the later, for nobody has stated the gap.
        guard at >= earlier.since else { return earlier }
        return .init(since: min(since, earlier.since), at: max(at, earlier.at))
    }
}
