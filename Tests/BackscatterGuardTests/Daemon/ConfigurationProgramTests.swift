import Testing
@testable import BackscatterGuard

@Suite("Configuration: a program as the upstream") struct ConfigurationProgramTests {
    private func load(_ text: String, _ change: (inout ConfigurationOverrides) -> Void = { _ in }) throws -> Configuration {
        let file = try TemporaryFile(text + "\nprotected_domains = [\"example.org\"]\n[[listener]]\naddress = \"0.0.0.0:25\"\n")
        var overrides = ConfigurationOverrides()
        change(&overrides)
        return try Configuration.load(file: file.path, overrides: overrides, standardFile: "", own: [])
    }

    @Test func aloneItNeedsNoIdentity() throws {
        let configuration = try load("""
            hostname = "mx.example.org"
            upstream = { exec = ["/bin/echo", "a b", ""] }
            upstream_environment = { QMAILQUEUE = "/bin/x", DATABYTES = "5" }
            max_processes = 7
            process_end_timeout = "3s"
            """)
        #expect(configuration.upstreams == [.program(["/bin/echo", "a b", ""])] && configuration.warnings.isEmpty)
        #expect(configuration.upstreams.map(\.text) == ["/bin/echo a b "])
        #expect(configuration.refusesBareLineEndings && configuration.effectiveUpstreamTLS == .none)
        let settings = try configuration.workerSettings(tls: nil, blocks: EnforcementBlocks())
        #expect(settings.programs == .init(limit: 7, patience: 3_000) && settings.session.refusesBareLineEndings)
        guard case .program(let program)? = settings.upstreams.first else {
            Issue.record("no program: \(settings.upstreams)")
            return
        }
        #expect(program == UpstreamProgram(
            arguments: ["/bin/echo", "a b", ""], hostname: "mx.example.org", environment: ["DATABYTES=5", "QMAILQUEUE=/bin/x"]))
    }

    @Test func itStandsInAListBesideAddresses() throws {
        let configuration = try load("""
            upstream = [{ exec = ["/bin/true"] }, "192.0.2.7:25"]
            upstream_identity = "xclient"
            bare_line_endings = "pass"
            """)
        #expect(configuration.upstreams.first == .program(["/bin/true"]) && configuration.upstreams.count == 2)
        #expect(!configuration.refusesBareLineEndings && !configuration.hasProgramsOnly && configuration.effectiveUpstreamTLS == .may)
    }

    @Test func withoutOneBareLineEndingsPass() throws {
        let configuration = try load("upstream = \"127.0.0.1:10025\"\nupstream_identity = \"proxy-v2\"")
        #expect(!configuration.refusesBareLineEndings && configuration.maxProcesses == 100 && configuration.processEndTimeout == .seconds(10))
    }

    @Test func aFlagTakesItsPlace() throws {
        let configuration = try load("upstream = { exec = [\"/bin/true\"] }") {
            $0.upstream = ["127.0.0.1:10025"]
            $0.upstreamIdentity = "proxy-v2"
        }
        #expect(configuration.upstreams.map(\.text) == ["127.0.0.1:10025"])
    }
}
