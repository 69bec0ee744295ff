// Target `session`: a whole session from a script. The first octets are its settings, each one after that an event:
// words of the client, answers of the upstream, verdicts, records, time, broken connections.

@testable import BackscatterGuard

@Sendable func fuzzSession(_ input: Octets) {
    var script = Script(input[...])
    let stage = Stage(script.settings())
    while !script.isEmpty, !stage.isOver { script.play(on: stage) }
    stage.checkSilence()
    stage.quiesce()
    stage.clientEnds()
    stage.quiesce()
    promise(stage.isOver, "the client is gone, and the session goes on")
    stage.checkSilence()
}

private struct Script {
    private var octets: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) { self.octets = octets }

    var isEmpty: Bool { octets.isEmpty }

    private mutating func next() -> Int { octets.popFirst().map(Int.init) ?? 0 }

    private mutating func take(_ count: Int) -> Octets {
        let taken = Octets(octets.prefix(count))
        octets = octets.dropFirst(count)
        return taken
    }

    mutating func settings() -> StageSettings {
        var settings = StageSettings()
        let (first, second) = (next(), next())
        settings.identity = UpstreamIdentity.allCases[first & 3]
        settings.direction = Direction.allCases[(first >> 2) % 3]
        // The fourth of three directions: a mail server before guardd.
        if first & 12 == 12 {
            settings.mayForward = true
            if first & 3 == 3 { settings.identity = .xforward }
        }
        settings.offersPipelining = first & 16 == 0
        settings.offersChunking = first & 32 == 0
        settings.recordFailure = first & 64 == 0 ? .tempfail : .pass
        settings.refusesBareLineEndings = first & 128 != 0
        settings.policy = second & 3
        settings.holdLimit = second & 4 == 0 ? 256 * 1024 : 40
        settings.hardErrorLimit = second & 8 == 0 ? 20 : 2
        switch second >> 4 & 7 {
        case 1: settings.clientTLS.start = .starttls
        case 2: settings.clientTLS = ClientTLS(start: .starttls, isRequired: true)
        case 3: settings.clientTLS.start = .implicit
        case 4: settings.upstreamTLS = .may
        case 5: settings.upstreamTLS = .verify
        case 6: (settings.clientTLS.start, settings.upstreamTLS) = (.starttls, .may)
        case 7: settings.isExempt = true
        default: break
        }
        settings.isOutgoingClient = second & 128 != 0
        return settings
    }

    mutating func play(on stage: Stage) {
        let event = next()
        switch event & 15 {
        case 0, 1: stage.client(line(next()))
        case 2: stage.client((0..<(event >> 4) + 1).reduce(into: Octets()) { sum, _ in sum += line(next()) })
        case 3: stage.client(take(next() & 63))
        case 4: stage.client((0..<(event >> 5) + 1).reduce(into: Octets()) { sum, _ in sum += text(next()) })
        case 5:
            let chunk = text(next()) + (event & 64 == 0 ? [] : text(next()))
            stage.client(Octets("BDAT \(chunk.count)\(event & 16 == 0 ? " LAST" : "")\r\n".utf8) + (event & 32 == 0 ? chunk : []))
        case 6, 7: stage.upstreamAnswers(Array(repeating: .yes, count: (event >> 4) + 1), cutAt: nil)
        case 8: stage.upstreamAnswers([Answer.allCases[(event >> 4) % Answer.allCases.count]], cutAt: nil)
        case 9:
            let answers = (0...(event >> 6)).map { _ in Answer.allCases[next() % Answer.allCases.count] }
            stage.upstreamAnswers(answers, cutAt: next() & 31)
        case 10: event >> 4 < 12 ? stage.dialled(true) : stage.dialled(false)
        case 11: findings(on: stage, next())
        case 12 where event & 32 == 0: stage.recorded(event & 16 == 0)
        case 12: event & 16 == 0 ? stage.clientShakes(event & 64 == 0) : stage.upstreamShakes(event & 64 == 0)
        case 13: stage.passes([1_000, 10_000, 70_000, 400_000][(event >> 4) & 3], stalled: event & 64 == 0 ? 0 : 200_000, commandLimit: event & 128 == 0 ? .max : 10_000)
        case 14: rare(event >> 4, on: stage)
        default: stage.quiesce()
        }
    }

    private mutating func rare(_ which: Int, on stage: Stage) {
        switch which {
        case 0...2: stage.upstreamEnds()
        case 3: stage.upstreamBabbles(Octets("250 2.0.0 nobody asked\r\n".utf8))
        case 4: stage.upstreamBabbles(Octets("452 4.3.1 nobody asked\r\n".utf8))
        case 5: stage.upstreamBabbles(Octets("421 4.3.1 closing\r\n".utf8))
        case 6: stage.upstreamBabbles(Octets("what?\r\n".utf8))
        case 7: stage.upstreamBabbles(Octets("250-a\r\n251 b\r\n".utf8))
        case 8: stage.upstreamBabbles(Octets("354 go on\r\n".utf8))
        case 9, 10: stage.outgrows()
        case 11: stage.stops()
        case 12: stage.clientEnds()
        case 13: stage.clientFails()
        default: stage.quiesce()
        }
    }

    private func findings(on stage: Stage, _ kind: Int) {
        stage.answersQuestion { inquiry in
            let availability = [Findings.Availability.answered, .answered, .failed, .silent][kind & 3]
            var findings = Findings(nothingFor: inquiry, availability)
            let sender = Octets((kind & 4 == 0 ? "ann@example.org" : "ann@other.example").utf8)
            if kind & 8 != 0 { findings.ids = inquiry.ids.map { _ in SentRecord(time: 1_794_990_000, recipients: 1, reversePath: sender) } }
            if kind & 16 != 0 { findings.references = inquiry.references.map { _ in SentRecord(time: 1_794_990_000, recipients: 1, reversePath: sender) } }
            findings.isCovered = kind & 32 == 0
            findings.timesReturned = kind & 64 == 0 ? 1 : 1_000
            if kind & 128 != 0 { findings.knownPairs = inquiry.recipients.map { _ in true } }
            return findings
        }
    }

    private func line(_ index: Int) -> Octets { Octets((Words.lines[index % Words.lines.count] + "\r\n").utf8) }
    private func text(_ index: Int) -> Octets { Octets(Words.texts[index % Words.texts.count].utf8) }
}
