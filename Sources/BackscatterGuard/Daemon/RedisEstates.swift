// What guardds before this one have left of a shared log (SharedSlot): their journals, which may hold what Redis has not or
// has lost, and their rows in Redis, which have to be renewed. This process does both until nobody needs them any more.

/// Used on the recorder's thread.
final class RedisEstates {
    /// Milliseconds between two looks: while nobody renews the row of one that has just ended, unknown ids wait.
    private static let period: Int64 = 200

    private struct Estate {
        let slot: SharedSlot
        let recorder: RedisRecorder
    }

    private let settings: SharedLogSettings
    private let key: SentKey
    private let loop: EventLoop
    private let heir: RedisRecorder
    private let report: @Sendable (Severity, String) -> Void
    private var estates: [Int: Estate] = [:]
    /// Taken once and found bad.
    private var refused: Set<Int> = []
    private var lookedAt: Int64 = .min / 2

    init(
        _ settings: SharedLogSettings, key: SentKey, loop: EventLoop, heir: RedisRecorder, report: @escaping @Sendable (Severity, String) -> Void
    ) {
        (self.settings, self.key, self.loop, self.heir, self.report) = (settings, key, loop, heir, report)
    }

    /// Takes what has been left since the last look, and what is asked of the recorder itself.
    func look(_ jobs: [RedisRecorder.Job]) {
        for case .keep(let now, _) in jobs { keep(at: now) }
        let clock = EventLoop.milliseconds()
        guard clock - lookedAt >= RedisEstates.period else { return }
        lookedAt = clock
        let known = refused.union(estates.keys).union([settings.slot])
        for slot in SharedSlot.left(settings, besides: known) { take(slot) }
    }

    private func take(_ slot: SharedSlot) {
        do {
            let recorder = try RedisRecorder(slot.settings, key: key, loop: loop, report: report)
            // Whatever it let pass unrecorded, it lets nothing pass any more.
            recorder.take([.change(.closeHole(at: EventLoop.seconds())) { _ in }])
            estates[slot.settings.slot] = Estate(slot: slot, recorder: recorder)
        } catch {
            refused.insert(slot.settings.slot)
            let reason = (error as? SentLogError)?.text ?? (error as? ReactorError)?.text ?? "failed"
            report(.error, "sent log: what the guardd before this one has left in \(slot.settings.journalDirectory) can't be used: \(reason)")
        }
    }

    private func keep(at now: Int64) {
        for (number, estate) in estates {
            estate.recorder.take([.keep(at: now) { _ in }])
            guard let row = heir.row else { continue }
            estate.recorder.retire(to: row, at: now) { [weak self] in self?.retired.append(number) }
        }
        // Not in the callback of their own connection.
        for number in retired {
            guard let estate = estates.removeValue(forKey: number) else { continue }
            estate.recorder.close()
            estate.slot.clear()
        }
        retired = []
    }

    private var retired: [Int] = []

    func close() {
        for estate in estates.values { estate.recorder.close() }
        estates = [:]
    }
}
