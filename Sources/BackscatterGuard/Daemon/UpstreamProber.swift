// Asks upstreams that are in question whether they are there: a connection, the PROXY header if they want one, 220,
// QUIT. A new attempt every second as long as connect(2) has no answer, because the kernel's own repetitions come ever
// later; so an upstream is known to be back about a second after its return. No client waits for any of this.

import Glibc

/// Runs on one loop, that of the main thread.
final class UpstreamProber {
    /// Milliseconds for a greeting once the connection stands.
    private static let patience: Int64 = 20_000
    /// Milliseconds to take the QUIT.
    private static let farewell: Int64 = 2_000

    private let health: UpstreamHealth
    private let loop: EventLoop
    private var probes: [UpstreamHealth.Key: Probe] = [:]
    private var resolutions: [UpstreamHealth.Key: Resolution] = [:]
    private var leaving: [ObjectIdentifier: Probe] = [:]

    init(_ health: UpstreamHealth, loop: EventLoop) {
        self.health = health
        self.loop = loop
    }

    /// To be called every second.
    func tick(_ identity: UpstreamIdentity) {
        let now = EventLoop.milliseconds()
        for probe in leaving.values where now > probe.until { release(probe) }
        for key in health.questions(at: now) {
            switch key {
            case .name(let host, let port): ask(key, host, port)
            case .address(let address): ask(key, address, identity, at: now)
            }
        }
    }

    private func ask(_ key: UpstreamHealth.Key, _ host: String, _ port: UInt16) {
        guard resolutions[key] == nil else { return }
        var isAnswered = false
        let resolution = Resolution(host: host, port: port, loop: loop) { [weak self] addresses in
            isAnswered = true
            guard let self else { return }
            resolutions[key] = nil
            if addresses.isEmpty { health.denied(key, "no address for \(host)", isSilent: true) } else { health.works(key) }
        }
        if !isAnswered { resolutions[key] = resolution }
    }

    private func ask(_ key: UpstreamHealth.Key, _ address: SocketAddress, _ identity: UpstreamIdentity, at now: Int64) {
        if let probe = probes[key] {
            if probe.isConnected {
                guard now > probe.until else { return }
                return finish(probe, "no greeting within \(UpstreamProber.patience / 1000) s")
            }
            finish(probe, "connection timed out", isSilent: true)
        }
        switch address.connect() {
        case .failure(let error): health.denied(key, error.text, isSilent: false)
        case .success(let descriptor):
            guard let probe = try? Probe(descriptor, key, until: now + UpstreamProber.patience, self, loop: loop) else { return }
            probes[key] = probe
            probe.introduce(identity, at: address)
        }
    }

    fileprivate func greeted(_ probe: Probe, isGood: Bool) {
        guard isGood else { return finish(probe, "no 220 for a greeting") }
        probes[probe.key] = nil
        health.works(probe.key)
        probe.until = EventLoop.milliseconds() + UpstreamProber.farewell
        leaving[ObjectIdentifier(probe)] = probe
        probe.send(Octets("QUIT\r\n".utf8).span)
        probe.closeWhenFlushed()
    }

    /// - Parameter reason: why it is not there.
    fileprivate func finish(_ probe: Probe, _ reason: String, isSilent: Bool = false) {
        if leaving[ObjectIdentifier(probe)] != nil { return release(probe) }
        probes[probe.key] = nil
        probe.close()
        health.denied(probe.key, reason, isSilent: isSilent)
    }

    fileprivate func release(_ probe: Probe) {
        leaving[ObjectIdentifier(probe)] = nil
        probe.close()
    }

    /// Nothing more is asked.
    func close() {
        for probe in probes.values { probe.close() }
        for probe in leaving.values { probe.close() }
        for resolution in resolutions.values { resolution.cancel() }
        (probes, leaving, resolutions) = ([:], [:], [:])
    }
}

/// One question.
private final class Probe: Socket {
    let key: UpstreamHealth.Key
    /// Milliseconds of the monotonic clock.
    var until: Int64
    private weak var prober: UpstreamProber?
    private var heard: Octets = []

    init(_ descriptor: CInt, _ key: UpstreamHealth.Key, until: Int64, _ prober: UpstreamProber, loop: EventLoop) throws(ReactorError) {
        self.key = key
        self.until = until
        self.prober = prober
        try super.init(descriptor: descriptor, loop: loop)
    }

    /// Behind the PROXY header guardd is its own client.
    func introduce(_ identity: UpstreamIdentity, at address: SocketAddress) {
        let (client, server) = (PeerAddress(SocketAddress.local(of: descriptor)), PeerAddress(address))
        switch identity {
        case .proxyV1: send(ProxyHeader.v1(client: client, server: server).span)
        case .proxyV2: send(ProxyHeader.v2(client: client, server: server).span)
        case .xclient, .xforward, .none: break
        }
    }

    override func received(_ octets: Span<UInt8>) {
        for index in octets.indices where heard.count < 3 { heard.append(octets[index]) }
        if heard.count == 3 { prober?.greeted(self, isGood: heard == Octets("220".utf8)) }
    }

    override func ended() { prober?.finish(self, "closed before its greeting") }
    override func failed(_ number: CInt) { prober?.finish(self, errnoText(number), isSilent: [EHOSTUNREACH, ETIMEDOUT].contains(number)) }
    override func lingeringEnded() { prober?.release(self) }
}
