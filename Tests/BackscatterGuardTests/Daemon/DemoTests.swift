// The demo is a test of the whole: the real server, the real proxy, the real log, over loopback.

import Foundation
import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("guardd demo", .serialized) struct DemoTests {
    private final class Transcript: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ text: String) { lines.withLock { $0.append(text) } }
        var text: String { lines.withLock { $0.joined(separator: "\n") } }
    }

    @Test func everyAnswerIsWhatItMustBe() throws {
        let stage = try DemoStage(port: 0)
        let transcript = Transcript()
        let isGood = try Demo(stage, keeps: false) { transcript.add($0) }.run(handlesSignals: false)
        #expect(isGood, "\(transcript.text)")
        #expect(transcript.text.components(separatedBy: "550 5.7.1 Backscatter refused").count == 4)
        #expect(!transcript.text.contains("WRONG"))
        #expect(!FileManager.default.fileExists(atPath: stage.folder))
        #expect(stage.sink.mailbox.received == 4)
        // The true client was told.
        #expect(stage.sink.mailbox.messages.map(\.client.text) == ["127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.3"])
    }

    @Test func whatIsWrongIsSaid() throws {
        let mail = try #require(DemoCast.mails(id: "a@example.org").first { $0.outcome == .refused(.neverSent) })
        let line = "S00000001 deliver: verdict=deliver reason=pair client=127.0.0.3 from=<> to=<ann@example.org>"
        let arrived = SinkMessage(
            queueID: "x", client: .unixSocket, hello: [], reversePath: [], mailParameters: [], forwardPaths: [], content: mail.content, isChunked: false
        )
        let scene = DemoScene(mail: mail, answer: DemoAnswer(reply: "250 2.0.0 Ok"), logLine: line, arrived: arrived)
        #expect(scene.faults.count == 3)
        #expect(DemoScene.table([scene]).contains("WRONG: must be answered 550"))
        #expect(scene.explanation == "deliver, pair: \(Reason.pair.explanation)")
    }

    @Test(arguments: DemoCast.mails(id: "a@example.org"))
    func aMailHasTheKindItSays(_ mail: DemoMail) {
        var reader = NotificationReader()
        reader.read(mail.content.span)
        reader.finish()
        switch mail.outcome {
        case .delivered(.sent), .refused: #expect(reader.evidence.kind == .bounce && reader.evidence.originalMessageIDs.count == 1, "\(mail.title)")
        default: #expect(reader.evidence.kind != .bounce, "\(mail.title)")
        }
    }

    @Test func aTakenPortIsAnError() throws {
        let loopback = try #require(PeerAddress("127.0.0.1"))
        let sink = try SinkServer(SinkSettings(), at: loopback)
        defer { sink.stop() }
        #expect(throws: DemoFailure.self) { try DemoStage(port: sink.address.port) }
    }
}
