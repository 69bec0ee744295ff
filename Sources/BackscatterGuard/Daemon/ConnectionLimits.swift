// How many clients there may be, in all and from one network, and how fast they may come, counted over all workers
// (Postfix counts in anvil(8)). Memory: a row for each client that is connected, and where rates are limited a row for
// each that came within the minute.

import Synchronization

/// Counts the clients that are connected.
final class ConnectionLimits: Sendable {
    struct Settings: Sendable, Equatable {
        /// 0: no limit.
        var total: Int
        /// Of one client, that is of one network. 0: no limit.
        var perClient: Int
        /// New ones of one client within a minute. 0: no limit.
        var rate = 0
        /// Bits of an address that make a client: 0...32, 0...128.
        var prefixIPv4 = 32
        var prefixIPv6 = 64
        /// A client's time for a command, in milliseconds, under stress.
        var stressTimeout: Int64

        /// The client that an address belongs to.
        func client(_ address: PeerAddress) -> PeerAddress {
            address.masked(address.family == .ipv4 ? prefixIPv4 : prefixIPv6)
        }
    }

    /// Why a client is turned away.
    enum Refusal: Equatable {
        case total, perClient, rate

        var text: String {
            switch self {
            case .total: "too many connections (max_connections)"
            case .perClient: "too many connections from this client (max_connections_per_client)"
            case .rate: "too frequent connections from this client (client_connection_rate_limit)"
            }
        }
    }

    /// What an admitted client gives back when it goes.
    struct Place: Sendable, Equatable {
        /// nil: counted in the total only, as a listed one is.
        fileprivate var client: PeerAddress?
    }

    /// Listed clients find these places when all others are taken, so that the administrator's own probes get in.
    static let reserve = 8
    /// Milliseconds (Postfix: anvil_rate_time_unit).
    private static let minute: Int64 = 60_000
    /// Clients whose rates are known at a time; of more than these none is refused for its rate.
    private static let ratedClients = 100_000

    private struct Counts {
        var total = 0
        var byClient: [PeerAddress: Int] = [:]
        var newByClient: [PeerAddress: Int] = [:]
        var minuteBegan: Int64 = 0
        var isStressed = false
    }

    private let counts = Mutex(Counts())
    private let stress = Atomic(false)
    private let stressChanged: @Sendable (_ isStressed: Bool, _ total: Int) -> Void

    /// - Parameter stressChanged: called from any thread when stress begins and when it ends.
    init(stressChanged: @escaping @Sendable (_ isStressed: Bool, _ total: Int) -> Void = { _, _ in }) {
        self.stressChanged = stressChanged
    }

    /// Counts one more client, unless there are too many.
    ///
    /// - Parameters:
    ///   - address: the true client's, as a PROXY header tells it.
    ///   - isListed: it speaks for others, or is the administrator's own: only the total counts (Postfix: smtpd_client_event_limit_exceptions).
    ///   - now: milliseconds.
    func admit(_ address: PeerAddress, isListed: Bool = false, _ limits: Settings, at now: Int64) -> Result<Place, Refusal> {
        let (result, change) = counts.withLock { counts -> (Result<Place, Refusal>, (Bool, Int)?) in
            if limits.total > 0, counts.total >= limits.total + (isListed ? ConnectionLimits.reserve : 0) { return (.failure(.total), nil) }
            var place = Place()
            if !isListed, let refusal = count(address, limits, at: now, &counts, &place) { return (.failure(refusal), nil) }
            counts.total += 1
            return (.success(place), stressChange(&counts, limits))
        }
        if let change { stressChanged(change.0, change.1) }
        return result
    }

    func release(_ place: Place, _ limits: Settings) {
        let change = counts.withLock { counts -> (Bool, Int)? in
            counts.total -= 1
            if let client = place.client {
                let left = counts.byClient[client, default: 1] - 1
                counts.byClient[client] = left > 0 ? left : nil
            }
            return stressChange(&counts, limits)
        }
        if let change { stressChanged(change.0, change.1) }
    }

    /// From more than three quarters of all that are allowed until only half are left.
    var isStressed: Bool { stress.load(ordering: .relaxed) }

    private func count(_ address: PeerAddress, _ limits: Settings, at now: Int64, _ counts: inout Counts, _ place: inout Place) -> Refusal? {
        let client = limits.client(address)
        let connected = counts.byClient[client, default: 0]
        if limits.perClient > 0, connected >= limits.perClient { return .perClient }
        if limits.rate > 0, isTooFast(client, limits, at: now, &counts) { return .rate }
        counts.byClient[client] = connected + 1
        place.client = client
        return nil
    }

    /// Counts attempts, also those that are refused, as anvil does: a client that goes on knocking stays out.
    private func isTooFast(_ client: PeerAddress, _ limits: Settings, at now: Int64, _ counts: inout Counts) -> Bool {
        if now - counts.minuteBegan >= ConnectionLimits.minute {
            counts.minuteBegan = now
            counts.newByClient.removeAll()
        }
        let known = counts.newByClient[client]
        guard known != nil || counts.newByClient.count < ConnectionLimits.ratedClients else { return false }
        counts.newByClient[client] = (known ?? 0) + 1
        return (known ?? 0) >= limits.rate
    }

    private func stressChange(_ counts: inout Counts, _ limits: Settings) -> (Bool, Int)? {
        let border = counts.isStressed ? limits.total / 2 : limits.total / 4 * 3
        let isStressed = limits.total > 0 && counts.total > border
        guard isStressed != counts.isStressed else { return nil }
        counts.isStressed = isStressed
        stress.store(isStressed, ordering: .relaxed)
        return (isStressed, counts.total)
    }
}

extension ConnectionLimits.Refusal: Error {}

extension ConnectionLimits {
    convenience init(log: LogWriter) {
        self.init { isStressed, total in
            log.write(.warning, isStressed
                ? "stress: \(total) connections, nearly max_connections: short deadlines, hard_error_limit and junk_command_limit 1"
                : "stress is over: \(total) connections")
        }
    }
}

/// Session numbers, one row for all workers.
final class SessionNumbers: Sendable {
    private let last = Atomic<UInt64>(0)
    func next() -> UInt64 { last.add(1, ordering: .relaxed).newValue }
}
