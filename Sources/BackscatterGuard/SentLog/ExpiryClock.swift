// Guards expiry against a wrong clock: days of records must not be dropped because a machine woke up in 2038.

/// The newest time that the log has seen, and until when nothing may expire. Pure; stored in the log.
struct ExpiryClock: Sendable, Equatable {
    /// A greater difference between now and the newest time is a step of the clock (or a stop as long).
    static let tolerance = Day.seconds

    /// nil: nothing was recorded yet.
    private(set) var newest: Int64?
    /// Nothing expires before; .min when the clock has always run well.
    private(set) var suspendedUntil = Int64.min

    init() {}

    init(newest: Int64?, suspendedUntil: Int64) {
        self.newest = newest
        self.suspendedUntil = suspendedUntil
    }

    /// Takes note of the time.
    ///
    /// - Returns: how far the clock stepped (negative: back); 0 when it did not. After a step expiry waits for a day
    ///   by the new clock: time enough for somebody who reads the alarm, and no standstill if nobody does.
    mutating func observe(_ now: Int64) -> Int64 {
        guard let newest else {
            self.newest = now
            return 0
        }
        let step = now.subtractingReportingOverflow(newest)
        let by = step.overflow ? (now < newest ? Int64.min : Int64.max) : step.partialValue
        guard by.magnitude > ExpiryClock.tolerance.magnitude else {
            self.newest = max(newest, now)
            return 0
        }
        self.newest = now
        suspendedUntil = max(now, now &+ ExpiryClock.tolerance)
        return by
    }

    func mayExpire(at now: Int64) -> Bool { now >= suspendedUntil }

    var octets: Octets {
        var octets = Octets()
        octets.appendInteger(newest ?? Int64.min)
        octets.appendInteger(suspendedUntil)
        return octets
    }

    init?(octets: Octets) {
        var reader = IntegerReader(octets)
        guard let newest = reader.next(Int64.self), let until = reader.next(Int64.self) else { return nil }
        self.init(newest: newest == Int64.min ? nil : newest, suspendedUntil: until)
    }
}
