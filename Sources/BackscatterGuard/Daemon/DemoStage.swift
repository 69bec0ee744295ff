// What the demo needs around guardd: a temporary state folder, a sent log that is stated to be complete, a free port, the
// sink behind it, and the configuration that ties them together.

import Foundation

/// Everything but guardd itself. `close()` leaves nothing behind.
struct DemoStage {
    /// Mail from here is outgoing; anything else on loopback is a stranger.
    static let outgoingSource = "127.0.0.2"
    static let strangerSource = "127.0.0.3"
    /// So long ago, it is stated, everything has been recorded.
    static let coveredDays: Int64 = 30

    let folder: String
    let sink: SinkServer
    let server: PeerAddress
    let configuration: Configuration
    private let reservation: PortReservation

    /// - Parameter port: of guardd; 0 means a free one.
    init(port: UInt16) throws(DemoFailure) {
        guard let loopback = PeerAddress("127.0.0.1"), let outgoing = Network(Self.outgoingSource + "/32") else {
            preconditionFailure("loopback addresses are no addresses")
        }
        do {
            reservation = try PortReservation(SocketAddress(loopback.with(port: port)))
        } catch {
            throw DemoFailure(description: "can't listen on \(loopback.with(port: port)): \(error.text)")
        }
        do throws(DemoFailure) {
            folder = try Self.makeFolder()
        } catch {
            reservation.close()
            throw error
        }
        var settings = SinkSettings()
        settings.expectsProxyHeader = true
        do {
            sink = try SinkServer(settings, at: loopback)
        } catch {
            reservation.close()
            Self.remove(folder)
            throw DemoFailure(description: "embedded mail server: \(error.text)")
        }
        server = PeerAddress(reservation.address)
        configuration = Self.configuration(server: server, upstream: sink.address, outgoing: outgoing, folder: folder)
    }

    private static func configuration(server: PeerAddress, upstream: PeerAddress, outgoing: Network, folder: String) -> Configuration {
        var configuration = Configuration()
        configuration.hostname = "guardd.example.org"
        configuration.workers = 1
        configuration.listeners = [.init(address: server)]
        configuration.upstreams = [.address(upstream)]
        configuration.upstreamIdentity = .proxyV2
        configuration.outgoingNetworks = [outgoing]
        configuration.policySettings.protectedDomains = [DomainPattern(Octets(DemoCast.domain.utf8))].compactMap(\.self)
        configuration.stateDirectory = folder
        return configuration
    }

    /// As `guardd sent cover --since` does.
    func stateCoverage() throws(DemoFailure) {
        do throws(SentLogError) {
            let now = EventLoop.seconds()
            let log = try LMDBSentLog(configuration.sentLogSettings, at: now)
            defer { log.close() }
            try log.cover(since: now - Self.coveredDays * Day.seconds, at: now)
        } catch {
            throw DemoFailure(description: error.text)
        }
    }

    func close() {
        sink.stop()
        reservation.close()
        Self.remove(folder)
    }

    private static func makeFolder() throws(DemoFailure) -> String {
        let parent = FileManager.default.temporaryDirectory.path
        var path = (parent + "/guardd-demo-XXXXXX").utf8CString.map { $0 }
        guard unsafe mkdtemp(&path) != nil else { throw DemoFailure(description: "\(parent): can't make a folder: \(errnoText(errno))") }
        return String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func remove(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }
}
