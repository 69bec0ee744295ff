// How this guardd is, for the status socket: put together on the main thread whenever somebody asks.

import Glibc

extension Server {
    /// Milliseconds after which a worker whose loop has not turned counts as hanging: it turns every second.
    private static let patience: Int64 = 15_000

    /// - Parameter request: of a client that may read everything.
    func statusAnswer(_ request: HTTPRequest) -> HTTPResponse {
        switch request.path {
        case "/healthz": liveness()
        case "/readyz": readiness()
        case "/": StatusPage(statusDocument(), hostname: configuration.hostname).response
        case "/metrics": metrics(MetricsText(accept: request.accept))
        case "/status.json": HTTPResponse(200, "OK", type: "application/json", statusDocument().json)
        default: .notFound
        }
    }

    private func metrics(_ form: MetricsText) -> HTTPResponse { HTTPResponse(200, "OK", type: form.contentType, form.text(metricSamples())) }

    /// The process is alive, since it answers; so must its workers be.
    private func liveness() -> HTTPResponse {
        let hanging = hangingWorkers(at: EventLoop.milliseconds())
        return hanging.isEmpty ? .line(200, "OK", "ok") : .line(503, "Service Unavailable", hanging.joined(separator: "\n"))
    }

    private func readiness() -> HTTPResponse {
        let reasons = unreadiness()
        return reasons.isEmpty ? .line(200, "OK", "ready") : .line(503, "Service Unavailable", reasons.joined(separator: "\n"))
    }

    private func hangingWorkers(at now: Int64) -> [String] {
        workers.enumerated().filter { !$1.hasEnded && now - $1.mailbox.beat > Self.patience }.map { "worker \($0): its loop has not turned for \((now - $1.mailbox.beat) / 1000) s" }
    }

    /// Why mail is not taken or not judged now; empty: it is.
    private func unreadiness() -> [String] {
        var reasons = hangingWorkers(at: EventLoop.milliseconds())
        if stageName == "retiring" || stageName == "stopping" { reasons.append("no new clients: \(stageName)") }
        let upstreams = upstreamStates()
        if !upstreams.isEmpty, upstreams.allSatisfy({ $0.state == "down" }) {
            reasons.append("no upstream is there: " + upstreams.map { "\($0.name): \($0.reason ?? "down")" }.joined(separator: "; "))
        }
        if !sentLogStatus(at: EventLoop.seconds()).isOpen { reasons.append("the sent log does not answer") }
        return reasons
    }

    func statusDocument() -> StatusDocument {
        let (now, seconds) = (EventLoop.milliseconds(), EventLoop.seconds())
        let reasons = unreadiness()
        var document = StatusDocument()
        document.process = getpid()
        document.configuration = configurationFile
        document.time = seconds
        document.started = startedAt
        document.state = stageName
        document.isReady = reasons.isEmpty
        document.listeners = configuration.listeners.map { .init(address: $0.text, direction: $0.direction.rawValue, kind: $0.kind == .milter ? "milter" : "smtp") }
        document.workers = workers.filter { !$0.hasEnded }.map { .init(lastTurn: max(0, now - $0.mailbox.beat), sessions: $0.counters.openSessions, heldOctets: $0.counters.heldOctets) }
        document.upstreams = upstreamStates()
        document.sentLog = sentLogStatus(at: seconds)
        document.sources = sources.registry.all.map { StatusDocument.Source($0, at: seconds) }
        document.domains = StatusReport(policy, isCovered: document.sentLog.isCovered, blocks: enforcement.blocks).domains
        document.verdicts = countedVerdicts
        history.note(verdictTally, at: seconds)
        document.history = [.init(history.spans(120, width: 1), step: 60), .init(history.spans(144, width: 10), step: 600)]
        document.problems = reasons + problems(of: document)
        tell(events, in: &document)
        document.page = document.pageView
        return document
    }

    private func tell(_ events: EventStore, in document: inout StatusDocument) {
        document.events = events.recent(50).map(StatusDocument.Event.init)
        let top = events.top(20, at: document.time)
        document.topHosts = top.hosts.map { .init(name: $0.name, count: $0.count) }
        document.topVictims = top.victims.map { .init(name: $0.name, count: $0.count) }
        if let fault = events.fault { document.problems.append("events are not kept on disk: \(fault)") }
    }

    private func problems(of document: StatusDocument) -> [String] {
        var problems = document.upstreams.filter { $0.state == "down" }.map { "upstream \($0.name) is down: \($0.reason ?? "")" }
        problems += document.sources.filter { !$0.isAlive || $0.problem != nil }.map { "source \($0.name): \($0.problem ?? "not read yet")" }
        if let since = document.sentLog.holeSince { problems.append("mail has been leaving unrecorded since \(UTC.text(since))") }
        if let fault = events.fault { problems.append("events can't be written: \(fault)") }
        problems += document.domains.filter { $0.state == "blocked" }.map { "\($0.pattern) \($0.text)" }
        return problems
    }

    private var stageName: String {
        switch stage {
        case .serving: "serving"
        case .handingOver: "handing_over"
        case .retiring: "retiring"
        case .stopping: "stopping"
        }
    }

    private func upstreamStates() -> [StatusDocument.Upstream] {
        configuration.upstreams.map { upstream in
            let key: UpstreamHealth.Key? = switch upstream {
            case .address(let address): .address(SocketAddress(address))
            case .unix(let path): SocketAddress.unix(path).map { .address($0) }
            case .host(let name, let port): .name(name, port)
            case .program: nil
            }
            guard let key, let state = health.state(of: key) else { return .init(name: upstream.text, state: "up") }
            return .init(name: upstream.text, state: state.reason == nil ? "questionable" : "down", reason: state.reason)
        }
    }

    private func sentLogStatus(at now: Int64) -> StatusDocument.SentLog {
        let window = configuration.sentLogSettings.bounceWindow
        let since = sentLog.recordedSince(at: now)
        var status = StatusDocument.SentLog(
            kind: sentLog.inner is LMDBSentLog ? "local" : "shared", isOpen: !sentLog.isFailing, recordedSince: since, bounceWindow: window,
            isCovered: since.map { $0 <= now - window } ?? false)
        guard let local = sentLog.inner as? LMDBSentLog else { return status }
        guard let statistics = try? local.statistics(at: now) else {
            status.isOpen = false
            return status
        }
        status.isCovered = statistics.isCovered(at: now)
        status.holeSince = [statistics.coverage.openHoleSince, statistics.pendingHole].compactMap(\.self).min()
        status.octets = statistics.size
        status.ids = statistics.weeks.reduce(0) { $0 + $1.ids }
        status.pairs = statistics.weeks.reduce(0) { $0 + $1.pairs }
        return status
    }
}

extension StatusDocument.Source {
    init(_ status: SourceStatus, at now: Int64) {
        self.init(
            name: status.name, format: status.format, isAlive: status.isAlive, problem: status.problem, lag: status.caughtUp.map { max(0, now - $0) },
            behind: status.behind, lines: status.counts.lines, mails: status.counts.mails, lastSent: status.lastSent)
    }
}
