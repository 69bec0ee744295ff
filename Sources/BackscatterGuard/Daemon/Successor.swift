// The new guardd while it starts up: a process with our listening sockets, and a connection on which it says that it
// serves. It has failed when it ends, says something else, or says nothing for too long.

import Glibc

/// The process that is to take this one's place. Used by the main thread.
final class Successor {
    enum Outcome {
        /// For each socket, whether it is used.
        case serves([Bool])
        /// Why not, in a few words.
        case failed(String)
    }

    let process: pid_t
    private let socket: ReportSocket
    private let count: Int
    private let deadline: Int64
    private var line: Octets = []
    private var finished: ((Outcome) -> Void)?
    /// It serves, and was told to stop.
    var stopped: () -> Void = {}
    /// It ended, or was ended, before it served; the kernel has not given its status yet.
    private var reason: String?

    /// Starts the process.
    ///
    /// - Parameters:
    ///   - sockets: what it gets, in this order.
    ///   - keys: what it may not be able to read.
    ///   - deadline: milliseconds of the monotonic clock.
    ///   - finished: called once.
    init(
        _ program: Program, _ sockets: [ListeningSocket], _ keys: HandedKeys, loop: EventLoop, until deadline: Int64,
        finished: @escaping (Outcome) -> Void
    ) throws(ReactorError) {
        var pair: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw .system(call: "socketpair", errno: errno) }
        defer { _ = Glibc.close(pair[1]) }
        socket = try ReportSocket(descriptor: pair[0], loop: loop)
        count = sockets.count
        self.deadline = deadline
        self.finished = finished
        do throws(ReactorError) {
            let report = Inheritance.firstDescriptor + CInt(clamping: sockets.count)
            var environment = [
                Inheritance.Variable.sockets: String(sockets.map(\.origin.rawValue)), Inheritance.Variable.report: String(report),
            ]
            let file = keys.descriptor()
            defer { if let file { _ = Glibc.close(file) } }
            if file != nil { environment[Inheritance.Variable.keys] = String(report + 1) }
            process = try program.start(descriptors: sockets.map(\.descriptor) + [pair[1]] + (file.map { [$0] } ?? []), environment: environment)
        } catch {
            socket.close()
            throw error
        }
        socket.onOctets = { [unowned self] in heard($0) }
        socket.onEnd = { [unowned self] in ended() }
    }

    /// Every second.
    func tick(at now: Int64) {
        if reason != nil { return reap() }
        if now > deadline { fail("it said nothing within handover_timeout") }
    }

    /// Ends it; nothing is said about it any more.
    func kill() {
        finished = nil
        _ = Glibc.kill(process, SIGTERM)
        socket.close()
    }

    /// Idempotent. Its process sees by this that ours has ended.
    func close() { socket.close() }

    private func heard(_ octets: Octets) {
        guard finished != nil else { return stopped() }
        line += octets
        guard line.contains(ASCII.lf) || line.count > count else { return }
        guard let taken = ReportSocket.taken(line, count: count) else { return fail("it said something that is no report") }
        finish(.serves(taken))
    }

    /// The connection stays open after a report: that it closes tells the successor of our end. It is lost with the process.
    private func finish(_ outcome: Outcome) {
        let finished = finished
        self.finished = nil
        finished?(outcome)
    }

    private func ended() {
        guard finished != nil else { return }
        reason = "it ended"
        reap()
    }

    private func fail(_ text: String) {
        reason = text
        _ = Glibc.kill(process, SIGKILL)
        socket.close()
        reap()
    }

    private func reap() {
        guard let reason else { return }
        var status: CInt = 0
        let result = unsafe waitpid(process, &status, WNOHANG)
        if result == 0 { return }
        guard result == process, reason == "it ended" else { return finish(.failed(reason)) }
        let code = status >> 8 & 0xFF
        let signal = status & 0x7F
        let hint = code == ConfigurationError.exitStatus ? " (guardd check says what is wrong)" : ""
        finish(.failed(signal == 0 ? "it ended with status \(code)\(hint)" : "it was ended by signal \(signal)"))
    }
}
