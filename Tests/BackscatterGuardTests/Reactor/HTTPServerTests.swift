import Glibc
import Testing
@testable import BackscatterGuard

@Suite("HTTP server: read only, one request a connection, bounded") struct HTTPServerTests {
    /// A server on a Unix socket of its own, and its loop.
    private final class Site {
        let loop: EventLoop
        let server: HTTPServer
        let path: String
        private let folder: TemporaryFile

        init(_ limits: HTTPServer.Limits = .init(), answer: @escaping (HTTPRequest) -> HTTPResponse = { _ in .line(200, "OK", "fine") }) throws {
            signal(SIGPIPE, SIG_IGN)
            folder = try TemporaryFile("", name: "empty")
            path = folder.folder + "/s"
            loop = try EventLoop()
            server = try HTTPServer(descriptor: try Listener.open(UnixSocketFile(path: path, mode: 0o600)), loop: loop, limits: limits, answer: answer)
            let (loop, server) = (loop, server)
            loop.ticked = { [unowned loop, unowned server] in
                _ = loop
                server.tick()
            }
        }

        func client() throws -> HearingSocket {
            let address = try #require(SocketAddress.unix(path))
            return try HearingSocket(try address.connect().get(), loop: loop)
        }

        /// What comes until the server closes.
        func hears(_ request: String) throws -> String {
            let client = try client()
            client.changed = { [unowned self, unowned client] in if client.hasEnded || client.failure != nil { loop.stop() } }
            client.send(Octets(request.utf8).span)
            loop.runBounded()
            defer { client.close() }
            return client.text
        }

        deinit {
            server.close()
            loop.close()
        }
    }

    private func get(_ target: String) -> String { "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n" }

    @Test func answers() throws {
        let site = try Site { request in
            .line(200, "OK", "\(request.path) \(request.query) \(request.accept ?? "-") \(request.host ?? "-")")
        }
        let text = try site.hears(get("/a%20b?x=1&y"))
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.hasSuffix("\r\n\r\n/a%20b x=1&y text/plain localhost\n"))
        #expect(text.contains("\r\nConnection: close\r\n") && text.contains("\r\nX-Content-Type-Options: nosniff\r\n"))
    }

    @Test func retiringAnswersWhoWaits() throws {
        let site = try Site()
        let clients = try (0..<3).map { _ in try site.client() }         // in the queue: nobody has accepted them
        defer { clients.forEach { $0.close() } }
        for client in clients { client.send(Octets(get("/").utf8).span) }
        site.server.retire { [loop = site.loop] in loop.stop() }
        site.loop.runBounded()
        #expect(clients.allSatisfy { $0.text.hasPrefix("HTTP/1.1 200 OK") })
        let late = try #require(SocketAddress.unix(site.path))
        #expect(throws: ReactorError.self) { _ = Glibc.close(try late.connect().get()) }
    }

    @Test func headHasNoBody() throws {
        let text = try Site().hears("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(text.hasSuffix("\r\n\r\n") && text.contains("Content-Length: 5\r\n"))
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
    func readOnly(_ method: String) throws {
        let site = try Site { _ in
            Issue.record("asked")
            return .notFound
        }
        let text = try site.hears("\(method) / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        #expect(text.hasPrefix("HTTP/1.1 405 ") && text.contains("\r\nAllow: GET, HEAD\r\n"))
    }

    @Test(arguments: [
        ("nonsense\r\n\r\n", "400"), ("BREW / HTTP/1.1\r\n\r\n", "501"),
        ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 9_000) + "\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", "413"),
    ])
    func refuses(_ request: String, _ status: String) throws {
        let text = try Site().hears(request)
        #expect(text.hasPrefix("HTTP/1.1 \(status) "))
    }

    /// More than may connect wait; who takes too long is cut, and they are served.
    @Test func connectionsAndTimeAreBounded() throws {
        var limits = HTTPServer.Limits()
        limits.connections = 3
        limits.lifetime = 100
        let site = try Site(limits)
        let idle = try (0..<3).map { _ in try site.client() }
        defer { idle.forEach { $0.close() } }
        for client in idle { client.send(Octets("GET / HT".utf8).span) }
        let text = try site.hears(get("/"))
        #expect(text.hasPrefix("HTTP/1.1 200 "))
        let ended = idle.count { $0.hasEnded }
        #expect(ended == 3)
        #expect(site.server.count <= 3)
    }

    /// A client that asks and never reads does not stay.
    @Test func whoDoesNotReadIsCut() throws {
        var limits = HTTPServer.Limits()
        limits.lifetime = 100
        let site = try Site(limits) { _ in HTTPResponse(200, "OK", type: "text/plain", Octets(repeating: 0x61, count: 8 << 20)) }
        let client = try site.client()
        client.send(Octets(get("/").utf8).span)
        client.pauseReading()
        let before = site.loop.ticked
        site.loop.ticked = {
            before()
            if site.server.count == 0 { site.loop.stop() }
        }
        var connected = false
        client.changed = { connected = true }
        site.loop.runBounded()
        #expect(site.server.count == 0 && !connected)
        client.close()
    }
}
