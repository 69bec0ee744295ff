// What a relay counts that no event tells.

extension Relay {
    /// From the first held octet to none: the client waits meanwhile.
    func timeHold(before: Int, after: Int) {
        if before == 0, after > 0 { heldSince = worker.now }
        if before > 0, after == 0 { worker.counters.time(CounterLayout.shared.holdSeconds, Int(max(0, worker.now - heldSince)) * 1_000) }
    }
}
