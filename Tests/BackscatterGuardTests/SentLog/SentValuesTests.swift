import Testing
@testable import BackscatterGuard

@Suite("Sent log: what a record tells of its sender") struct SentRecordTests {
    @Test(arguments: [
        ("ann@example.org", "example.org", true), ("ann@Example.ORG", "EXAMPLE.org", true),
        ("ann@mail.example.org", "example.org", true), ("ann@example.org", "mail.example.org", true),
        ("ann@a.b.example.org", "c.b.example.org", false), ("ann@a.example.org", "b.example.org", false),
        ("ann@example.org", "example.net", false), ("ann@example.org", "org", false),
        ("ann@xexample.org", "example.org", false), ("ann@example.org.", "example.org", true),
        ("ann@localhost", "localhost", true), ("ann@localhost", "localhost.localdomain", false),
        ("ann@[192.0.2.1]", "[192.0.2.1]", true), ("ann@[192.0.2.1]", "2.1]", false),
        ("\"a@b\"@example.org", "example.org", true), ("ann", "example.org", true), ("", "example.org", true),
        ("ann@example.org", "", false),
        ("ann@1.2.3.4.5.6.7.8.9.10.example.org", "1.2.3.4.5.6.7.8.9.10.example.org", true),
    ])
    func domain(_ sender: String, _ asked: String, _ expected: Bool) {
        let record = SentRecord(time: noon, recipients: 1, reversePath: Octets(sender))
        #expect(record.wasSent(from: Octets(asked)) == expected)
    }

    @Test(arguments: [
        ("ann@example.org", "ann@example.org", true), ("ann@example.org", "ANN@EXAMPLE.ORG", true),
        ("ann@example.org", "bob@example.org", false), ("ann@mail.example.org", "ann@example.org", false),
        ("ann@example.org", "ann@example.org.", true), ("", "ann@example.org", true), ("ann", "ann@example.org", true),
    ])
    func address(_ sender: String, _ asked: String, _ expected: Bool) {
        let record = SentRecord(time: noon, recipients: 1, reversePath: Octets(sender))
        #expect(record.wasSent(fromAddress: Octets(asked)) == expected)
    }

    @Test func mergingKeepsEverySenderUpToALimitThenAny() {
        var record = SentRecord(time: noon, recipients: 2, reversePath: Octets("ann@example.org"))
        record.merge(SentRecord(time: noon + 5, recipients: 3, reversePath: Octets("bob@example.net")))
        record.merge(SentRecord(time: noon + 1, recipients: 1, reversePath: Octets("ann@example.org")))
        #expect(record.time == noon + 5 && record.recipients == 6 && record.senders.count == 2)
        #expect(record.wasSent(from: Octets("example.net")) && record.wasSent(from: Octets("example.org")))
        #expect(!record.wasSent(from: Octets("example.com")))
        for number in 0..<SentRecord.senderLimit {
            record.merge(SentRecord(time: noon, recipients: 1, reversePath: Octets("x\(number)@d\(number).example")))
        }
        #expect(record.senders.count == SentRecord.senderLimit && record.wasSent(from: Octets("example.com")))
    }

    @Test func recipientsDoNotOverflow() {
        var record = SentRecord(time: noon, recipients: Int(UInt32.max), reversePath: [])
        record.merge(record)
        #expect(record.recipients == Int(UInt32.max))
    }

    @Test func rowComesBack() throws {
        let key = try #require(SentKey(Octets(repeating: 3, count: 32)))
        let sender = try #require(SenderHashes(Octets("ann@a.b.example.org"), key: key))
        for record in [
            SentRecord(time: noon, recipients: 7, senders: [sender], isOpen: false, key: key),
            SentRecord(time: -1, recipients: 1, senders: [], isOpen: true, key: key),
        ] {
            let back = try #require(SentRecord(row: record.row, key: key))
            #expect(back == record)
            for cut in 0..<record.row.count { #expect(SentRecord(row: Octets(record.row[..<cut]), key: key) == nil) }
        }
        #expect(SentRecord(row: Octets(repeating: 9, count: 40), key: key) == nil)
    }

    @Test func equalityIsAboutContent() {
        let record = SentRecord(time: noon, recipients: 1, reversePath: Octets("ann@example.org"))
        #expect(record == SentRecord(time: noon, recipients: 1, reversePath: Octets("Ann@example.org")))
        #expect(record != SentRecord(time: noon, recipients: 2, reversePath: Octets("ann@example.org")))
        #expect(record != SentRecord(time: noon, recipients: 1, reversePath: []))
    }
}

@Suite("Sent log: keyed hashes") struct SentKeyTests {
    /// RFC 2104 HMAC with SHA-256, computed independently: key 32 × 0x07, text "i" + "abc".
    @Test func isHMACOfKindAndText() throws {
        let key = try #require(SentKey(Octets(repeating: 7, count: 32)))
        #expect(key.hash(.id, Octets("abc")).octets == [82, 40, 210, 7, 197, 112, 209, 41, 13, 107, 214, 211, 161, 44, 213, 73])
        #expect(key.hash(.id, Octets("abc")) != key.hash(.queueID, Octets("abc")))
        #expect(key.hash(.id, Octets("abc")) == key.hash(.id, Octets("abc")))
    }

    @Test func needs32Octets() {
        #expect(SentKey([]) == nil && SentKey(Octets(repeating: 0, count: 31)) == nil)
        #expect(SentKey.random()?.secret != SentKey.random()?.secret)
    }

    @Test func pairsAreCaseBlindAndUnambiguous() throws {
        let key = try #require(SentKey(Octets(repeating: 7, count: 32)))
        let pair = key.hash(pairFrom: Octets("Ann@Example.org"), to: Octets("BOB@x.example"))
        #expect(pair == key.hash(pairFrom: Octets("ann@example.org"), to: Octets("bob@X.example")))
        #expect(pair != key.hash(pairFrom: Octets("bob@x.example"), to: Octets("ann@example.org")))
        #expect(key.hash(pairFrom: Octets("a"), to: Octets("bc")) != key.hash(pairFrom: Octets("ab"), to: Octets("c")))
    }

    @Test func secretAsText() {
        let secret = Octets(0..<32)
        let text = SentKeyFile.text(secret)
        #expect(text.count == 65 && SentKeyFile.secret(text.dropLast()) == secret)
        #expect(SentKeyFile.secret(text) == nil && SentKeyFile.secret(Octets(repeating: 0x67, count: 64)) == nil)
        #expect(SentKeyFile.secret(Octets(repeating: 0x41, count: 64)) == Octets(repeating: 0xAA, count: 32))
    }
}

@Suite("Sent log: ids that MTAs make of queue ids (Postfix cleanup, sendmail, Exim)") struct QueueIDTests {
    @Test(arguments: [
        ("20261122033109.75AC7F7817A@mail.example.org", ["75AC7F7817A"]), ("4jXF4B3X9yz2NGGN@mail.example.org", ["4jXF4B3X9yz2NGGN"]),
        ("E1xUyJc-0005wW-1W@mail.example.org", ["1xUyJc-0005wW-1W"]), ("E1xUyJc-00000005wWz-1W00@h", ["1xUyJc-00000005wWz-1W00"]),
        ("202611220332.6AM3Z2fb003652@h", ["6AM3Z2fb003652"]),
        ("2026112203310.75AC7F7817A@h", []), ("20261122033109.75AC7-7817A@h", []), ("75AC7@h", []), ("75AC7F7817A", []),
        ("@h", []), ("", []), ("E1xUyJc-0005wW@h", []), ("20261122033109.@h", []), ("a.b.c@h", []), ("E1xUyJc-0005w.-1W@h", []),
    ] as [(String, [String])])
    func candidates(_ text: String, _ expected: [String]) {
        let found = MessageID(Octets(text)).map(QueueID.candidates) ?? []
        #expect(found == expected.map { Octets($0) })
    }
}
