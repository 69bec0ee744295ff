import Testing
@testable import BackscatterGuard

@Suite("Hooks: which of qmail's mail began here") struct QmailHookTests {
    static let own = "Received: (qmail 12 invoked by uid 1000); 22 Nov 2026 03:00:00 -0000\n"
    static let network = "Received: (qmail 12 invoked from network); 22 Nov 2026 03:00:00 -0000\nReceived: from unknown (HELO mx.stranger.example) (192.0.2.66)\n  by mail.a.example with SMTP; 22 Nov 2026 03:00:00 -0000\n"
    static let fields = "From: <x@y.example>\nMessage-ID: <one@a.example>\nSubject: x\n\nBody\nMessage-ID: <body@a.example>\n"

    private func isOwn(_ text: String, sender: String = "ann@a.example", to: String = "bob@b.example", networks: [String] = [], rcpthosts: String = "") -> Bool {
        var settings = HookSettings()
        settings.outgoingNetworks = networks.compactMap { Network($0) }
        let list = QmailOrigin.list(Octets(rcpthosts.utf8))
        return QmailOrigin.isOwn(QmailHeader(Octets(text.utf8)), sender: Octets(sender.utf8), recipients: [Octets(to.utf8)], settings: settings) {
            QmailOrigin.holds(list, $0)
        }
    }

    @Test func aUsersMail() throws {
        #expect(isOwn(Self.own + Self.fields))
        let header = QmailHeader(Octets((Self.own + Self.fields).utf8))
        #expect(header.messageIDs == [try id("one@a.example")] && !header.overflowed && !header.wasForwarded)
    }

    /// Programs that read mail from a web form write Received fields of their own.
    @Test func aWebmailersReceivedFieldIsNoForward() {
        #expect(isOwn(Self.own + "Received: from 192.0.2.3 (via web) by www.a.example with HTTP; date\n" + Self.fields))
    }

    @Test func bouncesAreNot() {
        #expect(!isOwn(Self.own + Self.fields, sender: ""))
        #expect(!isOwn(Self.own + Self.fields, sender: "#@[]"))
        #expect(!isOwn("Received: (qmail 12 invoked for bounce); date\n" + Self.fields))
    }

    @Test(arguments: [own + "Delivered-To: ann@a.example\n" + network, "Received: (qmail 13 invoked by alias); date\n" + fields, "Received: (qmail 13 invoked by alias); date\n" + network])
    func whatIsSentOnIsNot(_ text: String) {
        #expect(!isOwn(text + Self.fields))
    }

    @Test func aResentMailCountsByItsNewID() throws {
        let text = Self.own + "Resent-Message-ID: <again@a.example>\nDelivered-To: ann@a.example\n" + Self.network + Self.fields
        #expect(isOwn(text))
        #expect(QmailHeader(Octets(text.utf8)).messageIDs == [try id("again@a.example")])
    }

    @Test func aListsMailCountsWhereverItCameFrom() throws {
        let text = "Received: (qmail 13 invoked by alias); date\n" + Self.network + Self.fields
        #expect(isOwn(text, sender: "list-return-7-bob=b.example@a.example"))
        #expect(!isOwn(text, sender: "list-return-7-eve=b.example@a.example"))
        #expect(!isOwn(text, sender: "bob=b.example@a.example"))
        #expect(QmailHeader(Octets(text.utf8)).allMessageIDs == [try id("one@a.example")])
    }

    @Test func relayedMail() {
        let mail = Self.network + Self.fields
        #expect(isOwn(mail), "only a RELAYCLIENT may send there")
        #expect(!isOwn(mail, rcpthosts: "a.example\nb.example\n"), "everybody may send there")
        #expect(!isOwn(mail, to: "bob@x.b.example", rcpthosts: ".B.example\n"))
        #expect(isOwn(mail, networks: ["192.0.2.0/24"], rcpthosts: "b.example\n"))
        #expect(!isOwn(mail, networks: ["198.51.100.0/24"], rcpthosts: "b.example\n"))
    }

    @Test(arguments: [
        "Received: (qmail x invoked by uid 1000); date\n", "Received: (qmail 1 invoked by uid ); date\n", "Received: (qmail 1 invoked by uid 10\n", "Subject: x\n" + own, "",
        "X-Received: (qmail 1 invoked by uid 1); date\n", " " + own,
    ]) func onlyTheFirstLineCounts(_ text: String) {
        #expect(!isOwn(text + Self.fields))
    }

    @Test func headersTooLarge() {
        let filling = String(repeating: "X-Filling: line of a header section that does not end\n", count: 2_200)
        let header = QmailHeader(Octets((Self.own + filling + Self.fields).utf8.prefix(QmailHeader.limit)))
        #expect(header.overflowed && header.messageIDs.isEmpty)
    }

    @Test func envelopeInAnyDivision() {
        let text = Octets("Fann@a.example\0Tbob@b.example\0Teve@b.example\0\0".utf8)
        everyDivision(text + Octets("rest".utf8)) { pieces in
            var envelope = QmailEnvelope()
            var passed = 0
            for piece in pieces where !envelope.isComplete { passed += envelope.read(piece[...]) }
            #expect(passed == text.count - 1 && envelope.isComplete)
            #expect(envelope.sender == Octets("ann@a.example".utf8))
            #expect(envelope.recipients == [Octets("bob@b.example".utf8), Octets("eve@b.example".utf8)])
        }
    }

    @Test(arguments: ["", "Fann@a.example\0", "Fann@a.example\0Tbob@b.example\0", "\0", "Tbob@b.example\0\0", "Fa\0Fb\0\0", "Fa\0Xb\0\0"])
    func envelopesThatAreNotWhole(_ text: String) {
        var envelope = QmailEnvelope()
        #expect(envelope.read(Octets(text.utf8)[...]) == text.utf8.count)
        #expect(!envelope.isComplete)
    }

    @Test func whoCallsTheQueue() {
        func isOwn(_ sender: String, _ caller: QmailQueue.Caller) -> Bool { QmailQueue.isOwn(Octets(sender.utf8), caller) }
        #expect(isOwn("ann@a.example", .init()))
        #expect(!isOwn("", .init()) && !isOwn("#@[]", .init()))
        #expect(!isOwn("ann@a.example", .init(isRemote: true)))
        #expect(isOwn("ann@a.example", .init(isRemote: true, isRelayClient: true)))
        let forwarded = QmailQueue.Caller(localSender: Octets("ann@a.example".utf8))
        #expect(!isOwn("ann@a.example", forwarded))
        #expect(isOwn("list-return-@a.example-@[]", forwarded))
        #expect(!isOwn("ann@a.example-@[]", .init(localSender: Octets("ann@a.example-@[]".utf8))))
    }

    @Test func calledByName() {
        func called(_ words: String...) -> (HookProgram.Role, [String], Int)? {
            HookProgram.called(words.map { Octets($0.utf8) }).map { ($0.role, $0.rest.map { String(decoding: $0, as: UTF8.self) }, $0.flags.count) }
        }
        #expect(called("qmail-remote", "b.example", "a@a", "b@b").map { $0 == (.qmailRemote, ["qmail-remote", "b.example", "a@a", "b@b"], 0) } == true)
        #expect(called("/usr/local/lib/guardd/qmail-queue").map { $0 == (.qmailQueue, ["/usr/local/lib/guardd/qmail-queue"], 0) } == true)
        #expect(called("guardd", "qmail-remote", "--socket", "/x", "--", "--h", "a@a", "b@b").map { $0 == (.qmailRemote, ["qmail-remote", "--h", "a@a", "b@b"], 1) } == true)
        for words in [["guardd", "run"], ["guardd"], ["guardd", "qmail-remote", "--help"], ["/x/qmail-remote.sh"]] {
            #expect(HookProgram.called(words.map { Octets($0.utf8) }) == nil)
        }
        // A sender that looks like a flag is none where the name is qmail-remote's.
        #expect(called("qmail-remote", "--socket", "--spool", "b@b").map { $0.1.count } == 4)
    }

    @Test func settingsFile() throws {
        var settings = HookSettings()
        try settings.read(Octets("# hooks\ncontrol_socket = \"/a b\"\r\n\n deadline=\"3\"\nrecord_failure = \"pass\"\noutgoing_networks = \"192.0.2.0/24 ::1\"\n".utf8), file: "f")
        #expect(settings.controlSocket == "/a b" && settings.deadline == 3_000 && settings.passesUnrecorded && settings.outgoingNetworks.count == 2)
        for (line, text) in [
            ("control_socket = /a", "f:1: control_socket: write the value in quotes, with nothing behind it"), ("control", "f:1: write key = \"value\""),
            ("spool_directory = \"spool\"", "f:1: spool_directory: write an absolute path"), ("deadline = \"0\"", "f:1: deadline: write seconds, 1 to 120"),
            ("record_failure = \"maybe\"", "f:1: record_failure: write \"tempfail\" or \"pass\""),
        ] {
            #expect(throws: HookSettings.Fault(text: text)) { try settings.read(Octets(line.utf8), file: "f") }
        }
    }

    @Test func reportHoldsNothingThatCouldBeAnotherField() {
        #expect(QmailRemote.report("a\n\0K b") == Octets("ZSent mail can't be recorded (guardd): a\\x0a\\x00K b. (#4.3.0)\n\0".utf8))
    }
}
