import Foundation
import Testing
@testable import BackscatterGuard

@Suite("What keeps a domain from being enforced is noticed, kept, told and forgotten") struct EnforcementKeeperTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "enforcement-\(UUID().uuidString)").path

    private func summary(_ judgement: Judgement, origin: String = "192.0.2.8", date: String? = "Mon, 12 Jan 1970 13:46:40 +0000") throws -> TransactionSummary {
        var evidence = Evidence()
        evidence.kind = .bounce
        evidence.originalMessageIDs = [try #require(MessageID(Octets("a\tb@web.example")))]
        evidence.originAddresses = [origin]
        evidence.originalDate = date.map { Octets($0.utf8) }
        return TransactionSummary(
            session: 1, client: .unixSocket, tls: nil, reversePath: [], forwardPaths: [Octets("ann@example.org".utf8)], recipientCount: 1, isOutgoing: false,
            hasContent: true, size: 1, judgement: judgement, evidence: evidence, reply: nil
        )
    }

    private func keeper(_ tape: LogTape, _ blocks: EnforcementBlocks) throws -> EnforcementKeeper {
        let hosts = OwnHosts(networks: [try #require(Network("192.0.2.0/24"))], addresses: [], names: [])
        return EnforcementKeeper(blocks, stateDirectory: folder, hosts: hosts, log: LogWriter(level: .info, tape: tape))
    }

    /// What has been logged since the last look.
    private final class Lines {
        private let tape: LogTape
        private var seen = 0
        init(_ tape: LogTape) { self.tape = tape }

        func take() -> [String] {
            defer { seen = tape.lines.count }
            return Array(tape.lines[seen...])
        }
    }

    @Test func overItsWholeLife() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let tape = LogTape()
        let lines = Lines(tape)
        let blocks = EnforcementBlocks()
        let policy = try PolicySample.policy(["example.org", "example.net"], blocks: blocks) { $0.mode = .auto }
        let keeper = try keeper(tape, blocks)
        keeper.judged(try summary(Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true)), policy, at: 1_000_000)
        #expect(blocks.all.isEmpty, "nobody has said that anything is recorded")

        keeper.tick(policy, recordedSince: 999_950, bounceWindow: 100, at: 1_000_000)
        #expect(lines.take().contains { $0.contains("observing") })
        keeper.judged(try summary(Judgement(verdict: .deliver, reason: .sent)), policy, at: 1_000_000)
        keeper.judged(try summary(Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true), origin: "198.51.100.1"), policy, at: 1_000_000)
        let wanted = Judgement(verdict: .deliver, reason: .notCovered, wouldRefuse: true)
        keeper.judged(try summary(wanted, date: "Mon, 12 Jan 1970 13:40:00 +0000"), policy, at: 1_000_000)
        #expect(blocks.all.isEmpty && lines.take().isEmpty, "it was sent before anything was recorded")

        for date in [nil, "Mon, 12 Jan 1970 13:46:40 +0000"] { keeper.judged(try summary(wanted, date: date), policy, at: 1_000_001) }
        #expect(blocks.all.keys.sorted() == ["example.org"] && blocks.all["example.org"]?.count == 2)
        let warning = lines.take()
        #expect(warning.count == 1 && warning.allSatisfy { $0.contains("example.org stays in observe mode") && $0.contains("192.0.2.8") })

        keeper.tick(policy, recordedSince: 999_950, bounceWindow: 100, at: 1_000_050)
        let covered = lines.take()
        #expect(covered.contains { $0.contains("refused for example.net") } && covered.contains { $0.contains("2 bounces returned mail") })
        keeper.tick(policy, recordedSince: 999_950, bounceWindow: 100, at: 1_000_051)
        #expect(lines.take().isEmpty, "said once")

        let again = EnforcementBlocks(stateDirectory: folder)
        #expect(again.all == blocks.all && again.lines.count == 1)
        keeper.tick(policy, recordedSince: 999_950, bounceWindow: 100, at: 1_000_102)
        #expect(lines.take().contains { $0.contains("refused for example.net, example.org") })
        #expect(EnforcementBlocks(stateDirectory: folder).all.isEmpty)
    }

    @Test func aDamagedFileLosesOnlyWhatIsDamaged() {
        let blocks = EnforcementBlocks(octets: Octets("a.example\t1\t2\thost\tid\nrubbish\nb.example\tx\t2\th\ti\n".utf8))
        #expect(blocks.all == ["a.example": .init(count: 1, time: 2, host: "host", messageID: "id")])
        #expect(EnforcementBlocks(octets: blocks.octets).all == blocks.all)
    }
}
