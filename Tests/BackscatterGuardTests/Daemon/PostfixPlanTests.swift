import Testing
@testable import BackscatterGuard

@Suite("guardd setup: what Postfix has to be told") struct PostfixPlanTests {
    private static let front = """
        upstream = "127.0.0.1:10025"
        upstream_identity = "proxy-v2"
        protected_domains = ["example.org"]
        [[listener]]
        address = "0.0.0.0:25"
        direction = "inbound"
        [[listener]]
        address = "127.0.0.1:10026"
        direction = "outbound"
        """
    private static let before = """
        upstream = "127.0.0.1:10026"
        upstream_identity = "xforward"
        xforward_clients = ["127.0.0.1"]
        outgoing_networks = ["192.0.2.0/28"]
        protected_domains = ["example.org"]
        [[listener]]
        address = "127.0.0.1:10025"
        """

    private func load(_ text: String) throws -> Configuration {
        let file = try TemporaryFile(text)
        return try Configuration.load(file: file.path, overrides: .init(), standardFile: "", own: [])
    }

    private func milter(_ address: String, more: String = "") throws -> Configuration {
        try load("protected_domains = [\"example.org\"]\n[[listener]]\nprotocol = \"milter\"\naddress = \"\(address)\"\n\(more)")
    }

    private func facts(_ services: String, options: String = "", parameters: String = "") -> PostfixFacts {
        PostfixFacts(services: services, options: options, parameters: parameters)
    }

    /// Through postconf's arguments: what it would be asked to do.
    private func asked(
        _ position: SetupPosition, _ configuration: Configuration, _ facts: PostfixFacts = .standard, outside: [String] = []
    ) throws -> [String] {
        try PostfixPlan(position, configuration, facts, outside: outside).edits.map { $0.arguments.joined(separator: " ") }
    }

    @Test func inFront() throws {
        #expect(try asked(.front, load(Self.front)) == [
            "-M 127.0.0.1:10025/inet=127.0.0.1:10025 inet n - y - - smtpd",
            "-P 127.0.0.1:10025/inet/smtpd_upstream_proxy_protocol=haproxy",
            "-MX smtp/inet",
            "-M guardd-out/unix=guardd-out unix - - n - - smtp -o smtp_tls_security_level=none",
            "-P submission/inet/content_filter=guardd-out:[127.0.0.1]:10026",
            "-P submission/inet/receive_override_options=no_address_mappings",
            "-P pickup/unix/content_filter=guardd-out:[127.0.0.1]:10026",
            "-P pickup/unix/receive_override_options=no_address_mappings",
        ])
    }

    /// The lines of the page are the lines that are printed.
    @Test func asItIsRead() throws {
        let lines = PostfixEdit.lines(try PostfixPlan(.front, load(Self.front), .standard).edits, folder: "/etc/postfix")
        #expect(lines == """
            # /etc/postfix/master.cf
            127.0.0.1:10025 inet n - y - - smtpd
              -o smtpd_upstream_proxy_protocol=haproxy
            # without this line and its options:
            #smtp inet n - y - - smtpd
            guardd-out unix - - n - - smtp
              -o smtp_tls_security_level=none
            # below submission inet:
              -o content_filter=guardd-out:[127.0.0.1]:10026
              -o receive_override_options=no_address_mappings
            # below pickup unix:
              -o content_filter=guardd-out:[127.0.0.1]:10026
              -o receive_override_options=no_address_mappings
            """.split(separator: "\n").map(String.init))
    }

    @Test func postscreenMovesAsItIs() throws {
        let present = facts("smtp inet n - y - 1 postscreen -o postscreen_greet_wait=2s\nsmtpd pass - - y - - smtpd", options: "smtp/inet/postscreen_greet_wait = 2s")
        let text = Self.front.replacing("[[listener]]\naddress = \"127.0.0.1:10026\"\ndirection = \"outbound\"", with: "")
        #expect(try asked(.front, load(text), present) == [
            "-M 127.0.0.1:10025/inet=127.0.0.1:10025 inet n - y - 1 postscreen -o postscreen_greet_wait=2s",
            "-P 127.0.0.1:10025/inet/postscreen_upstream_proxy_protocol=haproxy",
            "-MX smtp/inet",
        ])
        #expect(throws: SetupError("postscreen does not speak XCLIENT; write upstream_identity = \"proxy-v2\"")) {
            try asked(.front, load(text.replacing("proxy-v2", with: "xclient")), present)
        }
    }

    /// What listens elsewhere stays where it is; what is there already is not made again.
    @Test(arguments: [
        ("127.0.0.1:smtp inet n - y - - smtpd", "192.0.2.1:25", false), ("192.0.2.1:25 inet n - y - - smtpd", "192.0.2.1:25", true),
        ("smtp inet n - y - - smtpd", "192.0.2.1:25", true), ("127.0.0.1:smtp inet n - y - - smtpd", "0.0.0.0:25", true),
        ("[::1]:smtp inet n - y - - smtpd", "0.0.0.0:25", false), ("[::1]:smtp inet n - y - - smtpd", "[::]:25", true),
        ("smtp unix - - y - - smtp", "0.0.0.0:25", false), ("2525 inet n - y - - smtpd", "0.0.0.0:25", false),
    ])
    func whatIsReplaced(_ service: String, _ listener: String, _ goes: Bool) throws {
        let present = facts(service + "\n127.0.0.1:10025 inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy", options: "127.0.0.1:10025/inet/smtpd_upstream_proxy_protocol = haproxy")
        let name = service.split(separator: " ").prefix(2).joined(separator: "/")
        let text = Self.front.replacing("0.0.0.0:25", with: listener).replacing("[[listener]]\naddress = \"127.0.0.1:10026\"\ndirection = \"outbound\"", with: "")
        #expect(try asked(.front, load(text), present) == (goes ? ["-MX \(name)"] : []))
    }

    @Test(arguments: [("proxy-v2", "none"), ("proxy-v2", "xforward")])
    func openRelays(_ good: String, _ bad: String) throws {
        let text = Self.front.replacing(good, with: bad) .replacing("protected", with: "xforward_clients = [\"127.0.0.1\"]\nprotected")
        #expect(throws: SetupError.self) { try asked(.front, load(text)) }
    }

    @Test func aFilterOfTheSitesOwn() throws {
        let present = facts("smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd", options: "submission/inet/content_filter = scan:[127.0.0.1]:10024")
        #expect(throws: SetupError.self) { try asked(.front, load(Self.front), present) }
        let merged = facts("submission inet n - y - - smtpd", options: "submission/inet/receive_override_options = no_header_body_checks")
        #expect(try asked(.front, load(Self.front), merged).contains("-P submission/inet/receive_override_options=no_header_body_checks,no_address_mappings"))
    }

    @Test func beforeTheQueue() throws {
        let plain = try asked(.beforeQueue, load(Self.before))
        #expect(plain.prefix(2) == ["-P smtp/inet/smtpd_proxy_filter=127.0.0.1:10025", "-P smtp/inet/smtpd_client_connection_count_limit=10"])
        #expect(plain.count == 3 && plain[2].hasPrefix("-M 127.0.0.1:10026/inet=127.0.0.1:10026 inet n - n - - smtpd -o syslog_name=postfix/after-guardd -o "))
        let screened = facts("smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd")
        #expect(try asked(.beforeQueue, load(Self.before), screened).first == "-P smtpd/pass/smtpd_proxy_filter=127.0.0.1:10025")
        #expect(throws: SetupError.self) { try asked(.beforeQueue, load(Self.before), facts("2525 inet n - y - - smtpd")) }
        #expect(try asked(.beforeQueue, load(Self.before), facts("2525 inet n - y - - smtpd"), outside: ["2525/inet"]).first == "-P 2525/inet/smtpd_proxy_filter=127.0.0.1:10025")
        #expect(throws: SetupError.self) { try asked(.beforeQueue, load(Self.before), outside: ["nothing/inet"]) }
    }

    @Test func asMilter() throws {
        let inet = try milter("inet:127.0.0.1:8891")
        #expect(try asked(.milter, inet) == [
            "-e smtpd_milters = inet:127.0.0.1:8891", "-e non_smtpd_milters = inet:127.0.0.1:8891", "-e always_add_missing_headers = yes",
            "-P submission/inet/milter_macro_daemon_name=ORIGINATING",
        ])
        #expect(try asked(.milter, milter("inet:0.0.0.0:8891", more: "direction = \"inbound\"\n")) == ["-e smtpd_milters = inet:127.0.0.1:8891"])
        // Others of the site keep their action.
        let others = facts("", parameters: "smtpd_milters = inet:127.0.0.1:8892\nmilter_default_action = accept\nmilter_protocol = 2\n")
        #expect(try asked(.milter, inet, others).prefix(3) == [
            "-e smtpd_milters = inet:127.0.0.1:8892, { inet:127.0.0.1:8891, default_action=tempfail }",
            "-e non_smtpd_milters = { inet:127.0.0.1:8891, default_action=tempfail }", "-e milter_protocol = 6",
        ])
    }

    @Test func milterSockets() throws {
        #expect(try asked(.milter, milter("unix:/var/spool/postfix/guardd/milter.sock"))[0] == "-e smtpd_milters = unix:guardd/milter.sock")
        #expect(throws: SetupError.self) { try asked(.milter, milter("unix:/run/guardd/milter.sock")) }
        let free = facts("smtp inet n - n - - smtpd", parameters: "queue_directory = /var/spool/postfix\n")
        #expect(try asked(.milter, milter("unix:/run/guardd/milter.sock"), free)[0] == "-e smtpd_milters = unix:/run/guardd/milter.sock")
    }

    @Test func fromTheLog() throws {
        let text = Self.front.replacing("[[listener]]\naddress = \"127.0.0.1:10026\"\ndirection = \"outbound\"", with: "[[source]]\nformat = \"postfix\"\npath = \"/var/log/mail.log\"\n")
        #expect(try asked(.log, load(text)) == ["-P submission/inet/always_add_missing_headers=yes"])
        // In front without an outbound listener, the log tells what leaves.
        #expect(try asked(.front, load(text)).last == "-P submission/inet/always_add_missing_headers=yes")
        #expect(throws: SetupError.self) { try asked(.log, load(Self.front)) }
    }

    @Test func whatAConfigurationIsMadeFor() throws {
        #expect(SetupPosition.suggested(by: try load(Self.front)) == .front)
        #expect(SetupPosition.suggested(by: try load(Self.before)) == .beforeQueue)
        #expect(SetupPosition.suggested(by: try milter("inet:127.0.0.1:8891")) == .milter)
    }

    @Test func facts() {
        let found = facts(
            "smtp       inet  n       -       y       -       -       smtpd -o a=b\nodd\n[::1]:587 inet n - n - - smtpd\npublic/x unix n - n - - smtpd",
            options: "smtp/inet/a = b = c \npublic/x/unix/d =\nnone/inet/e = f\n", parameters: "queue_directory = /q\nempty =\n")
        #expect(found.services.map(\.id) == ["smtp/inet", "[::1]:587/inet", "public/x/unix"])
        #expect(found.services.map(\.port) == [25, 587, nil] && found.services.map(\.host) == [nil, "::1", nil])
        #expect(found.services.map(\.isChrooted) == [true, false, false] && found.services.map(\.isSubmission) == [false, true, false])
        #expect(found.services[0].options == ["a": "b = c"] && found.services[2].options == ["d": ""])
        #expect(found.services[0].text == "smtp inet n - y - - smtpd -o a=b")
        #expect(found.parameters == ["queue_directory": "/q", "empty": ""])
    }
}
