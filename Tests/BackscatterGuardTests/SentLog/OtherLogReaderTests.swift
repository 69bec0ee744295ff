@testable import BackscatterGuard
import Testing

@Suite("Exim's log: which ids count as sent") struct EximLogReaderTests {
    private static let stamp = "2026-11-22 03:32:32 1xUyJc-0005wW-1W "
    private static let quoted = "\"x A=plain:bob P=esmtpsa S=1\"@ours.example"

    @Test(arguments: [
        ("<= ann@ours.example U=ann P=local S=385 id=a@x for y@y.example", ["<a@x> from ann@ours.example"]),
        ("<= ann@ours.example U=ann P=local S=385 for y@y.example", ["queued as 1xUyJc-0005wW-1W from ann@ours.example"]),
        ("<= ann@ours.example H=(c.example) [203.0.113.1] P=esmtpsa X=TLS1.3:x:256 CV=no A=plain:ann S=3 id=a@x", ["<a@x> from ann@ours.example"]),
        ("<= ann@ours.example H=h.example (c.example) [192.0.2.7]:4711 I=[127.0.0.1]:25 P=esmtp S=3 id=a@x", ["<a@x> from ann@ours.example"]),
        ("<= ann@ours.example H=[192.0.2.7] P=smtp S=3 id=a@x", ["<a@x> from ann@ours.example"]),
        ("<= ann@ours.example H=([192.0.2.7]) [203.0.113.1] P=esmtp S=3 id=a@x", []),
        ("<= ann@ours.example H=(c) [203.0.113.1] P=esmtp S=3 id=a@x", []),
        ("<= ann@ours.example H=(c) [203.0.113.1] U=root P=esmtp S=3 id=a@x", []),
        ("<= ann@ours.example H=(c) [203.0.113.1] P=esmtp S=3 id=a@x T=\"U=ann A=plain:ann S=1 P=local\" for y@y.example", []),
        ("<= \(quoted) H=(c) [203.0.113.1] P=esmtp S=3 id=a@x", []),
        ("<= a\\ A=x@ours.example H=(c) [203.0.113.1] P=esmtp S=3 id=a@x", []),
        ("<= <> R=1xUyJc-0005wW-1V U=Debian-exim P=local S=2364 for user@ours.example", []),
        ("<= eve@else.example U=vmail P=local S=385 id=a@x", []),
        ("<= ann@ours.example U=ann P=local S=3 id=m\\303\\274ll@x", ["<müll@x> from ann@ours.example"]),
        ("<= ann@ours.example U=ann", []), ("<= ", []), ("=> y@y.example", []), ("Completed", []),
    ]) func arrival(_ line: String, _ told: [String]) {
        #expect(ReadLog.told(Self.stamp + line + "\n", .exim) == told)
    }

    @Test(arguments: ["[123] ", ""]) func selectors(_ process: String) {
        let line = "2026-11-22 03:32:32.123 +0100 \(process)1xUyJc-00000005wWz-1W00 <= ann@ours.example U=ann P=local S=385 id=a@x\n"
        let mails = ReadLog.mails(line, .exim)
        #expect(mails.map { ReadLog.text($0.entry) } == ["<a@x> from ann@ours.example"])
        #expect(mails.first?.time == 1_795_314_752)
    }

    @Test func throughSyslog() {
        let line = "1xUyJc-0005wW-1W <= ann@ours.example U=ann P=local S=385 id=a@x\n"
        for stamp in ["", "2026-11-22 03:32:32 "] {
            #expect(ReadLog.told("Nov 22 03:32:32 mail exim[12]: \(stamp)\(line)", .exim) == ["<a@x> from ann@ours.example"])
        }
        #expect(ReadLog.told("Nov 22 03:32:32 mail other[12]: \(line)", .exim) == [])
    }

    @Test func deliveries() {
        let arrival = Self.stamp + "<= ann@ours.example H=[192.0.2.7] P=smtp S=3\n"
        let delivery = Self.stamp + "=> y@y.example <list@ours.example> R=dns T=smtp H=relay.example [1.2.3.4] C=\"250 Ok 0102018f2b7c1a2b-3c4d5e6f-7a8b-000000\"\n"
        let told = ReadLog.told(arrival + delivery, .exim, ReadLog.site(relays: ["relay.example"]))
        #expect(told == [
            "queued as 1xUyJc-0005wW-1W from ann@ours.example", "from ann@ours.example to y@y.example to list@ours.example",
            "queued as 0102018f2b7c1a2b-3c4d5e6f-7a8b-000000 from ann@ours.example",
        ])
        #expect(ReadLog.told(arrival + Self.stamp + "Completed\n" + delivery, .exim).count == 1)
    }

    /// Lines of Exim 4.96 with `log_selector = +return_path_on_delivery`, and without.
    @Test(arguments: [
        ("the return path is another, and ours", "=> y@y.example <list@ours.example> P=<list-errors@ours.example> R=out T=out H=h [192.0.2.1] C=\"250 ok\"", ["<p@x> bound from list-errors@ours.example"]),
        ("the same, with the sender", "=> y@y.example <list@ours.example> F=<eve@else.example> P=<list-errors@ours.example> R=out T=out", ["<p@x> bound from list-errors@ours.example"]),
        ("the same, with all parents", "=> y@y.example (a@ours.example) <list@ours.example> P=<list-errors@ours.example> R=out T=out", ["<p@x> bound from list-errors@ours.example"]),
        ("another and not ours", "=> y@y.example <list@ours.example> P=<list@else.example> R=out T=out", []),
        ("unchanged", "=> y@y.example <list@ours.example> P=<eve@else.example> R=out T=out", []),
        ("null", "=> y@y.example <list@ours.example> P=<> R=out T=out", []),
        ("words of the recipient", "=> y@y.example <\"x> P=<ann@ours.example>\"@ours.example> P=<eve@else.example> R=out T=out", []),
        ("words of a remote server", "=> y@y.example <y@ours.example> P=<eve@else.example> R=out T=out C=\"250 P=<ann@ours.example> x\"", []),
        ("delivered without a redirect", "=> y@y.example R=out T=out H=h [192.0.2.1]", []),
        ("refused", "** y@y.example <list@ours.example> R=out T=out H=h: 550 no", []),
    ]) func redirects(_ name: String, _ delivery: String, _ told: [String]) {
        let arrival = Self.stamp + "<= eve@else.example H=(c) [203.0.113.1] P=esmtp S=3 id=p@x\n"
        #expect(ReadLog.told(arrival + Self.stamp + delivery + "\n", .exim) == told, "\(name)")
        #expect(ReadLog.told(arrival + Self.stamp + "Completed\n" + Self.stamp + delivery + "\n", .exim) == [], "\(name)")
    }

    /// Where the log does not tell the return path the usual names of a list's owner count, and no others.
    @Test func redirectsWithoutReturnPath() {
        let arrival = Self.stamp + "<= eve@else.example H=(c) [203.0.113.1] P=esmtp S=3 id=p@x\n"
        let delivery = Self.stamp + "=> y@y.example <list@ours.example> R=out T=out H=h [192.0.2.1]\n"
        let told = ReadLog.told(arrival + delivery + delivery, .exim)
        #expect(Set(told).isSuperset(of: ["<p@x> bound from owner-list@ours.example", "<p@x> bound from list-bounces@ours.example", "<p@x> bound from list@ours.example"]))
        #expect(told.count == Set(told).count && told.allSatisfy { $0.contains("bound from ") && $0.contains("list") && $0.hasSuffix("@ours.example") })
    }

    @Test(arguments: [
        ("=> y@y.example <list@ours.example> R=out T=out", 1), ("=> y@y.example <list@ours.example> P=<list-errors@ours.example> R=out T=out", nil),
        ("=> ann@ours.example <list@ours.example> R=own T=box", nil), ("=> ann@ours.example R=own T=box", nil),
    ] as [(String, Int?)])
    func returnPathsThatAreNotToldAreCounted(_ delivery: String, _ count: Int?) {
        var log = MTALog(.exim, ReadLog.site(), now: ReadLog.now, isUTC: true)
        log.read(Octets((Self.stamp + "<= eve@else.example H=(c) [203.0.113.1] P=esmtp S=3 id=p@x\n" + Self.stamp + delivery + "\n").utf8).span)
        #expect(log.counts.untoldPaths == count)
    }

    @Test func aRedirectOfMailWithoutIDTellsItsPair() {
        let arrival = Self.stamp + "<= eve@else.example H=(c) [203.0.113.1] P=esmtp S=3\n"
        let delivery = Self.stamp + "=> y@y.example <list@ours.example> P=<list-errors@ours.example> R=out T=out\n"
        #expect(ReadLog.told(arrival + delivery, .exim) == ["from list-errors@ours.example to y@y.example"])
    }

    @Test func theRecordedLog() {
        guard let log = ReadLog.recording("exim-4.96-mainlog.txt") else { return }
        let site = LogSite(isOwnClient: { _ in false }, isOwnAddress: { $0.suffix(15) == Octets("@victim.example")[...] })
        let told = ReadLog.told(String(decoding: log, as: UTF8.self), .exim, site)
        #expect(told == [
            "queued as 1xUyKH-0006uM-00 from alice@victim.example", "<folded-exim@victim.example> from user@victim.example",
            "queued as 1xUyKH-0006ug-0b from user@victim.example", "<müll@victim.example> from user@victim.example",
            "<first-half.second-half@victim.example> from user@victim.example", "queued as 1xUyKH-0006v5-0z from user@victim.example",
        ])
    }
}

@Suite("sendmail's log: which ids count as sent") struct SendmailLogReaderTests {
    private static let stamp = "Nov 22 03:35:02 mail sm-mta[36]: "
    private static let long = String(repeating: "L", count: 99)

    @Test(arguments: [
        ("6AM3Z2fb003652: from=<ann@ours.example>, size=3, class=0, nrcpts=1, msgid=<a@x>, proto=ESMTP, daemon=MTA-v4, relay=h.example [192.0.2.7]", ["<a@x> from ann@ours.example"]),
        ("6AM3Z2fb003652: from=ann@ours.example, size=3, class=0, nrcpts=1, msgid=<a@x>, relay=ann@localhost", ["<a@x> from ann@ours.example"]),
        ("6AM3Z2fb003652: from=ann, size=3, class=0, nrcpts=1, msgid=<a.\\n b@x>, relay=ann@localhost", ["<a.b@x> from ann"]),
        ("6AM3Z2fb003652: from=ann, size=3, class=0, nrcpts=1, msgid=<m\\303\\274ll@x> (by me), bodytype=8BITMIME, relay=ann@localhost", ["<müll@x> from ann"]),
        ("6AM3Z2fb003652: from=<ann@ours.example>, size=3, class=0, nrcpts=1, msgid=<\(long), proto=ESMTP, daemon=MTA, relay=h [IPv6:2001:db8::7]", ["<\(long.lowercased())... from ann@ours.example"]),
        ("6AM3Z2fb003652: from=<ann@ours.example>, size=3, class=0, nrcpts=1, msgid=<a@x>, proto=ESMTP, daemon=MTA-v4, relay=h.example [203.0.113.1]", []),
        ("6AM3Z2fb003652: from=<ann@ours.example>, size=3, class=0, nrcpts=1, msgid=<a@x>, proto=ESMTP, relay=ann@localhost, proto=ESMTP, daemon=MTA-v4, relay=h.example [203.0.113.1] (may be forged)", []),
        ("6AM3Z2fb003652: from=<ann@ours.example>, size=3, class=0, nrcpts=1, msgid=<a@x>, proto=ESMTP, relay=IDENT:192.0.2.7@h [203.0.113.1]", []),
        ("6AM3Z2fb003652: from=<>, size=3, class=0, nrcpts=1, msgid=<a@x>, relay=localhost", []),
        ("6AM3Z2fb003652: from=<ann@ours.example>, size=3, class=0, nrcpts=1, msgid=<a@x>, relay=[RESPONSE]", []),
        ("6AM3Z2fb003652: from=<ann@ours.example>", []), ("6AM3Z2fb003652: from=", []),
    ]) func arrival(_ line: String, _ told: [String]) {
        #expect(ReadLog.told(Self.stamp + line + "\n", .sendmail) == told)
    }

    @Test func authentication() {
        let auth = Self.stamp + "AUTH=server, relay=h.example [203.0.113.1], authid=ann, mech=PLAIN, bits=0\n"
        func from(_ relay: String) -> String { Self.stamp + "6AM3Z2fb003652: from=<ann@ours.example>, size=3, class=0, nrcpts=1, msgid=<a@x>, proto=ESMTP, daemon=MTA, relay=\(relay)\n" }
        #expect(ReadLog.told(auth + from("h.example [203.0.113.1]"), .sendmail) == ["<a@x> from ann@ours.example"])
        #expect(ReadLog.told(auth + from("i.example [203.0.113.2]"), .sendmail) == [])
        #expect(ReadLog.told(auth + from("h.example [203.0.113.1]").replacing("sm-mta[36]", with: "sm-mta[37]"), .sendmail) == [])
    }

    @Test func anIDThatWasCutCountsByItsBeginning() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        defer { log.close() }
        let id = String(repeating: "Long.", count: 22) + "@x.example"
        let line = Self.stamp + "6AM3Z2fb003652: from=ann@ours.example, size=3, class=0, nrcpts=1, msgid=\("<\(id)>".prefix(100)), relay=ann@localhost\n"
        try log.recordAndWait(ReadLog.mails(line, .sendmail).map(\.entry), at: noon)
        for (asked, isKnown) in [(id, true), (id + "other", true), ("x" + id, false), (String(id.prefix(90)), false), (String(id.prefix(95)) + "?" + id.suffix(10), false)] {
            let wanted = try #require(MessageID(Octets(asked)))
            #expect(try (log.lookup(wanted, at: noon) != nil) == isKnown, "\(asked)")
        }
    }

    /// Lines of sendmail 8.17: an alias with an owner makes a mail of its own.
    @Test(arguments: [
        ("list", "eve@else.example", "6AMBk8b6027238: 6AMBk8b6027239: clone: owner=list-errors@ours.example", ["<p@x> bound from list-errors@ours.example"]),
        ("owner without a domain", "eve@else.example", "6AMBk8b6027238: 6AMBk8b6027239: clone: owner=both-req", ["<p@x> bound from both-req@ours.example", "<p@x> bound from both-req@more.example"]),
        ("owner elsewhere", "eve@else.example", "6AMBk8b6027238: 6AMBk8b6027239: clone: owner=list@else.example", []),
        ("owner is the sender", "list-errors@ours.example", "6AMBk8b6027238: 6AMBk8b6027239: clone: owner=List-Errors@ours.example", []),
        ("of another mail", "eve@else.example", "6AMBk8b6027299: 6AMBk8b6027239: clone: owner=list-errors@ours.example", []),
        ("cut", "eve@else.example", "6AMBk8b6027238: 6AMBk8b6027239: clone: owner=", []), ("cut", "eve@else.example", "6AMBk8b6027238: 6AMBk8b6027239: clone", []),
        ("cut", "eve@else.example", "6AMBk8b6027238: ", []), ("words of a remote server", "eve@else.example", "6AMBk8b6027238: to=x, stat=6AMBk8b6027239: clone: owner=ann@ours.example", []),
    ]) func clones(_ name: String, _ sender: String, _ clone: String, _ told: [String]) {
        let arrival = Self.stamp + "6AMBk8b6027238: from=<\(sender)>, size=34, class=0, nrcpts=1, msgid=<p@x>, proto=ESMTP, daemon=MTA, relay=h.example [203.0.113.1]\n"
        #expect(ReadLog.told(arrival + Self.stamp + clone + "\n", .sendmail) == told, "\(name)")
    }

    @Test func clonesOfLongIDs() {
        let arrival = Self.stamp + "6AMBk8b6027238: from=<eve@else.example>, size=34, class=0, nrcpts=1, msgid=<\(Self.long), proto=ESMTP, daemon=MTA, relay=h.example [203.0.113.1]\n"
        let clone = Self.stamp + "6AMBk8b6027238: 6AMBk8b6027239: clone: owner=list-errors@ours.example\n"
        #expect(ReadLog.told(arrival + clone, .sendmail) == ["<\(Self.long.lowercased())... bound from list-errors@ours.example"])
    }

    /// A mail of ours is known already; its clone's pairs and relay's ids count for the owner.
    @Test func clonesOfOurMail() {
        let site = ReadLog.site(relays: ["relay.example"])
        let lines = ["6AMBk8b6027238: from=<ann@ours.example>, size=34, class=0, nrcpts=1, msgid=<p@x>, relay=ann@localhost", "6AMBk8b6027238: 6AMBk8b6027239: clone: owner=list-errors@ours.example",
                     "6AMBk8b6027239: to=y@y.example, delay=00:00:00, mailer=esmtp, pri=1, relay=relay.example [192.0.2.1], dsn=2.0.0, stat=Sent (Ok 0102018f2b7c1a2b-3c4d5e6f-7a8b-000000)"]
        #expect(ReadLog.told(lines.map { Self.stamp + $0 + "\n" }.joined(), .sendmail, site)
            == ["<p@x> from ann@ours.example", "queued as 0102018f2b7c1a2b-3c4d5e6f-7a8b-000000 from list-errors@ours.example"])
    }

    @Test func theRecordedLog() {
        guard let log = ReadLog.recording("sendmail-8.17-syslog.txt") else { return }
        let told = ReadLog.told(String(decoding: log, as: UTF8.self), .sendmail, LogSite(isOwnClient: { _ in false }, isOwnAddress: { _ in true }))
        #expect(told == [
            "<202611220335.6AM3ZXQb005652@mail.victim.example> from user@victim.example", "<first-half.second-half@victim.example> from user@victim.example",
            "<müll@victim.example> from user@victim.example", "<\(Self.long.lowercased())... from user@victim.example",
        ])
    }
}

@Suite("Log lines and their stamps") struct LogLineTests {
    private func cut(_ text: String, now: Int64 = ReadLog.now) -> (Int64, String, Int, String)? {
        var clock = LogClock(now: now, isUTC: true)
        let octets = Octets(text)
        guard let line = LogLine.cut(octets.span, &clock) else { return nil }
        return (line.time, String(decoding: octets[line.program], as: UTF8.self), line.process, String(decoding: octets[line.text...], as: UTF8.self))
    }

    @Test(arguments: [
        ("Nov 22 03:31:00 mail postfix/cleanup[187]: text: of it", 1_795_318_260, "postfix/cleanup", 187, "text: of it"),
        ("<22>Nov 22 03:31:00 sendmail[187]: text", 1_795_318_260, "sendmail", 187, "text"),
        ("Nov  2 03:31:00 mail exim: text", 1_793_590_260, "exim", 0, "text"),
        ("2026-11-22T03:31:00.428585+00:00 mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("2026-11-22T03:31:00Z mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("2026-11-22T04:31:00+01:00 mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("2026-11-21T22:31:00-0500 mail p[1]:", 1_795_318_260, "p", 1, ""),
        // With a year, with fractions
        ("Nov 22 2026 03:31:00 mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("Nov 22 03:31:00.123456 mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("2026 Nov 22 03:31:00 mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("2025 Nov  2 03:31:00.5 mail p[1]: t", 1_762_054_260, "p", 1, "t"),
        ("Sun Nov 22 03:31:00 2026 mail.info p[1]: t", 1_795_318_260, "p", 1, "t"),
        // FreeBSD's syslogd -v and -vv
        ("Nov 22 03:31:00 <2.6> mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("Nov 22 03:31:00 <mail.info> mail p[1]: t", 1_795_318_260, "p", 1, "t"),
        // busybox, and templates with a column of priorities
        ("Nov 22 03:31:00 mail mail.info p[1]: t", 1_795_318_260, "p", 1, "t"),
        ("Nov 22 03:31:00 mail local0.WARN p[1]: t", 1_795_318_260, "p", 1, "t"),
        // syslog-ng's chain of hosts
        ("2026-11-22T03:31:00+00:00 mail/mx p[1]: t", 1_795_318_260, "p", 1, "t"),
        // Solaris
        ("Nov 22 03:31:00 mail p[1]: [ID 197553 mail.info] t", 1_795_318_260, "p", 1, "t"),
        ("Nov 22 03:31:00 mail p[1]: [ID is not closed", 1_795_318_260, "p", 1, "[ID is not closed"),
        ("Nov 22 03:31:00 mail p[1]:  t", 1_795_318_260, "p", 1, "t"),
        // RFC 5424
        ("<22>1 2026-11-22T03:31:00.123Z mail postfix/qmgr 12 - - t", 1_795_318_260, "postfix/qmgr", 12, "t"),
        ("1 2026-11-22T03:31:00.123Z mail p 12 - -  t", 1_795_318_260, "p", 12, "t"),
        ("<22>1 2026-11-22T03:31:00Z mail p - ID47 [a@1 b=\"]\\\" \"][c d=\"\"] \u{FEFF}t", 1_795_318_260, "p", 0, "t"),
        ("<22>1 - - p x - -", ReadLog.now, "p", 0, ""),
    ]) func parts(_ line: String, _ time: Int64, _ program: String, _ process: Int, _ text: String) throws {
        let found = try #require(cut(line))
        #expect(found == (time, program, process, text))
    }

    @Test(arguments: [
        "", "Nov", "Nov 22 03:31:00", "Nov 22 03:31:00 ", "Nov 22 03:31:00 mail", "Nov 22 03:31:00 mail p", "Nov 32 03:31:00 mail p: t", "Nov 22 25:31:00 mail p: t",
        "Foo 22 03:31:00 mail p: t", "Nov 22 03:31:00 mail [1]: t", "Nov 22 03:31:00 mail p[x]: t", "2026-13-22T03:31:00Z mail p: t", "<>Nov 22 03:31:00 m p: t",
        "Nov 22 03:31:00 mail p[99999999999999999999999999]: t", "Feb 30 03:31:00 mail p: t",
        "<22>1", "<22>1 ", "<22>1 2026-11-22T03:31:00Z", "<22>1 2026-11-22T03:31:00Z mail p 1 -", "<22>1 2026-11-22T03:31:00Z mail p 1 - ", "<22>1 2026-11-22T03:31:00Z mail p 1 - [a",
        "<22>1 2026-11-22T03:31:00Z mail p 1 - [a=\"] t", "<22>1 2026-11-22T03:31:00Z mail p 1 - t", "<22>2 2026-11-22T03:31:00Z mail p 1 - - t", "<22>1 2026-11-22T03:31:00Z  p 1 - - t",
        "Nov 22 03:31:00 mail mail.info", "Nov 22 03:31:00 mail mail.infos p: t", "Nov 22 03:31:00 mail .info p: t", "Nov 22 03:31:00 <mail.info>", "Nov 22 2026", "Nov 22 2026 03:31", "2026 Nov 22",
        "Sun Nov 22 03:31:00 202", "Sun Nov 22", "Nov 22 03:31:00 mail x y p: t", "{\"time\":\"2026-11-22T03:31:00Z\"}",
    ]) func noLine(_ line: String) { #expect(cut(line) == nil) }

    @Test func theYearIsTheNewestThatFits() throws {
        // 2026-01-02 00:00 UTC
        let newYear: Int64 = 1_767_312_000
        #expect(try #require(cut("Dec 31 23:00:00 m p: t", now: newYear)).0 == newYear - 25 * 3600)
        #expect(try #require(cut("Jan  2 00:30:00 m p: t", now: newYear)).0 == newYear + 1800)
        #expect(try #require(cut("Feb 29 00:00:00 m p: t", now: newYear)).0 == 1_709_164_800)
        // The cached stamp does not outlive the year.
        var clock = LogClock(now: newYear, isUTC: true)
        let line = Octets("Dec 31 23:00:00 m p: t")
        #expect(LogLine.cut(line.span, &clock)?.time == newYear - 25 * 3600)
        clock.now += 365 * 86_400
        #expect(LogLine.cut(line.span, &clock)?.time == newYear + 364 * 86_400 - 3600)
    }
}
