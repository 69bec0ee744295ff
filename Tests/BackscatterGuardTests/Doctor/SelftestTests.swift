import Testing
@testable import BackscatterGuard

@Suite("guardd selftest: its mails, its ways, its word") struct SelftestTests {
    private let mail = SelftestMail(from: "ann@a.example", to: "bob@b.example", hostname: "mail.a.example", tag: "abc", at: noon)

    private func evidence(_ content: Octets) -> Evidence {
        var reader = NotificationReader()
        reader.read(content.span)
        reader.finish()
        return reader.evidence
    }

    @Test func bouncesAreWhatTheySay() throws {
        let genuine = evidence(mail.genuineBounce), forged = evidence(mail.forgedBounce)
        let (id, forgedID) = (try #require(mail.messageID), try #require(mail.forgedMessageID))
        #expect(genuine.kind == .bounce && genuine.originalMessageIDs == [id] && genuine.failedRecipients == [Octets("bob@b.example")])
        #expect(forged.kind == .bounce && forged.originalMessageIDs == [forgedID])
        #expect(mail.id != mail.forgedID && forged.failedRecipients != genuine.failedRecipients)
    }

    /// Or mode "auto" would take it for mail that leaves unrecorded.
    @Test func theForgedOneShowsNoHostOfOurs() {
        let hosts = OwnHosts(networks: [], addresses: [], names: [Octets("a.example"), Octets("mail.a.example")])
        #expect(hosts.origin(of: evidence(mail.forgedBounce)) == nil)
    }

    @Test func dates() {
        #expect(SelftestMail.date(noon) == "Sun, 22 Nov 2026 12:00:00 +0000")
        #expect(SelftestMail.date(0) == "Thu, 01 Jan 1970 00:00:00 +0000")
    }

    private func reply(_ code: Int, _ text: String) -> ProbeReply { ProbeReply(code: code, octets: Octets("\(code) \(text)\r\n".utf8)) }

    @Test func outcomes() {
        let refused = reply(550, "5.7.1 Backscatter refused: x"), taken = reply(250, "2.0.0 Ok"), other = reply(550, "5.7.1 spam"), later = reply(451, "4.3.0 later")
        func isRight(_ genuine: Bool, _ verdict: Verdict, _ reply: ProbeReply) -> Bool {
            SelftestOutcome.of(genuine, Judgement(verdict: verdict, reason: .neverSent), reply).isRight
        }
        #expect(isRight(true, .deliver, taken) && !isRight(true, .deliver, refused) && !isRight(true, .deliver, other) && !isRight(true, .refuse, refused))
        #expect(isRight(false, .refuse, refused) && !isRight(false, .refuse, taken) && !isRight(false, .refuse, other) && !isRight(false, .refuse, later))
        #expect(isRight(false, .defer, later) && !isRight(false, .defer, taken))
        #expect(isRight(false, .deliver, taken) && isRight(false, .mark, taken) && !isRight(false, .deliver, refused) && !isRight(false, .mark, other))
        #expect(SelftestOutcome.of(false, Judgement(verdict: .deliver, reason: .neverSent, wouldRefuse: true), taken).words.contains("would be refused (never_sent)"))
    }

    // MARK: which way

    private func configuration(_ listeners: [Configuration.Listener]) throws -> Configuration {
        var configuration = Configuration()
        configuration.listeners = listeners
        configuration.policySettings.protectedDomains = [try PolicySample.pattern("a.example"), try PolicySample.pattern(".a.example")]
        return configuration
    }

    private func listener(_ text: String, _ direction: Direction) throws -> Configuration.Listener {
        .init(address: try #require(ConfigurationAddress.socket(text)), direction: direction)
    }

    private func plan(_ configuration: Configuration, _ settings: SelftestSettings = SelftestSettings()) throws -> SelftestPlan {
        try SelftestPlan(configuration, try configuration.makePolicy(), settings)
    }

    @Test func listenersBeforePrograms() throws {
        let made = try plan(configuration([try listener("0.0.0.0:25", .inbound), try listener("127.0.0.1:10026", .outbound)]))
        guard case .smtp(let door) = made.out else { Issue.record("no door"); return }
        #expect(door.address?.description == "127.0.0.1:10026" && door.source?.text == "127.0.0.1" && door.announced == nil)
        #expect(made.back.address?.description == "127.0.0.1:25", "a wildcard is reached on loopback")
        #expect(made.from == "guardd-selftest@a.example" && made.to == made.from)
    }

    @Test func clientsThatAreNotExempt() throws {
        var configuration = try configuration([try listener("127.0.0.1:25", .auto)])
        configuration.exemptClients = [try #require(Network("127.0.0.1/32"))]
        configuration.outgoingNetworks = [try #require(Network("127.0.0.0/30"))]
        let made = try plan(configuration)
        guard case .smtp(let door) = made.out else { Issue.record("no door"); return }
        #expect(door.source?.text == "127.0.0.2" && made.back.source?.text == "127.0.0.4")
        configuration.proxyClients = [try #require(Network("127.0.0.0/8"))]
        let proxied = try plan(configuration).back
        #expect(proxied.source?.text == "127.0.0.1" && proxied.announced?.text == "127.0.0.4")
    }

    @Test func addresses() throws {
        let configuration = try configuration([try listener("127.0.0.1:25", .inbound), try listener("127.0.0.1:26", .outbound)])
        func pair(_ to: String?, _ from: String?, sink: String? = nil) throws -> [String] {
            var settings = SelftestSettings()
            (settings.to, settings.from, settings.sink) = (to, from, sink)
            let made = try plan(configuration, settings)
            return [made.from, made.to]
        }
        #expect(try pair("bob@a.example", nil) == ["bob@a.example", "bob@a.example"])
        #expect(try pair("bob@b.example", nil) == ["guardd-selftest@a.example", "bob@b.example"])
        #expect(try pair(nil, "ann@x.a.example") == ["ann@x.a.example", "ann@x.a.example"])
        #expect(try pair(nil, nil, sink: "127.0.0.1:1") == ["guardd-selftest@a.example", "guardd-selftest@selftest.invalid"])
        for (to, from) in [(nil, "ann@b.example"), (nil, "postmaster@a.example"), ("-oQ/x@a.example", nil), ("ann", nil)] as [(String?, String?)] {
            #expect(throws: SelftestFault.self) { _ = try pair(to, from) }
        }
    }

    @Test func whereNothingRecordsOrJudges() throws {
        #expect(throws: SelftestFault.self) { _ = try plan(try configuration([try listener("127.0.0.1:25", .inbound)])) }
        #expect(throws: SelftestFault.self) { _ = try plan(try configuration([try listener("127.0.0.1:26", .outbound)])) }
        var milter = try configuration([try listener("127.0.0.1:8891", .auto)])
        milter.listeners[0].kind = .milter
        var settings = SelftestSettings()
        settings.sendmail = "/bin/true"
        let made = try plan(milter, settings)
        guard case .program("/bin/true") = made.out else { Issue.record("no program"); return }
        #expect(made.back.name == "127.0.0.1:25")
    }
}

@Suite("Sent log: an id is forgotten") struct ForgettingTests {
    @Test func ofEveryWeekAndNothingElse() throws {
        let directory = try StateDirectory()
        let log = try LMDBSentLog(directory.settings, at: noon)
        defer { log.close() }
        let (probe, other) = (try id("probe@a.example"), try id("other@a.example"))
        let (ann, bob) = (Octets("ann@a.example"), Octets("bob@b.example"))
        for time in [noon, noon - 8 * 86_400] {
            try log.recordAndWait(past: [(SentEntry(ids: [probe, other], reversePath: ann, forwardPaths: [bob]), time)])
        }
        let asked = Inquiry(ids: [probe, other], recipients: [ann], failedRecipients: [bob])
        try log.forget(probe, pair: nil, at: noon)
        let first = log.answer(asked, at: noon)
        #expect(first.ids[0] == nil && first.ids[1] != nil && first.knownPairs == [true])
        try log.forget(other, pair: (ann, bob), at: noon)
        let second = log.answer(asked, at: noon)
        #expect(second.ids == [nil, nil] && second.knownPairs == [false])
        try log.forget(other, pair: (ann, bob), at: noon)
    }
}
