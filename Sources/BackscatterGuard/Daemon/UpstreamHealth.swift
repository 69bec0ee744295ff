// Which upstreams answer, known to all workers: one that does not is put behind the others until it is back, so that not
// every client waits for it in turn. Who finds out: sessions, whose attempts fail or succeed, and `UpstreamProber`, which
// asks those that are in question every second.
//
// A session's bad greeting may be meant for its client alone. So it only raises a question; the answer is the prober's.

import Synchronization

/// What is known of upstreams that are not as they should be; one that is not here is up.
final class UpstreamHealth: Sendable {
    /// What is tried: an address, or a name while it has none.
    enum Key: Hashable, Sendable {
        case address(SocketAddress)
        case name(String, UInt16)

        var text: String {
            switch self {
            case .address(let address): address.text
            case .name(let host, let port): "\(host):\(port)"
            }
        }
    }

    enum Fault: Sendable, Equatable {
        /// Nobody answers connect(2): who tries again waits in vain.
        case silent
        /// The connection is refused, the name is not known.
        case refused(String)
        /// It took a connection, and no good greeting followed.
        case questionable

        fileprivate var text: String {
            switch self {
            case .silent: "connection timed out"
            case .refused(let reason): reason
            case .questionable: "no good greeting"
            }
        }
    }

    enum Standing: Sendable, Equatable {
        case up
        /// To be tried when nothing else is left.
        case down
        /// Not worth a client's time.
        case silent
    }

    /// For the status socket.
    struct State: Sendable, Equatable {
        /// nil: in question only, still treated as up.
        var reason: String?
        var isSilent = false
        /// When it was last in a session's way, in milliseconds; not asked for any more some time after.
        var lastWanted: Int64
    }

    /// Questions at a time: more addresses than these nobody has.
    private static let limit = 256
    /// Milliseconds after which an address that nobody wants any more is forgotten (a changed name, a reload).
    private static let memory: Int64 = 600_000

    private let states = Mutex<[Key: State]>([:])
    private let hasStates = Atomic(false)
    /// What a name meant when it was looked up last.
    private let names = Mutex<[Key: [SocketAddress]]>([:])
    private let changed: @Sendable (_ upstream: String, _ downBecause: String?) -> Void

    /// - Parameter changed: called from any thread, once for each going down and coming back.
    init(changed: @escaping @Sendable (_ upstream: String, _ downBecause: String?) -> Void = { _, _ in }) { self.changed = changed }

    /// Whether to try it; the common case costs one atomic load.
    func standing(_ key: Key, at now: Int64) -> Standing {
        guard hasStates.load(ordering: .relaxed) else { return .up }
        return states.withLock { states in
            guard let state = states[key] else { return .up }
            states[key]?.lastWanted = now
            return state.reason == nil ? .up : state.isSilent ? .silent : .down
        }
    }

    /// A session's attempt failed.
    func failed(_ key: Key, _ fault: Fault, at now: Int64) {
        let isNews = states.withLock { states in
            guard states[key] != nil || states.count < UpstreamHealth.limit else { return false }
            var state = states[key] ?? State(lastWanted: now)
            defer {
                states[key] = state
                hasStates.store(true, ordering: .relaxed)
            }
            state.lastWanted = now
            if fault == .questionable { return false }
            let wasUp = state.reason == nil
            (state.reason, state.isSilent) = (fault.text, fault == .silent)
            return wasUp
        }
        if isNews { changed(key.text, fault.text) }
    }

    /// The prober's answer to a question.
    func denied(_ key: Key, _ reason: String, isSilent: Bool) {
        let isNews = states.withLock { states in
            guard var state = states[key] else { return false }
            defer { states[key] = state }
            let wasUp = state.reason == nil
            (state.reason, state.isSilent) = (reason, isSilent)
            return wasUp
        }
        if isNews { changed(key.text, reason) }
    }

    /// It has said 220, to a session or to the prober.
    func works(_ key: Key) {
        guard hasStates.load(ordering: .relaxed) else { return }
        let wasDown = states.withLock { states in
            defer { hasStates.store(!states.isEmpty, ordering: .relaxed) }
            return states.removeValue(forKey: key)?.reason != nil
        }
        if wasDown { changed(key.text, nil) }
    }

    /// What the prober has to ask; forgets what nobody has wanted for long.
    func questions(at now: Int64) -> [Key] {
        guard hasStates.load(ordering: .relaxed) else { return [] }
        return states.withLock { states in
            states = states.filter { now - $0.value.lastWanted < UpstreamHealth.memory }
            hasStates.store(!states.isEmpty, ordering: .relaxed)
            return Array(states.keys)
        }
    }

    var all: [Key: State] { states.withLock { $0 } }

    /// A session has looked a name up.
    func resolved(_ name: Key, to addresses: [SocketAddress]) {
        names.withLock { names in
            if names[name] != addresses, names[name] != nil || names.count < Self.limit { names[name] = addresses }
        }
    }

    /// Of one that the configuration names; nil: it is up. A name is down when it has no address, or none that is up.
    func state(of key: Key) -> State? {
        let known = all
        if let own = known[key] { return own }
        let addresses = names.withLock { $0[key] } ?? []
        let states = addresses.compactMap { known[.address($0)] }.filter { $0.reason != nil }
        return states.count == addresses.count ? states.first : nil
    }
}

extension UpstreamHealth {
    convenience init(log: LogWriter) {
        self.init { upstream, reason in log.write(.warning, "upstream \(upstream) is " + (reason.map { "down: \($0)" } ?? "back")) }
    }
}

extension SocketAddress {
    /// `192.0.2.1:25`, `[2001:db8::1]:25`, `unix:/path`.
    var text: String {
        guard internet == nil else { return PeerAddress(self).description }
        return "unix:" + String(decoding: storage.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
    }
}
