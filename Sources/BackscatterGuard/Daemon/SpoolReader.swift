// Questions to the sent log wait until what lies in the spool is in it: a hook that could not reach the daemon has
// acknowledged mail whose bounce may be at the door.

/// Wraps the reader of one event loop.
final class SpoolReader: SentLogReader {
    private struct Waiting {
        let inquiry: Inquiry
        let time: Int64
        let answered: (Findings) -> Void
    }

    private let inner: any SentLogReader
    private let spool: SpoolImporter
    private let letters: Letterbox<(number: UInt64, isComplete: Bool)>
    private var bell: LoopBell?
    private var waiting: [UInt64: Waiting] = [:]
    private var last: UInt64 = 0

    init(_ inner: any SentLogReader, _ spool: SpoolImporter, loop: EventLoop) throws(ReactorError) {
        self.inner = inner
        self.spool = spool
        letters = try Letterbox()
        bell = try LoopBell(letters.waker, loop: loop) { [unowned self] in importsEnded() }
    }

    func ask(_ inquiry: Inquiry, at now: Int64, answered: @escaping (Findings) -> Void) {
        if spool.isClean { return inner.ask(inquiry, at: now, answered: answered) }
        last += 1
        let (number, letters) = (last, letters)
        waiting[number] = Waiting(inquiry: inquiry, time: now, answered: answered)
        spool.run { letters.post((number, $0)) }
    }

    private func importsEnded() {
        for (number, isComplete) in letters.take() {
            guard let asked = waiting.removeValue(forKey: number) else { continue }
            inner.ask(asked.inquiry, at: asked.time, isWhole: isComplete, answered: asked.answered)
        }
    }

    func close() {
        bell?.close()
        bell = nil
        waiting = [:]
        inner.close()
    }
}
