import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Configuration: file and flags") struct ConfigurationTests {
    private static let least = """
        upstream = "127.0.0.1:10025"
        upstream_identity = "proxy-v2"
        protected_domains = ["example.org"]

        [[listener]]
        address = "0.0.0.0:25"

        """

    private func load(_ text: String, _ overrides: ConfigurationOverrides = .init()) throws -> Configuration {
        let file = try TemporaryFile(text)
        return try Configuration.load(file: file.path, overrides: overrides, standardFile: "", own: [])
    }

    private static func flags(_ change: (inout ConfigurationOverrides) -> Void = { _ in }) -> ConfigurationOverrides {
        var overrides = ConfigurationOverrides()
        overrides.listen = ["127.0.0.1:2525", "[::1]:2525"]
        overrides.upstream = ["127.0.0.1:10025"]
        overrides.upstreamIdentity = "none"
        overrides.protect = ["example.net"]
        change(&overrides)
        return overrides
    }

    @Test func leastFileHasTheDefaults() throws {
        let configuration = try load(Self.least)
        #expect(configuration.listeners.map(\.address.description) == ["0.0.0.0:25"])
        #expect(configuration.listeners.map(\.direction) == [.auto])
        #expect(configuration.upstreams.map(\.text) == ["127.0.0.1:10025"])
        #expect(configuration.upstreamIdentity == .proxyV2)
        #expect(configuration.outgoingNetworks.isEmpty && configuration.exemptClients.isEmpty)
        #expect(configuration.bounceWindow == .seconds(864_000) && configuration.retention == .seconds(1_814_400))
        #expect(configuration.holdLimit == 262_144 && configuration.holdTotalLimit == 67_108_864)
        #expect(configuration.workers >= 1 && !configuration.hostname.isEmpty)
        #expect(configuration.policySettings.mode == .auto && configuration.policySettings.bind == .domain)
        #expect(configuration.warnings.isEmpty)
    }

    @Test func readsEveryKindOfValue() throws {
        let configuration = try load("""
            hostname = "mx.example.org"
            workers = 3
            upstream = ["mail.example.org:10025", "[2001:db8::1]:25", "unix:/run/smtp"]
            upstream_identity = "xclient"
            outgoing_networks = ["192.0.2.0/24", "2001:db8::/32"]
            stop_timeout = 5
            client_timeout_stress = "500ms"
            hold_limit = 65536
            bare_line_endings = "refuse"
            mode = "observe"
            recipient_delimiter = "+-"
            refusal_url = "https://example.org/b"

            [[listener]]
            address = "[::]:25"
            direction = "inbound"

            [[listener]]
            address = "127.0.0.1:587"
            direction = "outbound"

            [actions]
            undecided = "mark"

            [domain.".Example.org"]
            mode = "enforce"
            bind = "address"
            actions = { never_sent = "defer" }

            [address."Ann@Example.org"]
            actions = { never_sent = "deliver" }
            """)
        #expect(configuration.upstreams.map(\.text) == ["mail.example.org:10025", "[2001:db8::1]:25", "unix:/run/smtp"])
        #expect(configuration.listeners.map(\.direction) == [.inbound, .outbound])
        #expect(configuration.outgoingNetworks.map(\.description) == ["192.0.2.0/24", "2001:db8::/32"])
        #expect(configuration.stopTimeout == .seconds(5) && configuration.timeouts.clientStress == .milliseconds(500))
        #expect(configuration.holdLimit == 65_536 && configuration.bareLineEndings == .refuse)
        let settings = configuration.policySettings
        #expect(settings.mode == .observe && settings.actions == [.undecided: .mark])
        #expect(settings.recipientDelimiters == Octets("+-"))
        let pattern = try #require(DomainPattern(Octets(".example.org")))
        #expect(settings.domains == [pattern: .init(mode: .enforce, bind: .address, actions: [.neverSent: .defer])])
        #expect(settings.addresses == [Octets("ann@example.org"): [.neverSent: .deliver]])
        #expect(configuration.refusalURL == "https://example.org/b" && configuration.hostname == "mx.example.org" && configuration.workers == 3)
    }

    @Test func flagsAloneSuffice() throws {
        let configuration = try Configuration.load(file: nil, overrides: Self.flags(), standardFile: "/nonexistent", own: [])
        #expect(configuration.file == nil)
        #expect(configuration.listeners.map(\.address.description) == ["127.0.0.1:2525", "[::1]:2525"])
        #expect(try configuration.makePolicy().protectsAnything)
    }

    @Test func flagsWinOverTheFile() throws {
        let configuration = try load(Self.least + "\n[actions]\nundecided = \"mark\"\n", Self.flags {
            $0.mode = "observe"
            $0.workers = 7
            $0.stateDirectory = "state"
            $0.outgoingNetworks = ["127.0.0.0/8"]
        })
        #expect(configuration.listeners.map(\.address.port) == [2_525, 2_525])
        #expect(configuration.upstreamIdentity == .none && configuration.workers == 7 && configuration.stateDirectory == "state")
        #expect(configuration.policySettings.protectedDomains.map(\.description) == ["example.net"])
        #expect(configuration.policySettings.mode == .observe && configuration.policySettings.actions == [.undecided: .mark])
        #expect(configuration.outgoingNetworks.map(\.description) == ["127.0.0.0/8"])
    }

    @Test(arguments: [nil, 3]) func absentUsualFileIsNamedWithWhatMakesIt(_ workers: Int?) throws {
        var overrides = ConfigurationOverrides()
        overrides.workers = workers
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.load(file: nil, overrides: overrides, standardFile: "/nonexistent/guardd.toml", own: [])
        }
        #expect(error.lines.count == 1 && error.lines[0].hasPrefix("/nonexistent/guardd.toml: is not there"))
        #expect(error.lines[0].contains("guardd check --print-reference toml > /nonexistent/guardd.toml") && error.lines[0].contains("--config"))
    }

    @Test func usualFileIsReadUnlessFlagsSayWhatStandsWhere() throws {
        let file = try TemporaryFile(Self.least)
        #expect(try Configuration.load(file: nil, overrides: .init(), standardFile: file.path, own: []).file == file.path)
        #expect(try Configuration.load(file: nil, overrides: Self.flags(), standardFile: file.path, own: []).file == nil)
        var mode = ConfigurationOverrides()
        mode.mode = "observe"
        let configuration = try Configuration.load(file: nil, overrides: mode, standardFile: file.path, own: [])
        #expect(configuration.file == file.path && configuration.policySettings.mode == .observe)
    }

    @Test func badFlagsAreNamed() throws {
        let overrides = Self.flags {
            $0.listen = ["localhost:25"]
            $0.upstream = ["127.0.0.1"]
            $0.mode = "off"
            $0.workers = 0
            $0.outgoingNetworks = ["10.0.0.1/8"]
        }
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.load(file: nil, overrides: overrides, standardFile: "", own: [])
        }
        #expect(error.faults.compactMap(\.keyPath) == ["--upstream", "--mode", "--workers", "--outgoing-network", "--listen"])
        #expect(error.lines.first == "--upstream: \"127.0.0.1\" won't do; write \"host:port\", \"[IPv6]:port\" or \"unix:/path\"")
    }

    @Test func withoutIdentityNothingStarts() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.load(file: nil, overrides: Self.flags { $0.upstreamIdentity = nil }, standardFile: "", own: [])
        }
        #expect(error.lines.count == 1)
        #expect(error.lines[0].hasPrefix("upstream_identity: ") && error.lines[0].contains("mynetworks") && error.lines[0].contains("open relay"))
    }

    @Test func unreadableFileSaysWhy() throws {
        let error = try #require(throws: ConfigurationError.self) { try Configuration.load(file: "/nonexistent/g.toml", overrides: .init()) }
        #expect(error.lines == ["/nonexistent/g.toml: can't be read: No such file or directory"])
        #expect(throws: ConfigurationError.self) { try Configuration.load(file: "/", overrides: .init()) }
    }

    @Test(arguments: [("a = 1\n\0", ":2: a NUL octet"), ("a = \"\u{7}\"", ":1: ")])
    func textThatIsNone(_ text: String, _ expected: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try load(text) }
        #expect(error.lines.count == 1 && error.lines[0].contains(expected), "\(error.lines)")
    }

    @Test func octetsThatAreNoUTF8() throws {
        let error = try #require(throws: ConfigurationError.self) { try ConfigurationValue.parse([0x61, 0x3D, 0xFF], file: "f") }
        #expect(error.lines == ["f: not in UTF-8; save it so"])
    }

    @Test func domainsFileIsReadAtEachPolicy() throws {
        let file = try TemporaryFile(Self.least.replacing("protected_domains = [\"example.org\"]", with: "protected_domains_file = \"hosts\""))
        let hosts = file.folder + "/hosts"
        try Data("example.org\r\n.example.net # below\n".utf8).write(to: URL(filePath: hosts))
        let configuration = try Configuration.load(file: file.path, overrides: .init(), standardFile: "", own: [])
        let recipient = try #require(ForwardPath(Octets("ann@a.example.net")))
        #expect(try configuration.makePolicy().treatment(of: recipient).isJudged)
        try Data("example.org\n".utf8).write(to: URL(filePath: hosts))
        #expect(try !configuration.makePolicy().treatment(of: recipient).isJudged)
        try FileManager.default.removeItem(atPath: hosts)
        #expect(throws: ConfigurationError.self) { try configuration.makePolicy() }
    }

    @Test func warnings() throws {
        let bare = try load(Self.least.replacing("protected_domains = [\"example.org\"]", with: ""))
        #expect(bare.warnings.count == 1 && bare.warnings[0].contains("no domain is protected"))
        let odd = try load(Self.least + """
            [actions]
            sent = "refuse"
            [domain."example.com"]
            mode = "observe"
            [domain.".example.org"]
            mode = "observe"
            """)
        #expect(odd.warnings.count == 3)
        let open = try load(Self.least, Self.flags())
        #expect(open.warnings.count == 1 && open.warnings[0].contains("\"none\""))
    }
}
