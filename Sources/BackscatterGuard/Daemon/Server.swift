// guardd itself: opens the sent log and the listening sockets, runs a worker a thread, and waits on the main thread for
// signals. SIGTERM and SIGINT let open transactions end, for a bounded time; SIGHUP reads the configuration again.

import Foundation
import Glibc
import Synchronization

/// Why guardd could not start, or could not go on.
public enum ServerError: Error, Sendable, CustomStringConvertible {
    case configuration(ConfigurationError)
    case sentLog(SentLogError)
    case listen(address: String, ReactorError)
    case reactor(ReactorError)

    public var description: String {
        switch self {
        case .configuration(let error): error.description
        case .sentLog(let error): error.text
        case .listen(let address, let error): "can't listen on \(address): \(error.text)"
        case .reactor(let error): error.text
        }
    }

    /// 78 (EX_CONFIG) for what the administrator has to mend in files and settings, 71 (EX_OSERR) for the rest.
    public var exitStatus: Int32 {
        switch self {
        case .configuration: ConfigurationError.exitStatus
        case .sentLog(let error): error.isOperatorFault ? ConfigurationError.exitStatus : 71
        case .listen, .reactor: 71
        }
    }
}

/// A running guardd. Used by one thread.
public final class Server {
    private var configuration: Configuration
    private let reload: () throws(ConfigurationError) -> Configuration
    private let log: LogWriter
    private let sentLog: LMDBSentLog
    private let loop: EventLoop
    private let connections: ConnectionLimits
    private let health: UpstreamHealth
    private let prober: UpstreamProber
    private let numbers = SessionNumbers()
    private var workers: [WorkerThread] = []
    private var signals: [SignalSource] = []
    private var stopDeadline: Int64 = .max
    private var lastKept: Int64 = 0
    /// When certificates were last looked at for their time.
    private var lastAlarmed = EventLoop.milliseconds()
    private let tls = TLSKeeper()
    private let onReady: () -> Void

    /// Opens everything; nothing is served before `run`.
    ///
    /// - Parameters:
    ///   - reload: reads the configuration anew, for SIGHUP.
    ///   - onReady: called once all listeners accept.
    /// - Throws: what keeps it from serving; nothing listens then.
    public convenience init(
        _ configuration: Configuration, reload: @escaping () throws(ConfigurationError) -> Configuration, onReady: @escaping () -> Void = {}
    ) throws(ServerError) {
        try self.init(configuration, log: LogWriter(level: configuration.logLevel.severity), reload: reload, onReady: onReady)
    }

    init(
        _ configuration: Configuration, log: LogWriter, reload: @escaping () throws(ConfigurationError) -> Configuration,
        onReady: @escaping () -> Void = {}
    ) throws(ServerError) {
        self.configuration = configuration
        self.reload = reload
        self.onReady = onReady
        self.log = log
        connections = ConnectionLimits { isStressed, total in
            log.write(.warning, isStressed
                ? "stress: \(total) connections, nearly max_connections: short deadlines, hard_error_limit and junk_command_limit 1"
                : "stress is over: \(total) connections")
        }
        health = UpstreamHealth { upstream, reason in
            log.write(.warning, "upstream \(upstream) is " + (reason.map { "down: \($0)" } ?? "back"))
        }
        ResourceLimits.raiseDescriptors()
        do { loop = try EventLoop() } catch { throw .reactor(error) }
        prober = UpstreamProber(health, loop: loop)
        let settings: WorkerSettings
        do { settings = try configuration.workerSettings(tls: try tls.load(configuration, at: EventLoop.seconds())) } catch { throw .configuration(error) }
        for alarm in tls.alarms(at: EventLoop.seconds()) { log.write(.error, alarm) }
        do throws(SentLogError) {
            sentLog = try LMDBSentLog(configuration.sentLogSettings, at: EventLoop.seconds()) { alarm in
                log.write(.error, "sent log: \(alarm.text)")
            }
            if configuration.recordsOutgoingMail {
                // Nothing leaves through a listener that is not there: from here on all is recorded.
                try sentLog.startCovering(at: EventLoop.seconds())
                try sentLog.closeHole(at: EventLoop.seconds())
            }
        } catch { throw .sentLog(error) }
        try startWorkers(settings)
    }

    private func startWorkers(_ settings: WorkerSettings) throws(ServerError) {
        var all: [[(CInt, Door)]] = Array(repeating: [], count: configuration.workers)
        for listener in configuration.listeners {
            for index in all.indices {
                do {
                    all[index].append((try Listener.open(SocketAddress(listener.address)), Door(direction: listener.direction, tls: listener.clientTLS)))
                } catch {
                    for (descriptor, _) in all.joined() { _ = Glibc.close(descriptor) }
                    throw .listen(address: listener.address.description, error)
                }
            }
        }
        let shared = WorkerThread.Shared(sentLog: sentLog, log: log, connections: connections, health: health, numbers: numbers, holes: HoleKeeper(sentLog, log: log))
        for descriptors in all {
            do { workers.append(try WorkerThread(descriptors, settings, shared)) } catch { throw .reactor(error) }
        }
    }

    /// Ends `run` from any thread, as SIGTERM does. Of no use once `run` has returned.
    struct Stopper: Sendable {
        fileprivate let isAsked = Flag()
        fileprivate let waker: Waker

        func stop() {
            isAsked.set()
            waker.wake()
        }
    }

    private(set) lazy var stopper = Stopper(waker: loop.waker)

    /// Serves until a signal or the stopper ends it.
    ///
    /// - Parameter handlesSignals: false where another part of the process does.
    public func run(handlesSignals: Bool = true) throws(ServerError) {
        signal(SIGPIPE, SIG_IGN)
        if handlesSignals { try takeSignals() }
        loop.ticked = { [unowned self] in tick() }
        let waker = loop.waker
        for worker in workers { worker.start { waker.wake() } }
        let stopper = stopper
        loop.woken = { [unowned self] in
            if stopper.isAsked.isSet { stop() }
            if workers.allSatisfy(\.hasEnded) { loop.stop() }
        }
        log.write(.info, "guardd serves on \(configuration.listeners.map(\.address.description).joined(separator: ", "))")
        onReady()
        loop.run()
        prober.close()
        signals.forEach { $0.close() }
        sentLog.close()
        log.write(.info, "guardd has stopped")
    }

    private func takeSignals() throws(ServerError) {
        do {
            for number in [SIGTERM, SIGINT] { signals.append(try SignalSource(number, loop: loop) { [unowned self] in stop() }) }
            signals.append(try SignalSource(SIGHUP, loop: loop) { [unowned self] in reloadConfiguration() })
        } catch { throw .reactor(error) }
    }

    private func tick() {
        let now = EventLoop.milliseconds()
        if now > stopDeadline {
            stopDeadline = .max
            log.write(.warning, "stop_timeout is over: closing the sessions that are left")
            for worker in workers { worker.mailbox.post(.abort) }
        }
        prober.tick(configuration.upstreamIdentity)
        renewCertificates()
        if now - lastAlarmed > 86_400_000 {
            lastAlarmed = now
            for alarm in tls.alarms(at: EventLoop.seconds()) { log.write(.error, alarm) }
        }
        if now - lastKept > 60_000 {
            lastKept = now
            let log = log
            sentLog.keep(at: EventLoop.seconds()) { error in
                if let error { log.write(.error, error.text) }
            }
        }
    }

    private func stop() {
        guard stopDeadline == .max else { return }
        stopDeadline = EventLoop.milliseconds() + configuration.stopTimeout.clockMilliseconds
        log.write(.info, "stopping: open transactions may end")
        for worker in workers { worker.mailbox.post(.stop) }
    }

    /// Files that a renewal has changed; no restart, no SIGHUP.
    private func renewCertificates() {
        do {
            guard try tls.tick(configuration, at: EventLoop.seconds()) else { return }
            let settings = try configuration.workerSettings(tls: tls.server)
            for worker in workers { worker.mailbox.post(.settings(settings)) }
            log.write(.info, "certificates read again: \(tls.text)")
        } catch {
            for line in error.lines { log.write(.error, "certificate not taken, the old one stays: \(line)") }
        }
    }

    private func reloadConfiguration() {
        do {
            let new = try reload()
            let settings = try new.workerSettings(tls: try tls.load(new, at: EventLoop.seconds()))
            for key in configuration.changedAtStartOnly(new) { log.write(.warning, "reload: \(key) takes effect at the next start only") }
            configuration = new
            for worker in workers { worker.mailbox.post(.settings(settings)) }
            for alarm in tls.alarms(at: EventLoop.seconds()) { log.write(.error, alarm) }
            for warning in new.warnings { log.write(.warning, warning) }
            log.write(.info, "configuration read again")
        } catch {
            for line in error.lines { log.write(.error, "reload refused, the old configuration stays: \(line)") }
        }
    }
}

/// A worker and the thread that it runs on.
final class WorkerThread {
    struct Shared: Sendable {
        let sentLog: LMDBSentLog
        let log: LogWriter
        let connections: ConnectionLimits
        let health: UpstreamHealth
        let numbers: SessionNumbers
        let holes: HoleKeeper
    }

    let mailbox: Mailbox
    private let ended = Flag()
    private let body: @Sendable (@Sendable () -> Void) -> Void

    init(_ listeners: [(CInt, Door)], _ settings: WorkerSettings, _ shared: Shared) throws(ReactorError) {
        let waker = try Waker()
        let mailbox = Mailbox(waker)
        let ended = ended
        self.mailbox = mailbox
        body = { done in
            do {
                let loop = try EventLoop(waker: waker)
                let worker = Worker(
                    loop: loop, settings: settings, sentLog: shared.sentLog, log: shared.log,
                    connections: shared.connections, health: shared.health, numbers: shared.numbers, holes: shared.holes, mailbox: mailbox
                )
                for (descriptor, door) in listeners { try worker.listen(descriptor, door) }
                loop.run()
                worker.log.flush()
                withExtendedLifetime(worker) { loop.close(closesWaker: false) }
            } catch {
                shared.log.write(.error, "worker: \((error as? ReactorError)?.text ?? "failed")")
            }
            ended.set()
            done()
        }
    }

    var hasEnded: Bool { ended.isSet }

    /// - Parameter done: called on the worker's thread when it has ended.
    func start(done: @escaping @Sendable () -> Void) {
        let body = body
        let thread = Thread { body(done) }
        thread.name = "guardd worker"
        thread.stackSize = 1 << 20
        thread.start()
    }
}

/// Set once, from any thread.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
