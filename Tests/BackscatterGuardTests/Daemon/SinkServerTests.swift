// The sink on its thread, over loopback, and the mailbox that others wait at. Nothing here sleeps: all waits are for events.

import Glibc
import Testing
@testable import BackscatterGuard

@Suite("The embedded MTA over loopback") struct SinkServerTests {
    private func message(_ queueID: String, octets: Int = 1) -> SinkMessage {
        SinkMessage(
            queueID: queueID, client: .unixSocket, hello: [], reversePath: [], mailParameters: [], forwardPaths: [],
            content: Octets(repeating: 0x61, count: octets), isChunked: false
        )
    }

    @Test func keepsTheLastMessages() {
        let mailbox = SinkMailbox(messagesKept: 2, octetsKept: 10)
        mailbox.add([message("1"), message("2"), message("3")])
        #expect(mailbox.messages.map(\.queueID) == ["2", "3"])
        mailbox.add([message("4", octets: 10)])
        #expect(mailbox.messages.map(\.queueID) == ["4"])
        mailbox.add([message("5", octets: 11)])
        #expect(mailbox.messages.isEmpty && mailbox.received == 5)
    }

    @Test func waitsForAMessageButNotForever() {
        let mailbox = SinkMailbox(messagesKept: 2, octetsKept: 10)
        mailbox.add([message("1")])
        #expect(mailbox.wait(seconds: 0) { $0.queueID == "1" } != nil)
        #expect(mailbox.wait(seconds: 0.01) { $0.queueID == "2" } == nil)
        let writer = LogThread { mailbox.add([message("2")]) }
        #expect(mailbox.wait(seconds: 30) { $0.queueID == "2" } != nil)
        writer?.join()
        mailbox.close()
        #expect(mailbox.wait(seconds: 30) { $0.queueID == "3" } == nil)
    }

    @Test func takesMailAndStops() throws {
        let loopback = try #require(PeerAddress("127.0.0.1"))
        let source = try #require(PeerAddress("127.0.0.9"))
        let sink = try SinkServer(SinkSettings(), at: loopback)
        for number in 1...3 {
            var client = try DemoClient(from: source, to: sink.address)
            let content = Octets("Subject: \(number)\r\n\r\n.\r\n..\r\n")
            let answer = try client.play(hello: "x", reversePath: "", forwardPath: "a@example.org", content: content)
            #expect(answer.reply == "250 2.0.0 Ok: queued as SINK000\(number)-1")
            let arrived = try #require(sink.mailbox.wait(seconds: 30) { $0.content == content })
            #expect(arrived.client.text == "127.0.0.9" && arrived.forwardPaths == [Octets("a@example.org")])
        }
        sink.stop()
        sink.stop()
        do throws(DemoFailure) {
            _ = try DemoClient(from: source, to: sink.address)
            Issue.record("a stopped sink took a client")
        } catch {
            #expect(error.description.hasPrefix("can't reach"))
        }
    }

    @Test func aPortIsReserved() throws {
        let loopback = try #require(PeerAddress("127.0.0.1"))
        let reservation = try PortReservation(SocketAddress(loopback))
        defer { reservation.close() }
        let descriptor = try Listener.open(reservation.address)
        #expect(PeerAddress(SocketAddress.local(of: descriptor)) == PeerAddress(reservation.address))
        #expect(throws: ReactorError.self) { try PortReservation(reservation.address) }
        close(descriptor)
    }
}

