// What one worker has counted: a row of numbers that its thread alone changes and any thread may read. So counting is a
// load, an addition and a store of one's own memory, without a lock or a locked instruction.

import Synchronization

/// A row of counters. `add` from its owner's thread only; `addShared` where several threads count.
final class WorkerCounters: Sendable {
    /// At least `CounterLayout.size`.
    private static let length = 256
    private let slots: InlineArray<256, Atomic<Int>>
    fileprivate let layout = CounterLayout.shared

    init() {
        precondition(layout.size <= Self.length, "the row of counters is too short")
        slots = InlineArray { _ in Atomic(0) }
    }

    func add(_ slot: Int, _ number: Int = 1) {
        slots[slot].store(slots[slot].load(ordering: .relaxed) &+ number, ordering: .relaxed)
    }

    func addShared(_ slot: Int, _ number: Int = 1) { slots[slot].add(number, ordering: .relaxed) }

    func value(_ slot: Int) -> Int { slots[slot].load(ordering: .relaxed) }

    /// - Parameter microseconds: how long something took.
    func time(_ family: HistogramFamily, _ microseconds: Int) {
        add(family.slot(microseconds))
        add(family.sum, microseconds)
    }
}

extension WorkerCounters {
    func count(_ event: SessionEvent) {
        guard case .transaction(let summary) = event else {
            if let error = SessionError(event) { add(layout.errors.start + error.place) }
            return
        }
        add(layout.transactions.start + CounterLayout.Outcome(summary).rawValue)
        guard let judgement = summary.judgement else { return }
        add(layout.verdicts.start + judgement.verdict.place * Reason.allCases.count + judgement.reason.rank)
        if judgement.wouldRefuse { add(layout.wouldRefuse.start + judgement.reason.rank) }
        if let kind = summary.evidence?.kind { add(layout.notifications.start + kind.place) }
    }

    func opened(_ conversation: CounterLayout.Conversation) { add(layout.sessionsOpened.start + conversation.place) }
    func closed(_ conversation: CounterLayout.Conversation) { add(layout.sessionsClosed + conversation.place) }
    func refused(_ refusal: CounterLayout.Refusal) { add(layout.clientsRefused.start + refusal.place) }
    func held(by octets: Int) { add(layout.heldBytes, octets) }
    func moved(_ traffic: CounterLayout.Traffic, _ octets: Int) { add(layout.networkBytes.start + traffic.rawValue, octets) }
    func secured(_ version: String) { add(layout.tlsSessions.start + (CounterLayout.TLSVersion(rawValue: version) ?? .other).place) }

    /// The sent log has answered a question.
    func found(_ findings: Findings, to inquiry: Inquiry, within microseconds: Int) {
        time(layout.lookupSeconds, microseconds)
        add(layout.idsLookedUp.start, inquiry.ids.count)
        add(layout.idsKnown.start, findings.ids.count { $0 != nil })
        add(layout.lookups.start + CounterLayout.Lookup(findings).place)
    }

    /// Of a worker, now.
    var openSessions: Int { CounterLayout.Conversation.allCases.reduce(0) { $0 + open($1) } }
    func open(_ conversation: CounterLayout.Conversation) -> Int {
        value(layout.sessionsOpened.start + conversation.place) - value(layout.sessionsClosed + conversation.place)
    }
    var heldOctets: Int { value(layout.heldBytes) }
}

extension CounterLayout.Outcome {
    init(_ summary: TransactionSummary) {
        self = if summary.judgement != nil { .judged } else if !summary.hasContent { .envelope } else if summary.reply == nil { .cut } else { summary.isOutgoing ? .send : .relay }
    }
}

extension CounterLayout.Lookup {
    init(_ findings: Findings) {
        self = switch findings.availability {
        case .failed: .failed
        case .silent, .silentForLong: .silent
        case .answered: findings.hasKnownID ? .known : findings.knownPairs.contains(true) ? .pair : .unknown
        }
    }
}

extension CounterLayout.Refusal {
    init(_ refusal: ConnectionLimits.Refusal) {
        self = switch refusal {
        case .total: .total
        case .perClient: .perClient
        case .rate: .rate
        }
    }
}

extension CaseIterable where Self: Equatable, AllCases == [Self] {
    /// In `allCases`.
    fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
