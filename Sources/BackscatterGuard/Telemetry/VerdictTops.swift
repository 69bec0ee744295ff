// Hour by hour: which hosts bring forged bounces, and whose addresses are abused.

/// Top bouncing hosts and victims of the last `hours`. Bounded: 128 names an hour and list.
struct VerdictTops: Sendable {
    /// Hours that are kept.
    static let hours = 24

    private struct Hour {
        var number: Int64
        var hosts = TopCounts()
        var victims = TopCounts()
    }

    private var kept: [Hour] = []

    /// Counts it if it is backscatter. Of repeats only the victim is known.
    mutating func add(_ event: VerdictEvent, at now: Int64) {
        guard event.isBackscatter else { return }
        // Hours to come are those of a clock that has been set back.
        kept.removeAll { $0.number > now / 3_600 }
        let place = place(of: event.time / 3_600)
        if let client = event.client { kept[place].hosts.add(client) }
        for victim in event.recipients { kept[place].victims.add(victim, event.count) }
        drop()
    }

    /// Adds all of another.
    mutating func merge(_ other: VerdictTops) {
        for hour in other.kept {
            let place = place(of: hour.number)
            kept[place].hosts.add(hour.hosts)
            kept[place].victims.add(hour.victims)
        }
        drop()
    }

    private mutating func place(of number: Int64) -> Int {
        let place = kept.firstIndex { $0.number >= number } ?? kept.endIndex
        if place == kept.endIndex || kept[place].number != number { kept.insert(Hour(number: number), at: place) }
        return place
    }

    private mutating func drop() {
        if kept.count > Self.hours { kept.removeFirst(kept.count - Self.hours) }
    }

    /// - Parameter hours: 1...24; the present hour counts as one.
    func top(_ limit: Int, hours: Int, at now: Int64) -> (hosts: [TopCounts.Entry], victims: [TopCounts.Entry]) {
        let first = now / 3_600 - Int64(max(1, min(hours, Self.hours)) - 1)
        var (hosts, victims) = (TopCounts(places: 1_024), TopCounts(places: 1_024))
        for hour in kept where hour.number >= first {
            hosts.add(hour.hosts)
            victims.add(hour.victims)
        }
        return (hosts.top(limit), victims.top(limit))
    }
}
