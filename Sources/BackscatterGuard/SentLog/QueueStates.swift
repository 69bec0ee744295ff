// What a log has told so far of the mails that are under way, by queue id. Strangers decide how many there are, so their
// number is bounded: the oldest go first. One table a class of mail, so that a flood of strangers' mail pushes out none
// of ours.

/// A queue id of up to 24 octets, in place: no array for each line of a log.
struct QueueKey: Hashable, Sendable {
    static let longest = 24
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0

    /// The octets of `range`, which hold no NUL; nil when there are too many, or none.
    init?(_ line: Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty, range.count <= QueueKey.longest, range.upperBound <= line.count else { return nil }
        for index in range {
            let octet = UInt64(line[index])
            switch index - range.lowerBound {
            case 0..<8: first = first << 8 | octet
            case 8..<16: second = second << 8 | octet
            default: third = third << 8 | octet
            }
        }
    }
}

/// A bounded table in the order of first mention.
struct QueueStates<State: Sendable>: Sendable {
    private struct Held: Sendable {
        var state: State
        let serial: UInt64
    }

    private let limit: Int
    private var held: [QueueKey: Held] = [:]
    private var order: [(key: QueueKey, serial: UInt64)] = []
    private var head = 0
    private var serial: UInt64 = 0

    /// - Parameter limit: 1 or more.
    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { held.count }

    subscript(key: QueueKey) -> State? { held[key]?.state }

    /// Sets a state anew; the oldest goes when there are too many.
    mutating func insert(_ key: QueueKey, _ state: State) {
        serial += 1
        held[key] = Held(state: state, serial: serial)
        order.append((key, serial))
        while held.count > limit, head < order.count {
            let oldest = order[head]
            head += 1
            if held[oldest.key]?.serial == oldest.serial { held[oldest.key] = nil }
        }
        if order.count > 2 * limit + 1024 { compact() }
    }

    /// Changes a state where it lies; nothing happens when there is none.
    ///
    /// - Returns: what `change` returns, nil without a state.
    mutating func change<Value>(_ key: QueueKey, _ change: (inout State) -> Value) -> Value? {
        guard let index = held.index(forKey: key) else { return nil }
        return change(&held.values[index].state)
    }

    @discardableResult
    mutating func remove(_ key: QueueKey) -> State? { held.removeValue(forKey: key)?.state }

    private mutating func compact() {
        order = order[head...].filter { held[$0.key]?.serial == $0.serial }
        head = 0
    }
}
