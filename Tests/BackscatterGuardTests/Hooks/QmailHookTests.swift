import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Hooks: which of qmail's mail began here") struct QmailHookTests {
    static let own = "Received: (qmail 12 invoked by uid 1000); 22 Nov 2026 03:00:00 -0000\n"
    static let network = "Received: (qmail 12 invoked from network); 22 Nov 2026 03:00:00 -0000\nReceived: from unknown (HELO mx.stranger.example) (192.0.2.66)\n  by mail.a.example with SMTP; 22 Nov 2026 03:00:00 -0000\n"
    static let fields = "From: <x@y.example>\nMessage-ID: <one@a.example>\nSubject: x\n\nBody\nMessage-ID: <body@a.example>\n"

    /// `own`, `bound`, both or nothing, as the record says.
    private func kinds(_ text: String, sender: String = "ann@a.example", to: String = "bob@b.example", networks: [String] = [], rcpthosts: String = "") -> String {
        var settings = HookSettings()
        settings.outgoingNetworks = networks.compactMap { Network($0) }
        let hosts = QmailHosts(names: QmailOrigin.list(Octets(rcpthosts.utf8)), more: nil)
        let record = QmailOrigin.record(QmailHeader(Octets(text.utf8)), sender: Octets(sender.utf8), recipients: [Octets(to.utf8)], settings: settings) { hosts.hold($0) }
        return [record.own.map { _ in "own" }, record.bound.map { _ in "bound" }].compactMap(\.self).joined(separator: " ")
    }

    private func isOwn(_ text: String, sender: String = "ann@a.example", to: String = "bob@b.example", networks: [String] = [], rcpthosts: String = "") -> Bool {
        kinds(text, sender: sender, to: to, networks: networks, rcpthosts: rcpthosts) == "own"
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

    private static let alias = "Received: (qmail 13 invoked by alias); date\n"
    private static let delivered = "Delivered-To: list@a.example\n"
    private static let listed = alias + delivered + network
    private static let loopbackNetwork = network.replacing("192.0.2.66", with: "127.0.0.1")
    private static let loopbackNetwork6 = network.replacing("192.0.2.66", with: "IPv6:::1")
    private static let popped = own + "Received: from mx.stranger.example (192.0.2.66) by pop.a.example with SMTP; date\n"
    private static let webbed = own + "Received: from 192.0.2.3 by www.a.example with HTTP; date\nReceived: from mx.stranger.example (192.0.2.66) by x with SMTP; date\n"
    private static let ownLater = own + delivered + network + "Delivered-To: ann@a.example\n"

    /// A .qmail file sends on under the sender that the mail came with.
    @Test(arguments: [own + delivered + network, listed, alias + "X: y\n" + delivered + network])
    func whatIsSentOnIsNot(_ text: String) {
        #expect(kinds(text + Self.fields) == "")
        #expect(kinds(text + Self.fields, sender: "eve@stranger.example") == "")
    }

    /// Under a sender of its own a stranger's id counts, and for that sender only.
    @Test(arguments: [
        (listed, "list-owner@a.example", "bound"), (listed, "List-Bounces@A.example", "bound"), (listed, "owner-list@a.example", "bound"),
        (own + delivered + network, "list-return-7-bob=b.example@a.example", "bound"),
        (listed, "listing@a.example", ""), (listed, "list-owner@b.example", ""), (listed, "list@a.example", ""),
        // Not by qmail-local: a list's program.
        (alias + network, "anything@a.example", "bound"), (own + network, "anything@a.example", "bound"), (alias, "autoresponder@a.example", "bound"),
        // Below the earlier line stands what the stranger wrote.
        (own + network + delivered, "list-owner@a.example", "bound"), (ownLater, "ann-owner@a.example", ""),
        // A user's program that sends again what came by another way.
        (popped, "ann@a.example", "bound"), (webbed, "ann@a.example", "bound"),
        // A RELAYCLIENT: a web server's own mail, a list's, a content filter's.
        (network + "Received: (qmail 3 invoked by uid 33); date\n", "www@a.example", "own"), (network + network, "list-bounces@a.example", "bound"),
        (network + "Received: from mx.stranger.example (192.0.2.66) by lists.a.example with SMTP; date\n", "list-bounces@a.example", "bound"),
        (loopbackNetwork, "ann@a.example", "bound"), (loopbackNetwork6, "ann@a.example", "bound"),
    ] as [(String, String, String)])
    func underASenderOfItsOwn(_ head: String, _ sender: String, _ expected: String) {
        #expect(kinds(head + Self.fields, sender: sender) == expected)
    }

    @Test func entriesOfARecord() throws {
        let ids = [try id("one@x.example")], recipients = [Octets("bob@b.example".utf8), Octets("\"e@v\"@c.example".utf8)]
        func texts(_ record: QmailRecord, _ sender: String, all: Bool = true) -> [String] {
            record.entries(sender: Octets(sender.utf8), recipients: recipients, hasAllRecipients: all).map { entry in
                (entry.isBound ? "bound " : "") + String(decoding: entry.reversePath, as: UTF8.self) + " \(entry.forwardPaths.count) \(entry.ids.count)"
            }
        }
        #expect(texts(.own(ids), "ann@a.example") == ["ann@a.example 2 1"])
        #expect(texts(.bound(ids), "list-owner@a.example") == ["bound list-owner@a.example 2 1"])
        #expect(texts(QmailRecord(own: [], bound: ids), "ann@a.example") == ["ann@a.example 2 0", "bound ann@a.example 2 1"])
        #expect(texts(.bound(ids), "list-return-@a.example-@[]") == ["bound list-return-bob=b.example@a.example 1 1", "bound list-return-\"e@v\"=c.example@a.example 1 1"])
        #expect(texts(.bound(ids), "list-return-@a.example-@[]", all: false) == ["list-return-@a.example 2 1"])
        #expect(texts(.own(ids), "list-return-@a.example-@[]") == ["list-return-@a.example 2 1"])
        #expect(texts(.none, "ann@a.example").isEmpty)
    }

    /// A file that cdbmake wrote: `b.example` and `.c.example`, and 300 others.
    @Test func constantDatabase() throws {
        let folder = try StateDirectory()
        let path = folder.path + "/rcpthosts"
        func hosts() throws -> QmailHosts { try QmailHosts.read(path).get() }
        #expect(try !hosts().hold(Octets("b.example".utf8)))
        try write(CDBMaker.file((0..<300).map { "other\($0).example" } + ["b.example", ".c.example"]), folder.path + "/morercpthosts.cdb")
        for (name, isThere) in [("b.example", true), ("c.example", false), ("x.c.example", true), ("x.y.c.example", true), ("x.b.example", false), ("other299.example", true), ("other300.example", false), ("", false)] {
            #expect(try hosts().hold(Octets(name.utf8)) == isThere, "\(name)")
        }
        try write(Octets("A.example\n".utf8), path)
        #expect(try hosts().hold(Octets("a.example".utf8)) && hosts().hold(Octets("b.example".utf8)))
        // Cut anywhere, or of anything: an answer.
        let whole = CDBMaker.file(["b.example"])
        for length in 0..<whole.count {
            try write(Octets(whole[..<length]), folder.path + "/morercpthosts.cdb")
            _ = try hosts().hold(Octets("b.example".utf8))
        }
        try write(Octets(repeating: 0xFF, count: 4096), folder.path + "/morercpthosts.cdb")
        #expect(try !hosts().hold(Octets("b.example".utf8)))
        try FileManager.default.removeItem(atPath: folder.path + "/morercpthosts.cdb")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/morercpthosts.cdb", withDestinationPath: "morercpthosts.cdb")
        #expect(QmailHosts.read(path).map { _ in 0 } == .failure(.init(path: folder.path + "/morercpthosts.cdb", number: ELOOP)))
    }

    private func write(_ octets: Octets, _ path: String) throws { try Data(octets).write(to: URL(filePath: path)) }

    @Test func aResentMailCountsByItsNewID() throws {
        let text = Self.own + "Resent-Message-ID: <again@a.example>\nDelivered-To: ann@a.example\n" + Self.network + Self.fields
        #expect(isOwn(text))
        #expect(kinds(text, sender: "ann-owner@a.example") == "own bound")
        #expect(QmailHeader(Octets(text.utf8)).messageIDs == [try id("again@a.example")])
    }

    @Test func aListsMailCountsWhereverItCameFrom() throws {
        let text = "Received: (qmail 13 invoked by alias); date\nDelivered-To: x@a.example\n" + Self.network + Self.fields
        #expect(kinds(text, sender: "list-return-7-bob=b.example@a.example") == "bound")
        #expect(kinds(text, sender: "list-return-7-eve=b.example@a.example") == "")
        #expect(kinds(text, sender: "bob=b.example@a.example") == "")
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
        #expect(kinds(text + Self.fields) == "")
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

    @Test(arguments: [
        ("ann@a.example", .init(), "", "own"), ("", .init(), "", ""), ("#@[]", .init(), "", ""),
        ("ann@a.example", .init(isRemote: true), network, ""), ("ann@a.example", .init(isRemote: true, isRelayClient: true), smtp, "own"),
        ("list-bounces@a.example", .init(isRemote: true, isRelayClient: true), smtp + network, "bound"), ("ann@a.example", .init(isRemote: true, isRelayClient: true), loopback, "bound"),
        ("ann@a.example", .init(localSender: Octets("ann@a.example".utf8)), network, ""), ("list-return-@a.example-@[]", .init(localSender: Octets("ann@a.example".utf8)), network, "bound"),
        ("ann@a.example-@[]", .init(localSender: Octets("ann@a.example-@[]".utf8)), network, ""), ("ann@a.example", .init(localSender: Octets("ann@a.example-@[]".utf8)), network, ""),
        ("ann@a.example", .init(), network, "bound"), ("ann@a.example", .init(), delivered + network, ""), ("list-return-@a.example-@[]", .init(), delivered + network, "bound"),
    ] as [(String, QmailQueue.Caller, String, String)])
    func whoCallsTheQueue(_ sender: String, _ caller: QmailQueue.Caller, _ head: String, _ expected: String) {
        let header = QmailHeader(Octets((head + Self.fields).utf8), isQueued: false, isRemote: caller.isRemote)
        let record = QmailQueue.record(header, Octets(sender.utf8), [Octets("bob@b.example".utf8)], caller)
        #expect([record.own.map { _ in "own" }, record.bound.map { _ in "bound" }].compactMap(\.self).joined(separator: " ") == expected)
    }

    private static let smtp = "Received: from unknown (HELO pc) (192.0.2.5)\n  by mail.a.example with SMTP; date\n"
    private static let loopback = "Received: from localhost (HELO localhost) (127.0.0.1)\n  by mail.a.example with SMTP; date\n"

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

/// Writes what cdbmake(1) writes, for keys without values.
private enum CDBMaker {
    static func file(_ keys: [String]) -> Octets {
        var records: Octets = []
        var tables = [[(hash: UInt32, place: UInt32)]](repeating: [], count: 256)
        for key in keys.map({ Octets($0.utf8) }) {
            let hash = key.reduce(UInt32(5381)) { ($0 << 5 &+ $0) ^ UInt32($1) }
            tables[Int(hash & 255)].append((hash, UInt32(2048 + records.count)))
            records += word(UInt32(key.count)) + word(0) + key
        }
        var head: Octets = [], rest: Octets = []
        for table in tables {
            let size = table.count * 2
            head += word(UInt32(2048 + records.count + rest.count)) + word(UInt32(size))
            var slots = [(hash: UInt32, place: UInt32)](repeating: (0, 0), count: size)
            for entry in table {
                var slot = Int(entry.hash >> 8) % size
                while slots[slot].place != 0 { slot = (slot + 1) % size }
                slots[slot] = entry
            }
            for slot in slots { rest += word(slot.hash) + word(slot.place) }
        }
        return head + records + rest
    }

    private static func word(_ number: UInt32) -> Octets { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
}
