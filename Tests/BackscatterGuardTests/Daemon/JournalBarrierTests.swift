import Foundation
import Glibc
import Testing

@testable import BackscatterGuard

@Suite("Whether the journal was read up to a moment") struct JournalBarrierTests {
    private func message(_ program: String, _ text: String, sent: Int64?) -> JournalMessage {
        JournalMessage(cursor: "c", time: 1, program: Octets(program.utf8), process: 1, text: Octets(text.utf8), isSuppression: false, sent: sent)
    }

    @Test func itsOwnMarkPassesIt() {
        let barrier = JournalBarrier(asked: 1_000, token: 0xABC)
        #expect(barrier.text == Octets("<22>guardd: journal mark abc".utf8))
        #expect(barrier.isPassed(by: message("guardd", "journal mark abc", sent: nil)))
        #expect(!barrier.isPassed(by: message("guardd", "journal mark abd", sent: nil)))
        #expect(!barrier.isPassed(by: message("postfix/smtpd", "journal mark abc", sent: nil)))
    }

    @Test func soDoesAnyMessageThatWasSentLater() {
        let barrier = JournalBarrier(asked: 1_000)
        #expect(!barrier.isPassed(by: message("postfix/smtpd", "x", sent: 999)))
        #expect(!barrier.isPassed(by: message("postfix/smtpd", "x", sent: nil)))
        #expect(barrier.isPassed(by: message("postfix/smtpd", "x", sent: 1_000)))
    }

    @Test func theMarkIsSentOnceAndNeverWaits() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "guardd-mark-\(UInt64.random(in: 0 ... .max))").path
        var barrier = JournalBarrier(asked: 0, token: 1)
        barrier.send(to: place)
        #expect(barrier.mark == .impossible, "no such socket")
        let address = try #require(SocketAddress.unixOrAbstract(place))
        let server = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        defer { _ = close(server); unsafe unlink(place) }
        #expect(unsafe address.withPointer { unsafe bind(server, $0, $1) } == 0)
        var buffer = Octets(repeating: 0, count: 100)
        barrier = JournalBarrier(asked: 0, token: 2)
        for _ in 0..<2 { barrier.send(to: place) }
        #expect(barrier.mark == .sent)
        let count = unsafe recv(server, &buffer, buffer.count, 0)
        #expect(Octets(buffer.prefix(max(0, count))) == barrier.text)
        #expect(unsafe recv(server, &buffer, buffer.count, 0) < 0, "once")
        // Somebody else has filled the socket: it is tried again.
        var others = 0
        while others < 100_000 {
            var other = JournalBarrier(asked: 0)
            other.send(to: place)
            if other.mark == .unsent { break }
            others += 1
        }
        barrier = JournalBarrier(asked: 0, token: 3)
        barrier.send(to: place)
        #expect(barrier.mark == .unsent && others < 100_000)
        while unsafe recv(server, &buffer, buffer.count, 0) > 0 {}
        barrier.send(to: place)
        #expect(barrier.mark == .sent)
    }
}

@Suite("Entries of the journal that tell of others") struct JournalEntryIdentityTests {
    @Test(arguments: [
        ("s=1;i=2;b=3;m=4;t=5;x=6", "s=9;i=8;b=3;m=4;t=5;x=6", true), ("s=1;i=2;b=3;m=4;t=5;x=6", "s=1;i=2;b=3;m=4;t=5;x=7", false),
        ("s=1;i=2;b=3;m=4;t=5;x=6", "s=1;i=2;b=4;m=4;t=5;x=6", false), ("s=1;i=2", "s=1;i=2", true), ("s=1;i=2", "s=2;i=2", false), ("b=1", "b=1;m=1", false),
    ])
    func anEntryThatWasMovedIsTheSame(_ one: String, _ other: String, same: Bool) { #expect(JournalMessage.isSame(one, other) == same) }

    @Test(arguments: [
        ("Suppressed 14 messages from postfix@-.service", true), ("Suppressed 14 messages from apache2.service", false),
        ("Suppressed 14 messages from session-3.scope", true), ("Suppressed 2 messages from system-postfix.slice", true),
    ])
    func lossesOfTheMailServerAndOfNobodyKnowsWhom(_ text: String, isLoss: Bool) {
        func entry(_ isSuppression: Bool) -> JournalMessage {
            JournalMessage(cursor: "c", time: 1, program: [], process: 0, text: Octets(text.utf8), isSuppression: isSuppression)
        }
        #expect(entry(true).tellsLoss(of: "postfix") == isLoss)
        #expect(!entry(false).tellsLoss(of: "postfix"), "a text that any program may write")
    }

    @Test func theTimeOfSending() {
        let line = #"{"__CURSOR":"c","__REALTIME_TIMESTAMP":"7000000","_SOURCE_REALTIME_TIMESTAMP":"6999999"}"#
        #expect(JournalMessage(Octets(line.utf8))?.sent == 6_999_999)
    }
}
