@testable import BackscatterGuard
import Testing

@Suite("Postfix's log: which ids count as sent") struct PostfixLogReaderTests {
    /// Lines as Postfix writes them: `smtpd 1A: text` becomes one of queue id 1A00000001.
    private static func lines(_ short: [String]) -> String {
        short.map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            let program = parts[0].contains("/") ? String(parts[0]) : "postfix/\(parts[0])"
            return "Nov 22 03:31:00 mail \(program)[187]: \(parts[1])\n"
        }.joined()
    }

    private static let sasl = ", sasl_method=PLAIN, sasl_username=joe"

    @Test(arguments: [
        ("authenticated", ["submission/smtpd ABCDEF1: client=x[203.0.113.1]\(sasl)", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from ann@ours.example"]),
        ("other names of programs", ["out-7/sub/smtpd ABCDEF1: client=x[203.0.113.1]:4711\(sasl)", "out/cleanup ABCDEF1: message-id=<a@ours.example>", "out/qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from ann@ours.example"]),
        ("local program", ["pickup ABCDEF1: uid=0 from=<root>", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<root@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from root@ours.example"]),
        ("own network", ["smtpd ABCDEF1: client=x[192.0.2.7]", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from ann@ours.example"]),
        ("own network, IPv6, long queue id", ["smtpd 4jXF4B3X9yz2NGGN: client=x[2001:db8::7]:99", "cleanup 4jXF4B3X9yz2NGGN: message-id=<a@ours.example>", "qmgr 4jXF4B3X9yz2NGGN: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from ann@ours.example"]),
        ("stranger", ["smtpd ABCDEF1: client=x[203.0.113.1]", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "smtp ABCDEF1: to=<x@y.example>, relay=y[1.2.3.4]:25, delay=1, dsn=2.0.0, status=sent (250 ok)"],
         []),
        ("no beginning", ["cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("NOQUEUE is no queue id", ["smtpd NOQUEUE: client=x[203.0.113.1]\(sasl)", "cleanup NOQUEUE: message-id=<a@ours.example>", "qmgr NOQUEUE: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("null reverse-path", ["pickup ABCDEF1: uid=0 from=<>", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<>, size=3, nrcpt=1 (queue active)"], []),
        ("local, foreign reverse-path", ["pickup ABCDEF1: uid=0 from=<a@else.example>", "cleanup ABCDEF1: message-id=<a@else.example>", "qmgr ABCDEF1: from=<a@else.example>, size=3, nrcpt=1 (queue active)"], []),
        ("name with words in it is no login", ["smtpd ABCDEF1: client=sasl_username=joe[203.0.113.1], sasl_sender=a@b", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("quoted sender", ["pickup ABCDEF1: uid=0 from=<\"a>, size=\"@ours.example>", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<\"a>, size=\"@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from \"a>, size=\"@ours.example"]),
        ("a queue id that came back", ["smtpd ABCDEF1: client=x[203.0.113.1]\(sasl)", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "qmgr ABCDEF1: removed",
                                       "cleanup ABCDEF1: message-id=<b@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from ann@ours.example"]),
        ("the same without removed", ["smtpd ABCDEF1: client=x[203.0.113.1]\(sasl)", "cleanup ABCDEF1: message-id=<a@ours.example>", "smtpd ABCDEF1: client=x[203.0.113.1]",
                                      "cleanup ABCDEF1: message-id=<b@ours.example>", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"],
         []),
        ("deferred: told once", ["pickup ABCDEF1: uid=0 from=<root>", "cleanup ABCDEF1: message-id=<a@ours.example>", "qmgr ABCDEF1: from=<root@ours.example>, size=3, nrcpt=1 (queue active)", "qmgr ABCDEF1: from=<root@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from root@ours.example"]),
        ("interleaved", ["smtpd ABCDEF1: client=x[203.0.113.1]\(sasl)", "smtpd ABCDEF2: client=x[203.0.113.1]", "cleanup ABCDEF2: message-id=<b@ours.example>", "cleanup ABCDEF1: message-id=<a@ours.example>",
                         "qmgr ABCDEF2: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"],
         ["<a@ours.example> from ann@ours.example"]),
    ]) func origin(_ name: String, _ lines: [String], _ told: [String]) {
        #expect(ReadLog.told(Self.lines(lines)) == told, "\(name)")
    }

    /// rsyslog's APP-NAME ends at the slash.
    @Test func programsWithoutTheirNames() {
        let lines = [
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF1: uid=0 from=<root>", "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF1: message-id=<a@ours.example>",
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)",
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF1: to=<x@y.example>, relay=r.example[1.2.3.4]:25, delay=1, dsn=2.0.0, status=sent (250 Ok 0102018f2b7c1a2b-3c4d5e6f-7a8b-000000)",
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF1: removed",
            // A stranger's, to an alias with an owner
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF2: client=x[203.0.113.1]", "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF2: message-id=<b@x.example>",
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF2: from=<eve@x.example>, size=3, nrcpt=1 (queue active)",
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF3: message-id=<b@x.example>",
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF2: to=<list@ours.example>, orig_to=<list>, relay=local, delay=1, dsn=2.0.0, status=sent (forwarded as ABCDEF3)",
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF3: from=<owner-list@ours.example>, size=3, nrcpt=1 (queue active)",
            // What a stranger's server says proves nothing.
            "<22>1 2026-11-22T03:31:00Z mail postfix 1 - -  ABCDEF4: host x[203.0.113.1] said: 450 uid=0 from=<root>",
        ]
        #expect(ReadLog.told(lines.map { $0 + "\n" }.joined(), .postfix, ReadLog.site(relays: ["r.example"])) == [
            "<a@ours.example> from ann@ours.example", "queued as 0102018f2b7c1a2b-3c4d5e6f-7a8b-000000 from ann@ours.example", "<b@x.example> bound from owner-list@ours.example",
        ])
    }

    /// What cleanup shows of Message-ID fields.
    @Test(arguments: [
        (["message-id=<a@ours.example>"], ["<a@ours.example>"]),
        (["message-id=a@ours.example"], ["<a@ours.example>"]),
        (["message-id=<a@ours.example> (added by mail agent)"], ["<a@ours.example>"]),
        (["message-id=<a@ours.example> <b@ours.example>"], ["<a@ours.example>", "<b@ours.example>"]),
        (["message-id=<a@ours.example>", "message-id=<b@ours.example>"], ["<a@ours.example>", "<b@ours.example>"]),
        (["resent-message-id=<r@ours.example>", "message-id=<a@ours.example>"], ["<r@ours.example>", "<a@ours.example>"]),
        (["message-id=<first.??second@ours.example>"], ["<first.??second@ours.example>", "<first.second@ours.example>"]),
        (["message-id=<m?ll@ours.example>"], ["<m?ll@ours.example>"]),
        (["message-id=<müll@ours.example>"], ["<müll@ours.example>"]),
        (["message-id=<cut off"], ["<cutoff>"]),
        (["message-id=<>"], []), (["message-id="], []), (["message-id=<> "], []),
    ]) func messageID(_ fields: [String], _ told: [String]) {
        let lines = ["smtpd ABCDEF1: client=x[203.0.113.1]\(Self.sasl)"] + fields.map { "cleanup ABCDEF1: \($0)" }
            + ["qmgr ABCDEF1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"]
        let ids = ReadLog.mails(Self.lines(lines), .postfix).flatMap(\.entry.ids).map { "<\(String(decoding: $0.octets, as: UTF8.self))>" }
        #expect(ids == told)
    }

    private static let stranger = ["smtpd AAAAAA1: client=x[203.0.113.1]", "cleanup AAAAAA1: message-id=<planted@x>", "qmgr AAAAAA1: from=<eve@else.example>, size=3, nrcpt=1 (queue active)"]

    @Test(arguments: [
        // .forward keeps the reverse-path.
        ("forwarded", stranger + ["cleanup BBBBBB1: message-id=<planted@x>", "local AAAAAA1: to=<ann@ours.example>, relay=local, delay=1, dsn=2.0.0, status=sent (forwarded as BBBBBB1)", "qmgr BBBBBB1: from=<eve@else.example>, size=3, nrcpt=1 (queue active)", "smtp BBBBBB1: to=<y@y.example>, relay=y[1.2.3.4]:25, dsn=2.0.0, status=sent (250 ok)"], []),
        // An alias with an owner: bounces come to the owner, and only there the id counts.
        ("forwarded under an address of ours", stranger + ["cleanup BBBBBB1: message-id=<planted@x>", "local AAAAAA1: to=<list@ours.example>, relay=local, delay=1, dsn=2.0.0, status=sent (forwarded as BBBBBB1)", "qmgr BBBBBB1: from=<owner-list@ours.example>, size=3, nrcpt=1 (queue active)"], ["<planted@x> bound from owner-list@ours.example"]),
        ("the same, qmgr faster than local", stranger + ["cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<owner-list@ours.example>, size=3, nrcpt=1 (queue active)", "local AAAAAA1: to=<list@ours.example>, relay=local, delay=1, dsn=2.0.0, status=sent (forwarded as BBBBBB1)"], ["<planted@x> bound from owner-list@ours.example"]),
        // It was ours when it came: then it proves nothing.
        ("forged sender, forwarded", ["smtpd AAAAAA1: client=x[203.0.113.1]", "cleanup AAAAAA1: message-id=<planted@x>", "qmgr AAAAAA1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "cleanup BBBBBB1: message-id=<planted@x>", "local AAAAAA1: to=<bob@ours.example>, relay=local, dsn=2.0.0, status=sent (forwarded as BBBBBB1)", "qmgr BBBBBB1: from=<ANN@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("postsuper -r", stranger + ["pickup BBBBBB1: uid=100 from=<eve@else.example> orig_id=AAAAAA1", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<eve@else.example>, size=3, nrcpt=1 (queue active)"], []),
        ("postsuper -r of what is not known", ["pickup BBBBBB1: uid=100 from=<ann@ours.example> orig_id=AAAAAA1", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("content filter on loopback, in own networks", stranger + ["smtpd BBBBBB1: client=filter[192.0.2.7], orig_queue_id=AAAAAA1, orig_client=x[203.0.113.1]", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<eve@else.example>, size=3, nrcpt=1 (queue active)"], []),
        ("the same with a forged sender", ["smtpd AAAAAA1: client=x[203.0.113.1]", "cleanup AAAAAA1: message-id=<planted@x>", "qmgr AAAAAA1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "smtpd BBBBBB1: client=filter[192.0.2.7], orig_queue_id=AAAAAA1", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("two filters", stranger + ["smtpd BBBBBB1: client=filter[192.0.2.7], orig_queue_id=AAAAAA1", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<eve@else.example>, size=3, nrcpt=1 (queue active)", "qmgr AAAAAA1: removed", "smtpd CCCCCC1: client=filter[192.0.2.7], orig_queue_id=BBBBBB1", "cleanup CCCCCC1: message-id=<planted@x>", "qmgr CCCCCC1: from=<eve@else.example>, size=3, nrcpt=1 (queue active)"], []),
        ("filter that tells the client only", ["smtpd BBBBBB1: client=filter[192.0.2.7], orig_client=x[203.0.113.1]", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("filter that tells nothing: the id gives it away", ["smtpd AAAAAA1: client=x[203.0.113.1]", "cleanup AAAAAA1: message-id=<planted@x>", "qmgr AAAAAA1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "qmgr AAAAAA1: removed", "smtpd BBBBBB1: client=filter[192.0.2.7]", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("filter that calls sendmail", ["smtpd AAAAAA1: client=x[203.0.113.1]", "cleanup AAAAAA1: message-id=<planted@x>", "qmgr AAAAAA1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "pickup BBBBBB1: uid=99 from=<ann@ours.example>", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("a user's rule sends it on under his address", stranger + ["pickup BBBBBB1: uid=99 from=<bob@ours.example>", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<bob@ours.example>, size=3, nrcpt=1 (queue active)"], ["<planted@x> bound from bob@ours.example"]),
        ("the same, but it came under his address as well", stranger + ["smtpd AAAAAA2: client=x[203.0.113.1]", "cleanup AAAAAA2: message-id=<planted@x>", "qmgr AAAAAA2: from=<bob@ours.example>, size=3, nrcpt=1 (queue active)", "pickup BBBBBB1: uid=99 from=<bob@ours.example>", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<bob@ours.example>, size=3, nrcpt=1 (queue active)"], []),
        ("a mail that came by two ways, directly and by a list", stranger + ["smtpd AAAAAA2: client=x[203.0.113.1]", "cleanup AAAAAA2: message-id=<planted@x>", "qmgr AAAAAA2: from=<list-bounces@else.example>, size=3, nrcpt=1 (queue active)", "pickup BBBBBB1: uid=99 from=<bob@ours.example>", "cleanup BBBBBB1: message-id=<planted@x>", "qmgr BBBBBB1: from=<bob@ours.example>, size=3, nrcpt=1 (queue active)"], ["<planted@x> bound from bob@ours.example"]),
        ("ours through a filter that adds the id", ["smtpd AAAAAA1: client=x[203.0.113.1]\(sasl)", "cleanup AAAAAA1: message-id=<>", "qmgr AAAAAA1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)", "smtpd BBBBBB1: client=filter[127.0.0.1], orig_queue_id=AAAAAA1", "cleanup BBBBBB1: message-id=<added@ours.example>", "qmgr BBBBBB1: from=<ann@ours.example>, size=3, nrcpt=1 (queue active)"], ["<added@ours.example> from ann@ours.example"]),
        ("words of a remote server forward nothing", stranger + ["cleanup BBBBBB1: message-id=<planted@x>", "smtp AAAAAA1: to=<list@ours.example>, relay=y[1.2.3.4]:25, dsn=2.0.0, status=sent (forwarded as BBBBBB1)", "qmgr BBBBBB1: from=<owner-list@ours.example>, size=3, nrcpt=1 (queue active)"], []),
    ]) func strangersMail(_ name: String, _ lines: [String], _ told: [String]) {
        #expect(ReadLog.told(Self.lines(lines)) == told, "\(name)")
    }

    private static let ours = ["smtpd AAAAAA1: client=x[203.0.113.1]\(sasl)", "cleanup AAAAAA1: message-id=<a@x>", "qmgr AAAAAA1: from=<ann@ours.example>, size=3, nrcpt=2 (queue active)"]
    private static let sesID = "0102018f2b7c1a2b-3c4d5e6f-7a8b-4c9d-8e0f-1a2b3c4d5e6f-000000"

    @Test(arguments: [
        ("email-smtp.eu-west-1.amazonaws.com[1.2.3.4]:587", "250 Ok \(sesID)", ["queued as \(sesID) from ann@ours.example"]),
        ("smtp.other.example[1.2.3.4]:587", "250 Ok \(sesID)", []),
        ("relay.example[1.2.3.4]:587", "250 2.0.0 Ok: queued as 7B8D6F7817B", ["queued as 7B8D6F7817B from ann@ours.example"]),
        ("relay.example[1.2.3.4]:587", "250 2.6.0 <new@relay.example> [InternalId=1234567890, Hostname=h] Queued mail for delivery", ["<new@relay.example> from ann@ours.example"]),
        ("relay.example[1.2.3.4]:587", "250 Ok thank you very much", []),
        ("evil-relay.example[1.2.3.4]:587", "250 Ok \(sesID)", []),
    ]) func relay(_ relay: String, _ reply: String, _ told: [String]) {
        let lines = Self.ours + ["smtp AAAAAA1: to=<y@y.example>, relay=\(relay), delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (\(reply))"]
        let site = ReadLog.site(relays: ["*.amazonaws.com", "Relay.example"])
        #expect(ReadLog.told(Self.lines(lines), .postfix, site) == ["<a@x> from ann@ours.example"] + told)
    }

    @Test func aRecipientDoesNotSpellARelay() {
        let lines = Self.ours + ["smtp AAAAAA1: to=<\"x>, relay=relay.example[1.2.3.4]:25, status=sent (250 Ok plantedplanted1\"@evil.example>, relay=evil.example[1.2.3.5]:25, dsn=2.0.0, status=sent (250 ok)"]
        #expect(ReadLog.told(Self.lines(lines), .postfix, ReadLog.site(relays: ["relay.example"])) == ["<a@x> from ann@ours.example"])
    }

    @Test func pairs() {
        let delivery = ["smtp AAAAAA1: to=<y@y.example>, orig_to=<list@ours.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (no)"]
        let pair = "from ann@ours.example to y@y.example to list@ours.example"
        #expect(ReadLog.told(Self.lines(Self.ours + delivery)) == ["<a@x> from ann@ours.example"])
        #expect(ReadLog.told(Self.lines(Self.ours + delivery), .postfix, ReadLog.site(pairs: .always)) == ["<a@x> from ann@ours.example", pair])
        let withoutID = [Self.ours[0], "cleanup AAAAAA1: message-id=<>", Self.ours[2]]
        #expect(ReadLog.told(Self.lines(withoutID + delivery)) == [pair])
    }

    @Test func recipientsAndTime() throws {
        let mail = try #require(ReadLog.mails(Self.lines(Self.ours), .postfix).first)
        #expect(mail.entry.recipients == 2 && mail.time == ReadLog.now - 8 * 3600 - 29 * 60)
    }

    @Test func aFloodOfStrangersPushesOutNoneOfOurs() {
        var log = MTALog(.postfix, ReadLog.site(), now: ReadLog.now, isUTC: true)
        log.read(Octets(Self.lines(Array(Self.ours.prefix(2)))).span)
        for number in 0..<2 * PostfixLogReader.otherLimit {
            log.read(Octets(Self.lines(["smtpd F\(1_000_000 + number): client=x[203.0.113.1]", "cleanup F\(1_000_000 + number): message-id=<\(number)@x>"])).span)
        }
        log.read(Octets(Self.lines([Self.ours[2]])).span)
        #expect(log.take().map { ReadLog.text($0.entry) } == ["<a@x> from ann@ours.example"])
    }

    @Test func everyDivisionTellsTheSame() {
        let text = Octets(Self.lines(Self.ours) + "garbage\n\n\0\u{1}\nNov 22\nNov 22 03:31:00 mail postfix/qmgr[1]: AAAAAA1: from=<\n" + Self.lines(Self.stranger))
        everyDivision(text) { chunks in
            var log = MTALog(.postfix, ReadLog.site(), now: ReadLog.now, isUTC: true)
            for chunk in chunks { log.read(chunk.span) }
            #expect(log.take().map { ReadLog.text($0.entry) } == ["<a@x> from ann@ours.example"])
            #expect(log.counts.lines == 11 && log.counts.mails == 1 && log.counts.strangers == 1)
        }
    }

    @Test func theRecordedLog() throws {
        guard let log = ReadLog.recording("postfix-3.7.11-maillog.txt") else { return }
        let site = LogSite(isOwnClient: { _ in false }, isOwnAddress: { $0.suffix(15) == Octets("@victim.example")[...] })
        let told = Set(ReadLog.mails(String(decoding: log, as: UTF8.self), .postfix, site).flatMap(\.entry.ids).map { String(decoding: $0.octets, as: UTF8.self) })
        #expect(told.isSuperset(of: ["sasl-1@victim.example", "20261122033100.2F038F780A4@mail.victim.example", "later-1@victim.example"]))
        for stranger in ["fwd-1@remote.example", "in-1@remote.example", "zoo-postfix-plain.20261122@mail.victim.example"] { #expect(!told.contains(stranger)) }
    }
}
