// A bounce may be faster than the log that tells of its mail. So before a notification counts as never sent the sources
// read what is there now, and the log is asked again. What they can't read in time may hold the id: then nothing is refused.

import Synchronization

/// Asks another reader, after the sources if need be. Belongs to its loop's thread.
final class CatchingUpReader: SentLogReader {
    private struct Asked {
        let inquiry: Inquiry
        let now: Int64
        let answered: (Findings) -> Void
        /// Milliseconds of the monotonic clock.
        let deadline: Int64
    }

    /// What the sources' threads have answered.
    private final class Inbox: Sendable {
        private let letters = Mutex<[(number: UInt64, isWhole: Bool)]>([])

        func put(_ number: UInt64, _ isWhole: Bool) { letters.withLock { $0.append((number, isWhole)) } }

        func take() -> [(number: UInt64, isWhole: Bool)] {
            letters.withLock { list in
                defer { list = [] }
                return list
            }
        }
    }

    private let inner: any SentLogReader
    private let keeper: SourceKeeper
    private let patience: Int64
    private let inbox = Inbox()
    private let door: LoopDoor
    private var bell: LoopBell?
    private var timer: LoopTimer?
    private var asked: [UInt64: Asked] = [:]
    private var last: UInt64 = 0

    /// - Parameter patience: milliseconds that the sources have.
    init(_ inner: any SentLogReader, _ keeper: SourceKeeper, loop: EventLoop, patience: Int64 = SourceKeeper.patience) throws(ReactorError) {
        self.inner = inner
        self.keeper = keeper
        self.patience = patience
        door = try LoopDoor()
        bell = try LoopBell(door.waker, loop: loop) { [unowned self] in readInbox() }
        do throws(ReactorError) {
            timer = try LoopTimer(loop: loop) { [unowned self] in expire() }
        } catch {
            bell?.close()
            throw error
        }
    }

    func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void) {
        inner.ask(inquiry, at: now) { [weak self] findings in
            guard let self, inquiry.mayLack(findings) else { return answered(findings) }
            lookOnceMore(Asked(inquiry: inquiry, now: now, answered: answered, deadline: EventLoop.milliseconds() + patience))
        }
    }

    private func lookOnceMore(_ question: Asked) {
        guard bell != nil else { return }
        last += 1
        let number = last
        if asked.isEmpty { timer?.set(after: patience) }
        asked[number] = question
        let (inbox, door) = (inbox, door)
        keeper.catchUp { isWhole in
            inbox.put(number, isWhole)
            door.waker.wake()
        }
    }

    private func readInbox() {
        for (number, isWhole) in inbox.take() {
            if let question = asked.removeValue(forKey: number) { answer(question, isWhole: isWhole) }
        }
        if asked.isEmpty { timer?.stop() }
    }

    private func expire() {
        let now = EventLoop.milliseconds()
        for (number, question) in asked.sorted(by: { $0.key < $1.key }) where question.deadline <= now {
            asked[number] = nil
            answer(question, isWhole: false)
        }
        if let next = asked.values.map(\.deadline).min() { timer?.set(after: max(1, next - now)) }
    }

    private func answer(_ question: Asked, isWhole: Bool) {
        inner.ask(question.inquiry, at: question.now, isWhole: isWhole, answered: question.answered)
    }

    func close() {
        bell?.close()
        bell = nil
        timer?.close()
        timer = nil
        asked = [:]
        inner.close()
    }
}

/// A waker that outlives its loop: a source may answer late.
private final class LoopDoor: Sendable {
    let waker: Waker

    init() throws(ReactorError) { waker = try Waker() }

    deinit { waker.close() }
}

extension Inquiry {
    /// The last word on a notification would be that nothing of it is known.
    fileprivate func mayLack(_ findings: Findings) -> Bool {
        guard countsReturn, findings.availability == .answered, !findings.hasKnownID, !findings.knownPairs.contains(true) else { return false }
        return findings.isCovered || ids.isEmpty && !failedRecipients.isEmpty
    }
}
