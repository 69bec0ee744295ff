// Reads and runs Tests/dialogues: sessions written down line by line. The format is in Tests/dialogues/README.md.

import Testing
@testable import BackscatterGuard

struct Dialogue {
    enum Step: Equatable {
        case clientSays(Octets), upstreamSays(Octets), clientCloses, upstreamCloses
        case clientHears(String), upstreamHears(String), logged(String), isOver
    }

    struct Mistake: Error, CustomStringConvertible {
        let line: Int
        let text: String
        var description: String { "line \(line): \(text)" }
    }

    private(set) var steps: [(line: Int, step: Step)] = []
    private(set) var settings: [(key: String, value: String)] = []
    private var endsPiece = false

    init(_ text: String) throws {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            try read(String(line), index + 1)
        }
    }

    private mutating func read(_ line: String, _ number: Int) throws {
        if line.isEmpty { endsPiece = true }
        if line.isEmpty || line.hasPrefix("#") { return }
        if line.hasPrefix("set ") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count == 3 else { throw Mistake(line: number, text: line) }
            settings.append((words[1], words[2]))
            return
        }
        let text = String(line.dropFirst(line.dropFirst().hasPrefix(": ") ? 3 : 2))
        switch line.prefix(2) {
        case "C:": say(text, number, Step.clientSays) { if case .clientSays(let said) = $0 { said } else { nil } }
        case "S:": say(text, number, Step.upstreamSays) { if case .upstreamSays(let said) = $0 { said } else { nil } }
        case "U:": steps.append((number, .upstreamHears(text)))
        case "R:": steps.append((number, .clientHears(text)))
        case "L:": steps.append((number, .logged(text)))
        case "C!": steps.append((number, .clientCloses))
        case "S!": steps.append((number, .upstreamCloses))
        case "X!": steps.append((number, .isOver))
        default: throw Mistake(line: number, text: line)
        }
    }

    /// Lines of one side that follow one another are one piece.
    private mutating func say(_ text: String, _ number: Int, _ make: (Octets) -> Step, _ said: (Step) -> Octets?) {
        let octets = Octets(text + "\r\n")
        if !endsPiece, let last = steps.last, let before = said(last.step) {
            steps[steps.count - 1] = (last.line, make(before + octets))
        } else {
            steps.append((number, make(octets)))
        }
        endsPiece = false
    }
}

/// One run of a dialogue.
final class DialogueRun {
    private let transcript: SessionTranscript
    private let drips: Bool
    private var clientHeard: [String] = []
    private var upstreamHeard: [String] = []
    /// Half a line; nothing when the connection is closed behind it.
    private var upstreamRest = ""
    private var logged: [String] = []
    private let name: String

    /// - Parameter drips: both sides speak octet by octet.
    init(_ dialogue: Dialogue, name: String, drips: Bool) throws {
        self.name = name + (drips ? " (octet by octet)" : "")
        self.drips = drips
        var policy = SessionTranscript.exampleOrg
        transcript = SessionTranscript { setup in
            for (key, value) in dialogue.settings { DialogueRun.apply(key, value, &setup, &policy) }
            setup.policy = Policy(policy)
        }
        for (key, value) in dialogue.settings {
            switch (key, value) {
            case ("know", let id): transcript.log.know(id)
            case ("covered", "no"): transcript.log.isCovered = false
            case ("log", "silent"): transcript.log.availability = .silent
            case ("log", "failed"): transcript.log.availability = .failed
            case ("records", "fail"): transcript.recordsAreDurable = false
            default: break
            }
        }
        for (line, step) in dialogue.steps { perform(step, line) }
        collect()
        nothingLeft(before: "the end")
        #expect(upstreamRest == "", "\(self.name): the upstream heard half a line")
    }

    private static func apply(_ key: String, _ value: String, _ setup: inout SessionTranscript.Setup, _ policy: inout PolicySettings) {
        switch key {
        case "identity": UpstreamIdentity(rawValue: value).map { setup.identity = $0 } ?? fault(key, value)
        case "direction": Direction(rawValue: value).map { setup.direction = $0 } ?? fault(key, value)
        case "client": setup.client = PeerAddress(value, port: 4711)
        case "outgoing": setup.isOutgoingClient = true
        case "exempt": setup.isExempt = true
        case "protect": policy.protectedDomains += [DomainPattern(Octets(value))].compactMap(\.self)
        case "record-failure": RecordFailure(rawValue: value).map { setup.recordFailure = $0 } ?? fault(key, value)
        case "upstreams": setup.upstreams = Int(value) ?? 0
        case "hold-limit": setup.holdLimit = Int(value) ?? 0
        case "action":
            let words = value.split(separator: "=").map(String.init)
            if words.count == 2, let reason = Reason(rawValue: words[0]), let verdict = Verdict(rawValue: words[1]) {
                policy.actions[reason] = verdict
            } else {
                fault(key, value)
            }
        case "know", "covered", "log", "records": break
        default: fault(key, value)
        }
    }

    private static func fault(_ key: String, _ value: String) { Issue.record("unknown setting \(key) \(value)") }

    private func perform(_ step: Dialogue.Step, _ line: Int) {
        collect()
        switch step {
        case .clientSays(let octets):
            nothingLeft(before: "line \(line)")
            if drips { for octet in octets { transcript.clientOctets([octet]) } } else { transcript.clientOctets(octets) }
        case .upstreamSays(let octets):
            nothingLeft(before: "line \(line)")
            #expect(transcript.sink.isLinked, "\(name), line \(line): nobody listens to the upstream")
            if drips { for octet in octets { transcript.upstreamOctets([octet]) } } else { transcript.upstreamOctets(octets) }
        case .clientCloses:
            nothingLeft(before: "line \(line)")
            transcript.clientEnds()
        case .upstreamCloses:
            nothingLeft(before: "line \(line)")
            transcript.upstreamEnds()
        case .clientHears(let text): next(&clientHeard, text, line)
        case .upstreamHears(let text): next(&upstreamHeard, text, line)
        case .logged(let text): next(&logged, "S0000002a " + text, line)
        case .isOver: #expect(transcript.sink.isOver && !transcript.sink.isLinked, "\(name), line \(line)")
        }
    }

    private func next(_ heard: inout [String], _ expected: String, _ line: Int) {
        #expect(heard.first == expected, "\(name), line \(line)")
        if !heard.isEmpty { heard.removeFirst() }
    }

    private func collect() {
        clientHeard += Self.lines(transcript.sink.takeClientText())
        upstreamRest += transcript.sink.takeUpstreamText()
        while let end = upstreamRest.firstIndex(of: "\r\n") {
            upstreamHeard.append(String(upstreamRest[..<end]))
            upstreamRest.removeSubrange(...end)
        }
        if !transcript.sink.isLinked { upstreamRest = "" }
        logged += transcript.sink.takeEvents().filter { $0.severity != .debug }.map(\.text)
    }

    /// A piece without a line end counts as a line: it would have been wrong to say only half of one.
    private static func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private func nothingLeft(before place: String) {
        #expect(clientHeard == [], "\(name), before \(place): the client heard more")
        #expect(upstreamHeard == [], "\(name), before \(place): the upstream heard more")
        #expect(logged == [], "\(name), before \(place): more was logged")
        clientHeard = []
        upstreamHeard = []
        logged = []
    }
}
