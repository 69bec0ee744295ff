// guardd itself: opens the sent log and the listening sockets, runs a worker a thread, and waits on the main thread for
// signals. Its parts: starting here, `Server+Reloading.swift`, `Server+Stopping.swift`, `Server+HandingOver.swift`.
//
// SIGTERM and SIGINT let open transactions end, for a bounded time; SIGHUP reads the configuration again; SIGUSR2 starts
// the program anew with the same listening sockets.

import Foundation
import Glibc
import Synchronization

/// A running guardd. Used by one thread. What is not private is for its parts in other files.
public final class Server {
    var configuration: Configuration
    let reload: () throws(ConfigurationError) -> Configuration
    let log: LogWriter
    let sentLog: CountedSentLog
    let loop: EventLoop
    let holes: HoleKeeper
    let sources: SourceKeeper
    let hooks: HookInputs
    let status: StatusSocket
    let startedAt = EventLoop.seconds()
    /// As root had it: later the way there may be closed.
    let configurationFile: String?
    var history = VerdictHistory(at: EventLoop.seconds())
    /// As the newest sessions have it.
    var policy: Policy
    let enforcement: EnforcementKeeper
    let events: EventStore
    let notify: SystemdNotify
    private var watchdog: Watchdog
    let program: Program?
    var sockets: ListeningSockets
    var workers: [WorkerThread] = []
    var stage = Stage.serving
    /// The one that takes its place, from its first moment on.
    var successor: Successor?
    /// It serves; what is kept on disk is its business now.
    var isReplaced = false
    /// The guardd that this one takes the place of, until it has ended.
    var predecessor: Predecessor?
    /// When certificates were last looked at for their time.
    var lastAlarmed = EventLoop.milliseconds()
    let tls: TLSKeeper
    private let connections: ConnectionLimits
    let health: UpstreamHealth
    private let prober: UpstreamProber
    private let numbers = SessionNumbers()
    private var signals: [SignalSource] = []
    private var lastKept: Int64 = 0
    private let onReady: () -> Void

    /// What it does besides serving sessions.
    enum Stage {
        case serving
        /// A successor is starting up.
        case handingOver
        /// The successor serves; sessions go on here until a time of the monotonic clock.
        case retiring(until: Int64)
        /// Open transactions may end until then.
        case stopping(until: Int64)
    }

    /// Opens everything; nothing is served before `run`.
    ///
    /// - Parameters:
    ///   - start: what the process was given at its start.
    ///   - reload: reads the configuration anew, for SIGHUP.
    ///   - onReady: called once all listeners accept.
    /// - Throws: what keeps it from serving; nothing listens then.
    public convenience init(
        _ configuration: Configuration, _ start: ServerStart, reload: @escaping () throws(ConfigurationError) -> Configuration,
        onReady: @escaping () -> Void = {}
    ) throws(ServerError) {
        try self.init(configuration, start, log: configuration.makeLog(), reload: reload, onReady: onReady)
    }

    init(
        _ configuration: Configuration, _ start: ServerStart = ServerStart(), log: LogWriter,
        makeLoop: (@Sendable (Waker) throws(ReactorError) -> EventLoop)? = nil,
        reload: @escaping () throws(ConfigurationError) -> Configuration, onReady: @escaping () -> Void = {}
    ) throws(ServerError) {
        self.configuration = configuration
        configurationFile = configuration.realFile
        self.reload = reload
        self.onReady = onReady
        self.log = log
        notify = start.notify
        watchdog = Watchdog(
            microseconds: ConfigurationSystem.variable("WATCHDOG_USEC"), process: ConfigurationSystem.variable("WATCHDOG_PID"), own: getpid(),
            isSuccessor: start.inheritance.report != nil)
        program = start.program
        let privileges: Privileges
        do { privileges = start.isProcess ? try Privileges.wanted(by: configuration) : .keep } catch { throw .configuration(error) }
        tls = TLSKeeper(handed: Server.handedKeys(start.inheritance))
        connections = ConnectionLimits(log: log)
        health = UpstreamHealth(log: log)
        ResourceLimits.raiseDescriptors()
        let lines = LibeventLines(log)
        ReactorLog.listen { lines.take(isWarning: $0, $1) }
        do { loop = try EventLoop() } catch { throw .reactor(error) }
        prober = UpstreamProber(health, loop: loop)
        let settings: WorkerSettings
        let blocks = EnforcementBlocks(stateDirectory: configuration.stateDirectory)
        do {
            settings = try configuration.workerSettings(tls: try tls.load(configuration, at: EventLoop.seconds()), blocks: blocks)
        } catch { throw .configuration(error) }
        policy = settings.session.policy
        sockets = try ListeningSockets(configuration, start.inheritance)
        // Up to here as root, if it was started so, and in one thread; nothing from outside has been read yet.
        try Server.become(privileges, configuration, log)
        if case .become = privileges { tls.rightsChanged() }
        for alarm in tls.alarms(at: EventLoop.seconds()) { log.write(.error, alarm) }
        enforcement = EnforcementKeeper(blocks, stateDirectory: configuration.stateDirectory, hosts: configuration.ownHosts(policy), log: log)
        events = EventStore(configuration.eventSettings, stateDirectory: configuration.stateDirectory, log: log)
        let opened = try Server.openSentLog(configuration, isSuccessor: start.inheritance.report != nil, log)
        sentLog = CountedSentLog(opened.log)
        holes = HoleKeeper(sentLog, log: log)
        sources = try Server.makeSources(configuration, settings.session.policy, opened, log)
        hooks = try HookInputs(configuration, isSuccessor: start.inheritance.report != nil, loop: loop, sentLog: sentLog, log: log)
        status = try StatusSocket(configuration, isSuccessor: start.inheritance.report != nil, loop: loop, log: log)
        try makePredecessor(start.inheritance)
        try makeWorkers(settings, opened, makeLoop)
    }

    private static func handedKeys(_ inheritance: Inheritance) -> HandedKeys {
        guard let descriptor = inheritance.keys else { return HandedKeys() }
        // Before the keys are read: after an exec the memory can be looked into again.
        SystemCalls.hideMemory()
        return HandedKeys(taking: descriptor) ?? HandedKeys()
    }

    private static func become(_ privileges: Privileges, _ configuration: Configuration, _ log: LogWriter) throws(ServerError) {
        guard case .become(let account) = privileges else { return }
        do throws(SentLogError) { try StateDirectory.prepare(configuration.stateDirectory, for: account) } catch { throw .sentLog(error) }
        do throws(ReactorError) { try Privileges.drop(to: account) } catch { throw .reactor(error) }
        log.write(.info, "serves as \(account.name) (uid \(account.uid), gid \(account.gid))")
    }

    private func makeWorkers(_ settings: WorkerSettings, _ opened: OpenLog, _ makeLoop: (@Sendable (Waker) throws(ReactorError) -> EventLoop)?) throws(ServerError) {
        var shared = WorkerThread.Shared(
            sentLog: sentLog, log: log, connections: connections, health: health, numbers: numbers, holes: holes, enforcement: enforcement, events: events,
            makeReader: { [inner = opened.makeReader, sources, spool = hooks.spool] loop throws(ReactorError) in
                HookInputs.reader(SourceKeeper.reader(try inner(loop), sources, loop: loop), spool, loop: loop)
            })
        if let makeLoop { shared.makeLoop = makeLoop }
        let shares = try sockets.shares(workers: configuration.workers)
        for (index, own) in shares.enumerated() {
            do throws(ReactorError) {
                workers.append(try WorkerThread(own, settings, shared))
            } catch {
                for share in shares[index...].joined() { _ = Glibc.close(share.descriptor) }
                throw .reactor(error)
            }
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
    /// - Throws: what kept it from serving: a worker that can't start is a start that failed.
    public func run(handlesSignals: Bool = true) throws(ServerError) {
        signal(SIGPIPE, SIG_IGN)
        if handlesSignals { try takeSignals() }
        log.start()
        events.start(at: EventLoop.seconds())
        loop.ticked = { [unowned self] in tick() }
        let stopper = stopper
        loop.woken = { [unowned self] in
            if stopper.isAsked.isSet { stop() }
            endIfDone()
        }
        try startWorkers()
        try startSources()
        hooks.open()
        status.answer = { [unowned self] in statusAnswer($0) }
        status.open(log)
        log.write(.info, "guardd serves on \(configuration.listeners.map(\.text).joined(separator: ", "))")
        predecessor?.report(sockets.taken)
        notify.send(.mainPID, .ready, .status("serves on \(configuration.listeners.count) listeners"))
        onReady()
        loop.run()
        close()
    }

    private func startWorkers() throws(ServerError) {
        let waker = loop.waker
        for (index, worker) in workers.enumerated() {
            do throws(ReactorError) {
                try worker.start { waker.wake() }
            } catch {
                for started in workers[..<index] { started.mailbox.post(.abort) }
                workers.forEach { $0.join() }
                workers[index...].dropFirst().forEach { $0.abandon() }
                close()
                throw .reactor(error)
            }
        }
    }

    private func close() {
        prober.close()
        signals.forEach { $0.close() }
        if case .handingOver = stage { successor?.kill() }
        successor?.close()
        predecessor?.close()
        sockets.close()
        sources.stop()
        hooks.close()
        status.close()
        if !isReplaced { enforcement.save() }
        sentLog.close()
        events.close(at: EventLoop.seconds())
        log.tellRepeats(at: EventLoop.seconds(), isLast: true)
        log.write(.info, "guardd has stopped")
        log.close()
    }

    private func takeSignals() throws(ServerError) {
        do {
            for number in [SIGTERM, SIGINT] { signals.append(try SignalSource(number, loop: loop) { [unowned self] in stop() }) }
            signals.append(try SignalSource(SIGHUP, loop: loop) { [unowned self] in reloadConfiguration() })
            signals.append(try SignalSource(SIGUSR2, loop: loop) { [unowned self] in handOver() })
        } catch { throw .reactor(error) }
        // A successor begins with these blocked, so that none ends it before it can take them.
        Program.unblockSignals()
    }

    private func tick() {
        let now = EventLoop.milliseconds()
        watchTheClock(at: now)
        if watchdog.isDue(at: now, beats: workers.lazy.filter { !$0.hasEnded }.map(\.mailbox.beat)) { notify.send(.watchdog) }
        prober.tick(configuration.upstreamIdentity)
        renewCertificates()
        hooks.tick()
        events.tick(at: EventLoop.seconds())
        status.tick()
        log.tellRepeats(at: EventLoop.seconds())
        history.note(verdictTally, at: EventLoop.seconds())
        if now - lastAlarmed > 86_400_000 {
            lastAlarmed = now
            for alarm in tls.alarms(at: EventLoop.seconds()) { log.write(.error, alarm) }
        }
        if now - lastKept > 60_000 {
            lastKept = now
            keepEnforcement()
            let log = log
            sentLog.keep(at: EventLoop.seconds()) { error in
                if let error { log.write(.error, error.text) }
            }
        }
        endIfDone()
    }
}
