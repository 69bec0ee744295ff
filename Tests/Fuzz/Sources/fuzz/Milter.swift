// Target `milter`: what an MTA, or somebody who speaks as one, sends to a milter listener. The octets are its side of the
// connection; their last one sets what the sent log says. Whatever comes, every answer is a whole packet that was asked for,
// nothing is discarded, and an outgoing mail is accepted only when its record is durable.

@testable import BackscatterGuard

@Sendable func fuzzMilter(_ input: Octets) {
    inAnyDivision(input) { pieces in
        let desk = MilterDesk(kind: input.last ?? 0)
        for piece in pieces { desk.hear(piece) }
        desk.hangUp()
        return desk.outcome
    }
    checkPackets(input)
}

/// What of a connection must not depend on its division.
private struct MilterOutcome: Equatable {
    var answers: Octets = []
    var records: [SentEntry] = []
    var inquiries: [Inquiry] = []
    var isClosed = false
}

/// The driver of a session: everything is answered at once, records fail as `kind` says.
private final class MilterDesk: MilterSink {
    private(set) var outcome = MilterOutcome()
    private var session: MilterSession
    private var question: Inquiry?
    private var recordsOpen = 0
    private var pending: Octets = []
    private let kind: UInt8

    init(kind: UInt8) {
        self.kind = kind
        var policy = PolicySettings()
        policy.protectedDomains = [DomainPattern(Octets("example.org".utf8))].compactMap(\.self)
        if kind & 1 != 0 { policy.actions[.neverSent] = .mark }
        let settings = SessionSettings(
            hostname: "guard.example.org", identity: .none, policy: Policy(policy), recordFailure: kind & 2 == 0 ? .tempfail : .pass,
            networks: ClientNetworks(outgoing: [Network("192.0.2.128/25")].compactMap(\.self)))
        session = MilterSession(
            number: 1, settings: MilterSettings(session: settings, outgoingDaemons: [Octets("ORIGINATING".utf8)], timeout: 60_000),
            direction: Direction.allCases[Int(kind >> 2) % 3])
        session.opened(at: 0)
    }

    func hear(_ piece: Octets) {
        pending += piece
        settle()
    }

    func hangUp() {
        session.ticked(at: 11_000, into: self)
        session.ended(into: self)
        promise(outcome.isClosed, "the MTA is gone, and the session goes on")
        checkAnswers()
    }

    private func settle() {
        while !outcome.isClosed {
            if let inquiry = question {
                question = nil
                var findings = Findings(nothingFor: inquiry, kind & 16 == 0 ? .answered : .silent)
                findings.isCovered = kind & 32 == 0
                session.found(findings, at: 0, wallClock: 1_795_000_000, into: self)
            } else if recordsOpen > 0 {
                recordsOpen -= 1
                session.recorded(kind & 64 == 0, at: 0, into: self)
            } else if !pending.isEmpty, session.takesOctets {
                let octets = pending
                let taken = session.received(octets.span, at: 0, into: self)
                promise((0...octets.count).contains(taken), "took \(taken) of \(octets.count)")
                pending = Octets(octets[taken...])
            } else {
                return
            }
        }
    }

    private func checkAnswers() {
        var rest = outcome.answers[...]
        while !rest.isEmpty {
            promise(rest.count >= 5, "a cut answer")
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            promise(length >= 1 && rest.count >= 4 + length, "an answer of \(length) octets")
            let packet = rest.dropFirst(4).prefix(length)
            promise(Octets("acstpyihO".utf8).contains(packet.first ?? 0), "answer \(packet.first ?? 0)")
            if packet.first == 0x79 {
                promise(packet.dropFirst().first == 0x34 || packet.dropFirst().first == 0x35, "a reply that is no refusal")
                promise(packet.last == 0 && !packet.dropLast().contains(0), "a reply that does not end")
            }
            rest = rest.dropFirst(4 + length)
        }
    }

    func toMTA(_ octets: Octets) {
        promise(!outcome.isClosed, "an answer after the end")
        outcome.answers += octets
    }
    func closeMTA() {
        promise(!outcome.isClosed, "closed twice")
        outcome.isClosed = true
    }
    func ask(_ inquiry: Inquiry) {
        promise(question == nil, "two questions at once")
        question = inquiry
        outcome.inquiries.append(inquiry)
    }
    func record(_ entry: SentEntry) {
        promise(!entry.reversePath.isEmpty, "a mail with the null reverse-path is recorded")
        outcome.records.append(entry)
        recordsOpen += 1
    }
    func report(_ event: @autoclosure () -> SessionEvent) {
        promise(event().text.utf8.allSatisfy { $0 >= ASCII.space && $0 < ASCII.del }, "log line \(event().text)")
    }
}

/// The data of commands, read whatever is in it.
private func checkPackets(_ input: Octets) {
    if let texts = MilterData.texts(input.span) {
        promise(texts.allSatisfy { $0.upperBound < input.count && !input[$0].contains(0) }, "texts \(texts)")
    }
    if let connect = MilterConnect(input.span) { promise(!connect.address.contains(0), "address \(connect.address)") }
    var macros = MilterMacros()
    _ = macros.read(input.span)
    promise((macros.mailAddress?.count ?? 0) <= MilterMacros.longestValue, "a long macro")
    if let offer = MilterOptions(input.span), let answer = MilterOptions.answer(to: offer) {
        promise(offer.steps.isSuperset(of: answer.steps) && offer.actions.isSuperset(of: answer.actions) && answer.version <= offer.version, "more than was offered")
    }
}
