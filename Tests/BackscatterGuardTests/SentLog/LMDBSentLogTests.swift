import Foundation
import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("Sent log: recording and answering") struct LMDBSentLogTests {
    @Test func whatWasSentIsKnown() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry("<a@Mail.example.org>", to: ["x@y.example", "z@y.example"]), at: noon)
        let findings = log.answer(
            Inquiry(ids: [try id("other@h"), try id("a@MAIL.EXAMPLE.ORG")], references: [try id("<a@mail.example.org>"), try id("A@mail.example.org")]),
            at: noon + 60
        )
        #expect(findings.availability == .answered && findings.timesReturned == 0)
        #expect(findings.ids[0] == nil && findings.references[1] == nil)
        let record = try #require(findings.ids[1])
        #expect(record.time == noon && record.recipients == 2 && record == findings.references[0])
        #expect(record.wasSent(from: Octets("example.org")) && !record.wasSent(from: Octets("example.net")))
        #expect(record.wasSent(fromAddress: Octets("ann@example.org")) && !record.wasSent(fromAddress: Octets("bob@example.org")))
        log.close()
        #expect(log.answer(Inquiry(ids: [try id("a@b")]), at: noon).availability == .failed)
    }

    @Test func survivesBeingClosed() throws {
        let state = try StateDirectory()
        do {
            let log = try LMDBSentLog(state.settings, at: noon)
            try log.recordNow(try entry("a@b"), at: noon)
        }
        let log = try LMDBSentLog(state.settings, at: noon + 9)
        #expect(try log.knows("a@b", at: noon + 9) && !log.knows("b@b", at: noon + 9))
    }

    @Test func transactionsOfOneMailAreOneRecordOverAllDays() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        for day in Int64(0)..<3 {
            try log.recordNow(try entry("a@b", from: "u\(day)@d\(day).example", to: ["x@y", "z@y"]), at: noon + day * Day.seconds)
        }
        let record = try #require(log.answer(Inquiry(ids: [try id("a@b")]), at: noon + 3 * Day.seconds).ids[0])
        #expect(record.recipients == 6 && record.time == noon + 2 * Day.seconds)
        for day in 0..<3 { #expect(record.wasSent(from: Octets("d\(day).example"))) }
    }

    @Test func pairs() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry(from: "Ann@example.org", to: ["bob@x.example", "Eve@x.example"]), at: noon)
        try log.recordNow(try entry(from: "Ann@example.org", to: ["bob@x.example"]), at: noon)
        try log.recordNow(SentEntry(ids: [], reversePath: [], forwardPaths: [Octets("zoe@x.example")]), at: noon)
        let recipients = ["carl@example.org", "ann@Example.org", ""].map { Octets($0) }
        func known(_ failed: String...) -> [Bool] {
            log.answer(Inquiry(recipients: recipients, failedRecipients: failed.map { Octets($0) }), at: noon).knownPairs
        }
        #expect(known("nobody@x.example", "EVE@x.example") == [false, true, false])
        #expect(known("nobody@x.example") == [false, false, false])
        #expect(known("zoe@x.example") == [false, false, false], "an unknown sender makes no pair")
        try log.recordAndWait([SentEntry(
            ids: [MessageID(Octets("kept@example.org"))].compactMap(\.self), reversePath: Octets("ann@example.org"),
            forwardPaths: [Octets("unpaired@x.example")], keepsPairs: false
        )], at: noon)
        #expect(known("unpaired@x.example").contains(true) == false, "an entry may leave its pairs out")
        #expect(known() == [false, false, false])
        let statistics = try log.statistics(at: noon)
        #expect(statistics.weeks == [.init(from: "2026-11-19", ids: 1, pairs: 2)])
    }

    @Test(arguments: [
        ("75AC7F7817A", "20261122033109.75AC7F7817A@mail.example.org"), ("4jXF4B3X9yz2NGGN", "4jXF4B3X9yz2NGGN@h"),
        ("1xUyJc-0005wW-1W", "E1xUyJc-0005wW-1W@h"), ("6AM3Z2fb003652", "202611220332.6AM3Z2fb003652@h"),
    ])
    func queueIDs(_ queueID: String, _ made: String) throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry(queueID: queueID), at: noon)
        #expect(try log.knows(made, at: noon))
        #expect(try !log.knows(queueID, at: noon), "the queue id alone is no Message-ID")
        #expect(try !log.knows("x" + made, at: noon))
    }

    @Test func anIDIsNoQueueID() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry("75AC7F7817A"), at: noon)
        #expect(try !log.knows("20261122033109.75AC7F7817A@mail.example.org", at: noon))
    }

    @Test func limitsOfAnInquiry() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry("a@b"), at: noon)
        var ids = try (0..<1000).map { try id("\($0)@b") }
        ids[Inquiry.idLimit] = try id("a@b")
        let recipients = [Octets("ann@example.org")]
        var failed = (0..<1000).map { Octets("\($0)@elsewhere.example") }
        failed[Inquiry.pairLimit] = Octets("bob@elsewhere.example")
        var findings = log.answer(Inquiry(ids: ids, references: ids, recipients: recipients, failedRecipients: failed), at: noon)
        #expect(findings.ids.count == 1000 && findings.ids.allSatisfy { $0 == nil } && findings.references.allSatisfy { $0 == nil })
        #expect(findings.knownPairs == [false])
        ids.swapAt(Inquiry.idLimit, Inquiry.idLimit - 1)
        failed.swapAt(Inquiry.pairLimit, Inquiry.pairLimit - 1)
        findings = log.answer(Inquiry(ids: ids, recipients: recipients, failedRecipients: failed), at: noon)
        #expect(findings.ids[Inquiry.idLimit - 1] != nil && findings.knownPairs == [true])
    }

    @Test func returnsAreCountedOnlyWhenAsked() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry("a@b"), at: noon)
        let silent = Inquiry(ids: [try id("a@b")])
        let counting = Inquiry(ids: [try id("x@b"), try id("a@b")], countsReturn: true)
        #expect(log.answer(counting, at: noon).timesReturned == 1)
        #expect(log.answer(silent, at: noon).timesReturned == 0)
        #expect(log.answer(counting, at: noon).timesReturned == 2)
        #expect(log.answer(Inquiry(ids: [try id("x@b")], references: [try id("a@b")], countsReturn: true), at: noon).timesReturned == 0)
    }

    @Test func nothingStandsInClear() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(try entry("secretid@hidden.example", from: "whoever@concealed.example", to: ["peer@private.example"], queueID: "QQSECRETQQ"), at: noon)
        log.close()
        let text = String(decoding: try state.octets("sent.mdb"), as: UTF8.self)
        for word in ["secretid", "hidden", "whoever", "concealed", "peer", "private", "QQSECRETQQ"] { #expect(!text.contains(word)) }
    }

    @Test func entriesWithNothingToRecordAreFine() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        try log.recordNow(SentEntry(ids: []), at: noon)
        try log.recordNow(SentEntry(ids: [], queueID: []), at: noon)
        try log.recordAndWait([], at: noon)
    }

    @Test func manyThreadsAtOnce() throws {
        let state = try StateDirectory()
        let log = try LMDBSentLog(state.settings, at: noon)
        let faults = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for number in 0..<50 {
                do {
                    try log.recordNow(try entry("\(thread).\(number)@b"), at: noon)
                    if try !log.knows("\(thread).\(number)@b", at: noon) { faults.add(1, ordering: .relaxed) }
                    if try log.knows("\(thread).\(number)@c", at: noon) { faults.add(1, ordering: .relaxed) }
                } catch {
                    faults.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(faults.load(ordering: .relaxed) == 0)
        #expect(try log.statistics(at: noon).weeks.first?.ids == 400)
    }

    @Test func callbacksComeOnAnotherThreadAndAlways() throws {
        let state = try StateDirectory()
        var settings = state.settings
        settings.queueLimit = 2
        let log = try LMDBSentLog(settings, at: noon)
        let outcomes = Mutex<[SentLogError?]>([])
        let isInCall = Mutex(false)
        let overlaps = Atomic(0)
        // Five records are queued while the thread is held up in the callback of the first.
        let held = try #require(Signal()), arrived = try #require(Signal())
        log.record(try entry("first@b"), at: noon) { _ in
            arrived.raise()
            held.wait()
        }
        arrived.wait()
        for number in 0..<5 {
            isInCall.withLock { $0 = true }
            log.record(try entry("\(number)@b"), at: noon) { error in
                if isInCall.withLock({ $0 }) { overlaps.add(1, ordering: .relaxed) }
                outcomes.withLock { $0.append(error) }
            }
            isInCall.withLock { $0 = false }
        }
        held.raise()
        log.close()
        #expect(outcomes.withLock { $0 } == [nil, nil, .queueFull(limit: 2), .queueFull(limit: 2), .queueFull(limit: 2)])
        #expect(overlaps.load(ordering: .relaxed) == 0)
        #expect(throws: SentLogError.closed) { try log.recordNow(try entry("late@b"), at: noon) }
        #expect(throws: SentLogError.closed) { try log.expire(at: noon) }
        #expect(throws: SentLogError.closed) { try log.statistics(at: noon) }
    }
}
