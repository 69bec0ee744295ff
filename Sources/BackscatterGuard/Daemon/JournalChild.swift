// journalctl as a child of the thread that follows the journal: what it writes, without waiting for it, and its end.

import Glibc

/// A running journalctl. Belongs to the thread that started it.
final class JournalChild {
    enum Reading: Equatable {
        case octets(Octets)
        case nothing
        /// It has ended; why, for people.
        case ended(ChildProcess.Ending)
    }

    private static let chunk = 256 << 10
    /// Milliseconds that a killed child is waited for.
    private static let patience = 1_000

    /// Readable when it has written or ended.
    let connection: CInt
    private let process: ChildProcess
    private let loop: EventLoop
    private let ending: Ending

    private final class Ending {
        var value: ChildProcess.Ending?
    }

    /// - Throws: why it can't be started.
    init(_ arguments: [String]) throws(ReactorError) {
        let loop = try EventLoop()
        let ending = Ending()
        do throws(ReactorError) {
            let started = try ChildProcess.start(arguments, environment: ["LC_ALL=C", "TZ=UTC"], loop: loop) { ending.value = $0 }
            (process, connection) = (started.0, started.connection)
        } catch {
            loop.close()
            throw error
        }
        self.loop = loop
        self.ending = ending
    }

    func read() -> Reading {
        var octets = Octets(repeating: 0, count: JournalChild.chunk)
        let got = unsafe recv(connection, &octets, octets.count, 0)
        if got > 0 { return .octets(Octets(octets.prefix(got))) }
        if got < 0, errno == EAGAIN || errno == EINTR { return .nothing }
        return .ended(end())
    }

    /// Ends it, closes the connection, and waits until it was reaped. Once.
    @discardableResult
    func end() -> ChildProcess.Ending {
        // One that has closed its output by itself ends by itself; it has a moment to tell its status.
        for millisecond in 0..<JournalChild.patience where ending.value == nil {
            process.poll()
            if ending.value != nil { break }
            if millisecond == 50 || isStopping { process.signal(SIGKILL) }
            usleep(1_000)
        }
        process.forget()
        _ = Glibc.close(connection)
        loop.close()
        return ending.value ?? .unknown
    }

    private var isStopping = false

    /// Kills it.
    func stop() {
        isStopping = true
        end()
    }
}
