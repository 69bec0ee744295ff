// What a start finds in its environment: listening sockets of a service manager (sd_listen_fds(3)), or of the guardd that
// this one takes the place of. Read once, before anything else opens descriptors; the variables are removed, so that no
// program started later takes the descriptors for its own.

import Glibc

/// Descriptors that were passed to this process.
struct Inheritance {
    /// The first that a service manager passes (SD_LISTEN_FDS_START); guardd itself does the same.
    static let firstDescriptor: CInt = 3

    /// What the guardd before says to the next; the values are its own business.
    enum Variable {
        /// A letter for each listening socket, from `firstDescriptor` on: `ListeningSocket.Origin`.
        static let sockets = "GUARDD_SOCKETS"
        /// The number of the socket on which the next one reports that it serves.
        static let report = "GUARDD_REPORT"
        /// The number of a sealed file with keys; not there when there are none.
        static let keys = "GUARDD_KEYS"
    }

    var sockets: [ListeningSocket] = []
    /// Where a successor reports; nil at any other start.
    var report: CInt?
    var keys: CInt?

    /// Nothing.
    init() {}

    /// What the environment tells.
    ///
    /// - Throws: descriptors that can't be used, and what to write instead.
    static func taken() throws(ConfigurationError) -> Inheritance {
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", Variable.sockets, Variable.report, Variable.keys] { unsafe unsetenv(name) } }
        if let letters = variable(Variable.sockets) { return try handedOver(letters) }
        guard variable("LISTEN_PID") == String(getpid()), let count = variable("LISTEN_FDS").flatMap(CInt.init), count > 0 else { return Inheritance() }
        let names = variable("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
        return try activated(count: min(count, 4_096), names: names)
    }

    private static func activated(count: CInt, names: [String]) throws(ConfigurationError) -> Inheritance {
        var result = Inheritance()
        var faults: [ConfigurationError.Fault] = []
        for index in 0..<count {
            let descriptor = firstDescriptor + index
            setCloseOnExec(descriptor)
            let name = Int(index) < names.count ? " (\(ASCII.washed(names[Int(index)].utf8, limit: 100)))" : ""
            if let problem = problem(of: descriptor) {
                faults.append(.init(keyPath: "LISTEN_FDS", problem: "descriptor \(descriptor)\(name): \(problem)"))
            } else {
                result.sockets.append(prepared(descriptor, .held))
            }
        }
        guard faults.isEmpty else { throw ConfigurationError(faults) }
        return result
    }

    private static func handedOver(_ letters: String) throws(ConfigurationError) -> Inheritance {
        var result = Inheritance()
        result.report = variable(Variable.report).flatMap(CInt.init)
        result.keys = variable(Variable.keys).flatMap(CInt.init)
        for descriptor in [result.report, result.keys] { if let descriptor { setCloseOnExec(descriptor) } }
        for (index, letter) in letters.enumerated() {
            let descriptor = firstDescriptor + CInt(clamping: index)
            setCloseOnExec(descriptor)
            guard let origin = ListeningSocket.Origin(rawValue: letter), problem(of: descriptor) == nil else {
                throw ConfigurationError([.init(keyPath: Variable.sockets, problem: "is for guardd's own use; remove it from the environment")])
            }
            result.sockets.append(prepared(descriptor, origin))
        }
        return result
    }

    /// Accepted clients inherit TCP_NODELAY.
    private static func prepared(_ descriptor: CInt, _ origin: ListeningSocket.Origin) -> ListeningSocket {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        Listener.setOption(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY)
        return ListeningSocket(descriptor, origin)
    }

    /// Why clients can't be accepted from it, and the remedy; nil when they can.
    private static func problem(of descriptor: CInt) -> String? {
        guard fcntl(descriptor, F_GETFD) >= 0 else { return "is not open; start guardd by its service manager" }
        guard let type = Listener.option(descriptor, SOL_SOCKET, SO_TYPE) else { return "is no socket; write ListenStream=ADDRESS:PORT in the .socket unit" }
        guard type == CInt(SOCK_STREAM.rawValue) else {
            return "is no stream socket; write ListenStream= in the .socket unit in the place of ListenDatagram= or ListenSequentialPacket="
        }
        guard Listener.option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) == 1 else {
            return "does not listen: it is one client's connection; write Accept=no in the .socket unit"
        }
        return nil
    }

    private static func setCloseOnExec(_ descriptor: CInt) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

    private static func variable(_ name: String) -> String? { ConfigurationSystem.variable(name) }
}
