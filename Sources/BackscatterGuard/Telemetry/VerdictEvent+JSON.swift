// An event as a line of the store's files and of `guardd events --json`. The keys are those of the log line; what holds
// nothing is left out. docs/logging.md has the table.

extension VerdictEvent {
    /// One JSON object without a line end.
    public var json: Octets {
        var line = JSONLine()
        line.add("time", UTC.text(time))
        line.add("session", session)
        line.add("verdict", verdict.rawValue)
        line.add("reason", reason.rawValue)
        if wouldRefuse { line.add("would", "refuse") }
        line.add("client", client)
        if repeats == nil { line.add("from", reversePath) }
        line.add("to", recipients)
        line.add("nrcpt", recipientCount)
        line.add("msgid", messageID)
        line.add("kind", kind?.rawValue)
        line.add("size", size)
        line.add("reply", reply)
        if let repeats {
            line.add("repeats", repeats.count)
            line.add("clients", repeats.clients)
            line.add("until", UTC.text(repeats.until))
        }
        return line.closed
    }
}

extension VerdictEvent: Decodable {
    private enum CodingKeys: String, CodingKey {
        case time, session, verdict, reason, would, client, from, to, nrcpt, msgid, kind, size, reply, repeats, clients, until
    }

    /// - Throws: when it is no event of this or an earlier version; keys that are not known are passed over.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            time: try Self.time(.time, values), verdict: try Self.word(.verdict, values), reason: try Self.word(.reason, values))
        session = try values.decodeIfPresent(String.self, forKey: .session)
        wouldRefuse = try values.decodeIfPresent(String.self, forKey: .would) == Verdict.refuse.rawValue
        client = try values.decodeIfPresent(String.self, forKey: .client)
        reversePath = try values.decodeIfPresent(String.self, forKey: .from) ?? ""
        recipients = try values.decode([String].self, forKey: .to)
        recipientCount = try values.decode(Int.self, forKey: .nrcpt)
        messageID = try values.decodeIfPresent(String.self, forKey: .msgid)
        kind = try values.decodeIfPresent(String.self, forKey: .kind).flatMap(NotificationKind.init)
        size = try values.decodeIfPresent(Int.self, forKey: .size)
        reply = try values.decodeIfPresent(String.self, forKey: .reply)
        if let count = try values.decodeIfPresent(Int.self, forKey: .repeats) {
            repeats = Repeats(count: count, clients: try values.decode(Int.self, forKey: .clients), until: try Self.time(.until, values))
        }
    }

    private static func time(_ key: CodingKeys, _ values: KeyedDecodingContainer<CodingKeys>) throws -> Int64 {
        guard let time = UTC.time(try values.decode(String.self, forKey: key), now: 0) else { throw fault(key, values) }
        return time
    }

    private static func word<Word: RawRepresentable<String>>(_ key: CodingKeys, _ values: KeyedDecodingContainer<CodingKeys>) throws -> Word {
        guard let word = Word(rawValue: try values.decode(String.self, forKey: key)) else { throw fault(key, values) }
        return word
    }

    private static func fault(_ key: CodingKeys, _ values: KeyedDecodingContainer<CodingKeys>) -> DecodingError {
        .dataCorruptedError(forKey: key, in: values, debugDescription: "not such a value")
    }
}
