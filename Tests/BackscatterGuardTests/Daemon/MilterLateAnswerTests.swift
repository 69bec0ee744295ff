// An answer of the sent log that comes when its message was answered otherwise, given up, or has lost its MTA: it must decide
// nothing. A whole worker on the test's own loop, over loopback, asked by an MTA.

import Testing
@testable import BackscatterGuard

@Suite("Milter: answers of the sent log that come too late") struct MilterLateAnswerTests {
    /// Up to the question: negotiation, client, envelope, content.
    private static let begin = MTA.offer() + MTA.connect()
    private static func bounce(of id: String) -> Octets { MTA.mail("<>") + MTA.rcpt("<ann@example.org>") + MilterJudgeTests.packets(id) }
    private static let refusal = "y" + MilterJudgeTests.refusal

    /// What a desk must not do: the first question is answered a second time, while another is open.
    @Test func ofAMessageThatWasPutOff() throws {
        let stage = try LateStage(isMilter: true)
        let mta = try LateMTA(stage)
        mta.says(Self.begin + Self.bounce(of: "known@example.org"))
        stage.run(until: { stage.log.questions.count == 1 })
        stage.log.fallSilent(0)
        stage.run(until: { mta.answers.last?.hasPrefix("y451 4.7.1 ") == true })
        mta.says(Self.bounce(of: "forged@example.org"))
        stage.run(until: { stage.log.questions.count == 2 })
        // The first mail's id was sent: that says nothing of the second's.
        stage.log.answer(0, isKnown: true)
        stage.log.answer(1, isKnown: false)
        stage.run(until: { mta.decisions.count == 2 })
        #expect(mta.decisions.last == Self.refusal)
        mta.socket.close()
    }

    /// The abort waits until the question is answered, and the next message behind it has a question of its own.
    @Test func ofAMessageThatWasAborted() throws {
        let stage = try LateStage(isMilter: true)
        let mta = try LateMTA(stage)
        mta.says(Self.begin + Self.bounce(of: "known@example.org") + MTA.abort + Self.bounce(of: "forged@example.org"))
        stage.run(until: { stage.log.questions.count == 1 })
        stage.log.answer(0, isKnown: true)
        stage.run(until: { stage.log.questions.count == 2 })
        stage.log.answer(0, isKnown: true)
        stage.log.answer(1, isKnown: false)
        stage.run(until: { mta.decisions.count == 2 })
        #expect(mta.decisions == ["a", Self.refusal])
        mta.socket.close()
    }

    /// Told of with the next SMFIR_PROGRESS that it does not take.
    @Test func ofAnMTAThatIsGone() throws {
        let stage = try LateStage(isMilter: true) { $0.milter.session.progressInterval = 0 }
        let mta = try LateMTA(stage)
        mta.says(Self.begin + Self.bounce(of: "known@example.org"))
        stage.run(until: { stage.log.questions.count == 1 })
        mta.socket.cut()
        stage.run(until: { stage.worker.counters.open(.milter) == 0 })
        stage.log.answer(0, isKnown: true)
        try servesOn(stage)
    }

    /// The answer that comes while the MTA has not closed its end yet: it has heard a temporary failure, and that is the last word.
    @Test func ofAMessageThatHasWaitedForTooLong() throws {
        let stage = try LateStage(isMilter: true) { $0.milter.session.decisionLimit = 0 }
        let mta = try LateMTA(stage)
        mta.says(Self.begin + Self.bounce(of: "known@example.org"))
        stage.run(until: { stage.log.questions.count == 1 && mta.answers.contains("t") })
        #expect(stage.worker.counters.open(.milter) == 1)
        stage.log.answer(0, isKnown: true)
        stage.run(until: { mta.socket.hasEnded })
        #expect(mta.decisions == ["t"])
        mta.socket.close()
        stage.run(until: { stage.worker.counters.open(.milter) == 0 })
        try servesOn(stage)
    }

    @Test func octetsAreCounted() throws {
        let stage = try LateStage(isMilter: true)
        let mta = try LateMTA(stage)
        let said = Self.begin + Self.bounce(of: "forged@example.org")
        mta.says(said)
        stage.run(until: { stage.log.questions.count == 1 })
        stage.log.answer(0, isKnown: false)
        stage.run(until: { mta.decisions.count == 1 })
        let (counters, start) = (stage.worker.counters, CounterLayout.shared.networkBytes.start)
        #expect(counters.value(start + CounterLayout.Traffic.mtaReceived.rawValue) == said.count)
        #expect(counters.value(start + CounterLayout.Traffic.mtaSent.rawValue) == mta.count)
        mta.socket.close()
    }

    private func servesOn(_ stage: LateStage) throws {
        let asked = stage.log.questions.count
        let next = try LateMTA(stage)
        next.says(Self.begin + Self.bounce(of: "forged@example.org"))
        stage.run(until: { stage.log.questions.count == asked + 1 })
        stage.log.answer(asked, isKnown: false)
        stage.run(until: { !next.decisions.isEmpty })
        #expect(next.decisions == [Self.refusal])
        next.socket.close()
    }
}

/// Says packets and keeps the answers.
private final class LateMTA {
    let socket: HearingSocket
    private var taken: [String] = []
    /// Octets of the answers that were taken.
    private(set) var count = 0

    init(_ stage: LateStage) throws { socket = try stage.connect() }

    func says(_ packets: Octets) { socket.send(packets.span) }

    var answers: [String] {
        let before = socket.heard.count
        taken += MTA.takeAnswers(&socket.heard)
        count += before - socket.heard.count
        return taken
    }

    /// All but the steps that are let go on.
    var decisions: [String] { answers.filter { !["O", "c", "p"].contains($0) } }
}
