// What the parts of the daemon get out of the configuration.

import Glibc

extension Duration {
    /// Whole milliseconds, as the reactor's clock counts them.
    var clockMilliseconds: Int64 { Int64(milliseconds) }
}

extension Configuration.LogLevel {
    var severity: Severity {
        switch self {
        case .error: .error
        case .warning: .warning
        case .info: .info
        case .debug: .debug
        }
    }
}

extension SocketAddress {
    init(_ address: PeerAddress) {
        self = address.family == .ipv4 ? .ipv4(address.octets, port: address.port) : .ipv6(address.octets, port: address.port)
    }
}

extension Configuration {
    /// Some mail passes here that is recorded by itself, so from now on nothing leaves unrecorded. Where that is not so,
    /// the administrator says `guardd sent cover`.
    var recordsOutgoingMail: Bool {
        !sources.isEmpty || !outgoingNetworks.isEmpty || listeners.contains { $0.direction == .outbound || $0.kind == .milter && $0.direction == .auto }
    }

    var sentLogSettings: SentLogSettings {
        SentLogSettings(stateDirectory: stateDirectory, bounceWindow: bounceWindow.clockMilliseconds / 1000, retention: retention.clockMilliseconds / 1000)
    }

    /// - Parameter tls: made from the same configuration; nil without certificates.
    func workerSettings(tls: TLSServer?, blocks: EnforcementBlocks) throws(ConfigurationError) -> WorkerSettings {
        let session = SessionSettings(
            hostname: hostname, identity: upstreamIdentity, policy: try makePolicy(blocks: blocks), recordFailure: recordFailure, recordPairs: recordPairs,
            refusesBareLineEndings: refusesBareLineEndings, refusalURL: refusalURL, holdLimit: holdLimit,
            limits: sessionLimits, timeouts: sessionTimeouts, upstreamTLS: effectiveUpstreamTLS, authWithoutTLS: authWithoutTLS,
            networks: ClientNetworks(exempt: exemptClients, outgoing: outgoingNetworks, forwarding: xforwardClients)
        )
        let (own, interfaces) = (self, Configuration.interfaceAddresses())
        return WorkerSettings(
            session: session, upstreams: upstreams.compactMap { UpstreamTarget($0, of: self) }, exempt: exemptClients, outgoing: outgoingNetworks, proxies: proxyClients,
            connectTimeout: timeouts.upstreamConnect.clockMilliseconds, holdLimit: max(holdLimit, holdTotalLimit / max(1, workers)),
            isOwn: { own.isOwnListener($0, own: interfaces) },
            limits: connectionLimits, milter: milterWorkerSettings(session),
            tlsServer: tls, tlsClient: try makeTLSClient(), upstreamTLSName: upstreamTLSName,
            programs: programSettings
        )
    }

    private var sessionTimeouts: SessionTimeouts {
        var result = SessionTimeouts()
        result.clientCommand = timeouts.clientCommand.clockMilliseconds
        result.handshake = timeouts.handshake.clockMilliseconds
        result.clientContent = timeouts.clientContent.clockMilliseconds
        result.clientOctetsPerSecond = Int64(timeouts.contentRate)
        result.upstreamGreeting = timeouts.upstreamGreeting.clockMilliseconds
        result.upstreamCommand = timeouts.upstreamCommand.clockMilliseconds
        result.upstreamDataInitiation = timeouts.upstreamData.clockMilliseconds
        result.upstreamDataBlock = timeouts.upstreamContent.clockMilliseconds
        result.upstreamDataTermination = timeouts.upstreamEnd.clockMilliseconds
        return result
    }

    /// Keys whose new values need a start.
    func changedAtStartOnly(_ new: Configuration) -> [String] {
        var keys: [String] = []
        if new.workers != workers { keys.append("workers") }
        if new.listeners != listeners { keys.append("listener") }
        if new.user != user { keys.append("user") }
        if new.group != group { keys.append("group") }
        if new.stateDirectory != stateDirectory { keys.append("state_dir") }
        if new.bounceWindow != bounceWindow { keys.append("bounce_window") }
        if new.retention != retention { keys.append("retention") }
        if new.sources != sources { keys.append("source") }
        if new.controlPlace != controlPlace { keys.append("control_socket") }
        if new.statusSocket != statusSocket || new.statusSocketMode != statusSocketMode || new.statusGroup != statusGroup { keys.append("status_socket") }
        if new.statusListen != statusListen { keys.append("status_listen") }
        if new.spoolPath != spoolPath { keys.append("spool_directory") }
        if new.sharedLog != sharedLog { keys.append("sent_log") }
        keys += loggingKeysChanged(new)
        return keys
    }
}

extension UpstreamTarget {
    init?(_ upstream: Configuration.Upstream, of configuration: Configuration) {
        switch upstream {
        case .address(let address): self = .address(SocketAddress(address))
        case .host(let name, let port): self = .name(name, port)
        case .unix(let path):
            guard let address = SocketAddress.unix(path) else { return nil }
            self = .address(address)
        case .program(let command): self = .program(configuration.program(command))
        }
    }
}

enum ResourceLimits {
    /// As many descriptors as the system allows: two a session.
    static func raiseDescriptors() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
