import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Configuration: TLS") struct ConfigurationTLSTests {
    private func load(_ text: String) throws -> Configuration {
        let file = try TemporaryFile("upstream_identity = \"proxy-v2\"\n" + text)
        return try Configuration.load(file: file.path, overrides: .init(), standardFile: "", own: [])
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try load(text)
            return []
        } catch let error as ConfigurationError {
            return error.faults.map { "\($0.keyPath ?? ""): \($0.problem)" }
        } catch { return ["\(error)"] }
    }

    @Test func listenersOfferStartTLSUnlessTheySayOtherwise() throws {
        let configuration = try load("""
            upstream = "127.0.0.1:10025"
            listener = [{ address = "127.0.0.1:25" }, { address = "127.0.0.1:465", tls = "implicit", tls_level = "encrypt" }, { address = "127.0.0.1:26", tls = "none" }]
            certificate = [{ chain = "a.pem", key = "b.pem" }, { chain = "both.pem" }]
            """)
        #expect(configuration.listeners.map(\.clientTLS) == [
            ClientTLS(start: .starttls), ClientTLS(start: .implicit, isRequired: true), ClientTLS(),
        ])
        #expect(configuration.certificates == [.init(chain: "a.pem", key: "b.pem"), .init(chain: "both.pem", key: "both.pem")])
    }

    @Test(arguments: [
        ("\"127.0.0.1:1\"", UpstreamTLS.none), ("\"[::1]:1\"", .none), ("\"unix:/x\"", .none), ("\"localhost:1\"", .none),
        ("\"192.0.2.1:1\"", .may), ("[\"127.0.0.1:1\", \"mx.example.org:1\"]", .may),
    ])
    func upstreamByDefault(_ upstream: String, _ expected: UpstreamTLS) throws {
        #expect(try load("upstream = \(upstream)\nlistener = [{ address = \"127.0.0.1:25\" }]").effectiveUpstreamTLS == expected)
    }

    @Test(arguments: [
        ("tls = \"implicit\"", "listener[0].tls: needs a certificate"), ("tls = \"starttls\"", "listener[0].tls: needs a certificate"),
        ("tls_level = \"encrypt\"", "listener[0].tls_level: needs a certificate"),
        ("tls = \"none\", tls_level = \"encrypt\"", "listener[0].tls_level: \"encrypt\" and tls = \"none\" leave no way"),
    ])
    func contradictions(_ keys: String, _ expected: String) {
        let found = problems("upstream = \"127.0.0.1:10025\"\nlistener = [{ address = \"127.0.0.1:25\", \(keys) }]")
        #expect(found.count == 1 && found[0].hasPrefix(expected), "\(found)")
    }

    @Test func socketNeedsAName() {
        let found = problems("upstream = \"unix:/x\"\nupstream_tls = \"verify\"\nlistener = [{ address = \"127.0.0.1:25\" }]")
        #expect(found.count == 1 && found[0].hasPrefix("upstream_tls_name: missing"), "\(found)")
    }

    @Test func booleansHaveNoQuotes() {
        let found = problems("auth_without_tls = \"yes\"\nupstream = \"127.0.0.1:1\"\nlistener = [{ address = \"127.0.0.1:25\" }]")
        #expect(found == ["auth_without_tls: \"yes\" won't do; write true or false, without quotes"])
    }
}
