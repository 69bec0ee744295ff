import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("Counters of a worker: every event in its place") struct WorkerCountersTests {
    private let counters = WorkerCounters()
    private let layout = CounterLayout.shared

    private func value(_ family: CounterFamily, _ labels: String...) -> Int {
        guard let place = family.labels.firstIndex(of: labels) else { return -1 }
        return counters.value(family.start + place)
    }

    private var total: Int { layout.families.reduce(0) { sum, family in family.labels.indices.reduce(sum) { $0 + counters.value(family.start + $1) } } }

    private func summary(_ judgement: Judgement? = nil, isOutgoing: Bool = false, hasContent: Bool = true, reply: Octets? = Octets("250 ok".utf8), kind: NotificationKind? = nil) -> TransactionSummary {
        var evidence: Evidence?
        if let kind {
            evidence = Evidence()
            evidence?.kind = kind
        }
        return TransactionSummary(
            session: 1, client: .unixSocket, reversePath: [], forwardPaths: [], recipientCount: 1, isOutgoing: isOutgoing, hasContent: hasContent, size: nil,
            judgement: judgement, evidence: evidence, queueID: nil, reply: reply)
    }

    @Test(arguments: Verdict.allCases, Reason.allCases)
    func verdicts(_ verdict: Verdict, _ reason: Reason) {
        counters.count(.transaction(summary(Judgement(verdict: verdict, reason: reason, wouldRefuse: verdict == .mark), kind: .autoReply)))
        #expect(value(layout.verdicts, verdict.rawValue, reason.rawValue) == 1)
        #expect(value(layout.wouldRefuse, reason.rawValue) == (verdict == .mark ? 1 : 0))
        #expect(value(layout.notifications, "auto-reply") == 1 && value(layout.transactions, "judged") == 1)
        #expect(total == (verdict == .mark ? 4 : 3))
    }

    @Test func outcomes() {
        counters.count(.transaction(summary()))
        counters.count(.transaction(summary(isOutgoing: true)))
        counters.count(.transaction(summary(reply: nil)))
        counters.count(.transaction(summary(hasContent: false)))
        for outcome in ["relay", "send", "cut", "envelope"] { #expect(value(layout.transactions, outcome) == 1, "\(outcome)") }
        #expect(total == 4)
    }

    static let errors: [(SessionEvent, String)] = [
        (.identityRefused(session: 1), "identity_refused"), (.unlistedClient(session: 1, client: .unixSocket), "unlisted_client"),
        (.upstreamGarbled(session: 1), "upstream_garbled"), (.upstreamUnavailable(session: 1, reason: []), "upstream_unavailable"),
        (.upstreamTimedOut(session: 1), "upstream_timeout"), (.clientTimedOut(session: 1), "client_timeout"),
        (.clientHandshakeFailed(session: 1, client: .unixSocket, reason: ""), "client_tls"),
        (.upstreamHandshakeFailed(session: 1, reason: "", goesOnInClear: true), "upstream_tls"), (.unrecorded(session: 1, passes: true), "unrecorded"),
    ] + MilterFault.allCases.map { (.milterClosed(session: 1, reason: $0), "milter_\($0)") }

    @Test(arguments: errors.indices)
    func errorsBySort(_ place: Int) {
        let (event, name) = Self.errors[place]
        counters.count(event)
        #expect(value(layout.errors, name) == 1 && total == 1)
    }

    @Test func everySortOfErrorHasAnEvent() {
        #expect(Set(Self.errors.map(\.1)) == Set(SessionError.allCases.map(\.rawValue)))
    }

    @Test func lookups() throws {
        let id = try #require(MessageID(Octets("a@b".utf8)))
        let record = SentRecord?.none
        counters.found(Findings(ids: [record, nil]), to: Inquiry(ids: [id, id]), within: 60)
        counters.found(Findings(ids: [nil], knownPairs: [true]), to: Inquiry(ids: [id]), within: 400_000_000)
        counters.found(Findings(availability: .failed), to: Inquiry(ids: [id]), within: 0)
        counters.found(Findings(availability: .silentForLong), to: Inquiry(ids: [id]), within: 0)
        #expect(value(layout.lookups, "unknown") == 1 && value(layout.lookups, "pair") == 1 && value(layout.lookups, "failed") == 1 && value(layout.lookups, "silent") == 1)
        #expect(value(layout.idsLookedUp) == 5 && value(layout.idsKnown) == 0)
        let slots = (0...HistogramFamily.bounds.count).map { counters.value(layout.lookupSeconds.start + $0) }
        #expect(slots[0] == 2 && slots[1] == 1 && slots.last == 1 && slots.reduce(0, +) == 4)
        #expect(counters.value(layout.lookupSeconds.sum) == 400_000_060)
    }

    @Test func sessionsAndHolds() {
        counters.opened(.smtp)
        counters.opened(.smtp)
        counters.opened(.milter)
        counters.closed(.smtp)
        counters.held(by: 500)
        counters.held(by: -200)
        #expect(counters.open(.smtp) == 1 && counters.open(.milter) == 1 && counters.openSessions == 2 && counters.heldOctets == 300)
        counters.secured("TLSv1.3")
        counters.secured("SSLv9")
        #expect(value(layout.tlsSessions, "TLSv1.3") == 1 && value(layout.tlsSessions, "other") == 1)
    }

    @Test func traffic() {
        for traffic in CounterLayout.Traffic.allCases { counters.moved(traffic, 1 << traffic.rawValue) }
        let sums = ["client", "upstream", "mta"].flatMap { [value(layout.networkBytes, $0, "received"), value(layout.networkBytes, $0, "sent")] }
        #expect(sums == [1, 2, 4, 8, 16, 32] && total == 63)
    }

    /// The log's threads share one row.
    @Test func recordsAreCountedFromAnyThread() throws {
        let log = CountedSentLog(ThreadedLog())
        let id = try #require(MessageID(Octets("a@b".utf8)))
        for number in 0..<200 {
            log.record(SentEntry(ids: [id, id], reversePath: [], forwardPaths: []), at: Int64(number)) { _ in }
        }
        log.close()
        #expect(log.counters.value(layout.mailsRecorded.start) == 150 && log.counters.value(layout.mailsRecorded.start + 1) == 50)
        #expect(log.counters.value(layout.idsRecorded.start) == 300)
        #expect((0...HistogramFamily.bounds.count).reduce(0) { $0 + log.counters.value(layout.recordSeconds.start + $1) } == 200)
    }

    @Test func whatWasAskedLastTellsWhetherItFails() {
        let log = CountedSentLog(ThreadedLog())
        log.keep(at: 3) { _ in }
        #expect(log.isFailing)
        log.keep(at: 2) { _ in }
        #expect(!log.isFailing)
        log.change(.closeHole(at: 3)) { _ in }
        #expect(log.isFailing)
    }
}

/// Answers each record on a thread of its own; every fourth second it fails.
private final class ThreadedLog: SentLog {
    private let threads = Mutex<[LogThread]>([])

    private func answer(_ time: Int64) -> SentLogError? { time % 4 == 3 ? .closed : nil }

    func record(_ entry: SentEntry, at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        let error = answer(now)
        guard let thread = LogThread({ whenDurable(error) }) else { return whenDurable(error) }
        threads.withLock { $0.append(thread) }
    }

    func record(past entries: [(entry: SentEntry, sent: Int64)], whenDurable: @escaping @Sendable (SentLogError?) -> Void) { whenDurable(nil) }

    func change(_ change: CoverageChange, whenDurable: @escaping @Sendable (SentLogError?) -> Void) {
        if case .closeHole(let time) = change { whenDurable(answer(time)) } else { whenDurable(nil) }
    }

    func keep(at now: Int64, whenDurable: @escaping @Sendable (SentLogError?) -> Void) { whenDurable(answer(now)) }
    func recordedSince(at now: Int64) -> Int64? { nil }
    func close() { threads.withLock { $0.forEach { $0.join() } } }
}
