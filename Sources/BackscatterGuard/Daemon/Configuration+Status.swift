// What the configuration says about the status socket.

extension Configuration {
    /// Where the status socket stands.
    public enum StatusSocket: Sendable, Equatable {
        /// In the folder that the service manager gives, else in the state directory.
        case standard
        case none
        case path(String)
    }

    /// Where it is without a configuration that says so, when systemd started guardd from its unit.
    public static let standardStatusSocket = "/run/guardd/status"

    /// RUNTIME_DIRECTORY holds absolute paths, separated by colons (systemd.exec(5)).
    static func runtimeStatusSocket(_ variable: String?) -> String? {
        guard let folder = variable?.split(separator: ":").first, folder.hasPrefix("/"), folder.utf8.count <= 90 else { return nil }
        return folder + "/status"
    }

    /// Where it is when nobody gave a folder.
    private var ownStatusSocket: String { stateDirectory + "/status" }

    /// nil without a status socket. `isWritten`: the file says so; where it does not, one that can't be made is no fault.
    var statusPlace: (place: ControlPlace, isWritten: Bool)? {
        func place(_ path: String) -> ControlPlace { ControlPlace(path: path, mode: statusSocketMode, group: statusGroup?.number) }
        switch statusSocket {
        case .none: return nil
        case .path(let path): return (place(path), true)
        case .standard:
            let path = Self.runtimeStatusSocket(ConfigurationSystem.variable("RUNTIME_DIRECTORY")) ?? ownStatusSocket
            return path.utf8.count <= 100 ? (place(path), false) : nil
        }
    }

    /// Two sockets can't stand in one place.
    func checkStatus(_ add: (String?, String) -> Void) {
        if let path = statusPlace?.place.path, path == controlSocket || listeners.contains(where: { $0.path == path }) {
            add("status_socket", "\(path) is another socket of guardd's too; write a path of its own")
        }
        if let address = statusListen, isOwnListener(address, own: []) {
            add("status_listen", "\(address) is one of guardd's own listeners; write a port of its own")
        }
    }

    /// Where a command finds the status of a running guardd; nil when the configuration says that there is none. systemd's
    /// guardd has the standard state directory, and answers in the folder that systemd gave it.
    public var statusPath: String? {
        switch statusSocket {
        case .none: nil
        case .path(let path): path
        case .standard:
            stateDirectory != Configuration().stateDirectory || UnixSocketFile.isAnswered(ownStatusSocket)
                ? ownStatusSocket : Self.runtimeStatusSocket(ConfigurationSystem.variable("RUNTIME_DIRECTORY")) ?? Self.standardStatusSocket
        }
    }
}
