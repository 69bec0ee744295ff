// Whether `guardd run` would start here, for `guardd check`: all that a start does before it serves is tried or looked at,
// by the same rules and with the same words, and nothing is left behind. A port is bound and given back before anybody
// could connect; a folder that is to be made is made under another name and removed.
//
// Not known beforehand: what another user than the one who asks may do beyond owner, groups and modes; whether the key
// fits the sent log; what systemd passes; what the mail server and Redis answer.

import Glibc

/// What a start by the same user, on this machine, now, would meet.
public struct StartProspect {
    /// Why guardd would not serve, in the order in which a start comes upon it.
    public private(set) var faults: [ServerError] = []
    /// What it would go on without, and what could not be tried.
    public private(set) var warnings: [String] = []

    private let configuration: Configuration
    private let ports = ListeningPorts()
    /// nil: another user than whoever asks, who can't become it.
    private var user: ServingUser?

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        lookAtUser()
        lookAtSettings()
        for listener in configuration.listeners { look(at: listener) }
        guard let user else { return }
        let folder = StateDirectoryProspect(configuration, user)
        faults += folder.faults.map(ServerError.sentLog)
        lookAtControl(user, folder)
        lookAtStatus(user, folder)
    }

    /// As `guardd run` would exit; nil: it would serve.
    public var exitStatus: Int32? { faults.first?.exitStatus }

    private mutating func lookAtUser() {
        do throws(ConfigurationError) {
            if case .become(let account) = try Privileges.wanted(by: configuration) { user = ServingUser(account) } else { user = .process }
        } catch {
            let isOther = geteuid() != 0 && configuration.user.map { (try? Account(user: $0, group: configuration.group)) != nil } ?? false
            guard isOther else { return faults.append(.configuration(error)) }
            // Who only reads the file and is not the one to start guardd.
            warnings += error.lines
            warnings.append("not tested as this user: state_dir, sockets and ports that need the rights of \(configuration.user ?? ""); run guardd check as root")
        }
    }

    private mutating func lookAtSettings() {
        do throws(ConfigurationError) {
            _ = try configuration.sharedLogSettings()
        } catch { faults.append(.configuration(error)) }
    }

    // MARK: ports

    private mutating func look(at listener: Configuration.Listener) {
        guard let path = listener.path else { return look(atPort: listener) }
        guard !isTaken(path) else { return }
        // It is made before root is gone.
        if let reason = ServingUser.process.refusalToMake(path) { faults.append(.listen(address: listener.text, .system(call: "bind", errno: reason))) }
    }

    private mutating func look(atPort listener: Configuration.Listener) {
        guard listener.address.port != 0 else { return }
        do throws(ReactorError) {
            try PortReservation(SocketAddress(listener.address)).close()
        } catch {
            switch error {
            case .system(_, EADDRINUSE): tell(who: ports.at(listener), listener, error)
            case .system(_, EACCES): warnings.append("\(listener.text): not tested: this user may not bind it")
            default: faults.append(.listen(address: listener.text, error))
            }
        }
    }

    /// A guardd that runs has its own ports: then this is a look before a reload or a restart.
    private mutating func tell(who found: ListeningPorts.Found?, _ listener: Configuration.Listener, _ error: ReactorError) {
        if found?.isSystemd == true { return }
        if let guardd = found?.guardd {
            guard case .another(let other) = running, other == guardd.pid else { return }
            return faults.append(.listen(address: listener.text, error))
        }
        if let found, found.holders.isEmpty {
            if case .own = running { return }
            let owner = found.uid.map { " of uid \($0)" } ?? ""
            return warnings.append("\(listener.text): not tested: a process\(owner) listens there already; unless it is this guardd, a start ends with status 71")
        }
        faults.append(.listen(address: listener.text, error))
    }

    // MARK: sockets

    private mutating func lookAtControl(_ user: ServingUser, _ folder: StateDirectoryProspect) {
        guard let place = configuration.controlPlace, !isTaken(place.path) else { return }
        if let reason = folder.refusalToMake(place.path) { faults.append(.listen(address: place.path, .system(call: "bind", errno: reason))) }
        if !user.mayGive(place.group) { faults.append(.listen(address: place.path, .system(call: "chgrp", errno: EPERM))) }
    }

    private mutating func lookAtStatus(_ user: ServingUser, _ folder: StateDirectoryProspect) {
        if let address = configuration.statusListen { look(atPort: Configuration.Listener(address: address)) }
        guard let (place, isWritten) = configuration.statusPlace else { return }
        var reason: ReactorError?
        if place.path == configuration.statusPath, case .another = running {
            reason = .system(call: "bind", errno: EADDRINUSE)
        } else if UnixPeer.listener(at: place.path) == nil {
            reason = folder.refusalToMake(place.path).map { .system(call: "bind", errno: $0) }
            if reason == nil, !user.mayGive(place.group) { reason = .system(call: "chgrp", errno: EPERM) }
        }
        guard let reason else { return }
        if isWritten { return faults.append(.listen(address: place.path, reason)) }
        warnings.append("status socket: \(place.path): \(StatusSocket.reason(reason)): there will be none (status_socket)")
    }

    /// A stranger's socket is a fault, and guardd's own says that it runs.
    private mutating func isTaken(_ path: String) -> Bool {
        guard let found = ports.at(path: path) else { return false }
        if found.stranger != nil { faults.append(.listen(address: path, .system(call: "bind", errno: EADDRINUSE))) }
        return true
    }

    // MARK: who runs

    private enum Running: Equatable {
        case nobody, own
        /// The process of a guardd with another configuration.
        case another(Int32)
    }

    /// Who answers where this configuration's guardd has its status socket.
    private lazy var running: Running = {
        guard let path = configuration.statusPath, let peer = UnixPeer.listener(at: path) else { return .nobody }
        do throws(StatusClientError) {
            _ = try StatusClient(path: path).document(of: configuration, within: 2_000)
            return .own
        } catch {
            if case .another = error { return .another(peer.pid) }
            return .nobody
        }
    }()
}

extension ServingUser {
    /// Why it can't make a file there; nil: it can.
    func refusalToMake(_ path: String) -> CInt? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        var status = stat()
        guard unsafe stat(folder, &status) == 0 else { return errno }
        guard status.st_mode & S_IFMT == S_IFDIR else { return ENOTDIR }
        return refusal(W_OK | X_OK, folder)
    }
}
