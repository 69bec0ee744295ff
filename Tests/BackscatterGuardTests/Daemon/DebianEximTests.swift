import Foundation
import Testing
@testable import BackscatterGuard

@Suite("guardd setup exim: Debian's parts") struct DebianEximTests {
    private var configuration: Configuration {
        get throws {
            var configuration = Configuration()
            configuration.upstreams = [.address(try #require(PeerAddress("127.0.0.1", port: 10_025)))]
            configuration.upstreamIdentity = .proxyV2
            configuration.sources = [.init(format: .exim, path: "/var/log/exim4/mainlog")]
            return configuration
        }
    }

    @Test(arguments: [
        ("smtp", [Int]()), ("25", []), ("", []), ("25 : 587", [587]), ("<; smtp ; submission;465", [587, 465]), ("\"smtp : 587 : 587\"", [587]), ("<,25,26", [26]),
    ])
    func ports(_ list: String, _ others: [Int]) { #expect(EximPorts.others(list) == others) }

    @Test(arguments: ["imap", "0", "65536", "192.0.2.1.25:587", "[::1]:25", "25 587", "25 : PORTS", "<"])
    func unreadablePorts(_ list: String) { #expect(EximPorts.others(list) == nil) }

    @Test func planned() throws {
        let front = try DebianEximPlan(.front, configuration, .init(isSplit: false))
        #expect(front.name == DebianExim.unsplit)
        #expect(front.lines == ["# guardd setup: see guardd.toml", "MAIN_LOCAL_INTERFACES = <; [127.0.0.1]:10025", "hosts_proxy = 127.0.0.1"])
        #expect(try DebianEximPlan(.front, configuration, .init(isSplit: true)).name == DebianExim.early)
        #expect(try DebianEximPlan(.log, configuration, .init(isSplit: true)).name == DebianExim.late)
        // guardd's own port is not opened to all.
        #expect(try DebianEximPlan(.front, configuration, .init(isSplit: false, ports: "25:10025")).lines == front.lines)
        let selector = EximLogSelector("+all")
        #expect(try DebianEximPlan(.log, configuration, .init(isSplit: false, selector: selector)).lines.isEmpty)
        // The command line goes before the configuration.
        let ports = DebianExim.Facts(isSplit: false, ports: "25:26", listening: "25:587")
        #expect(try DebianEximPlan(.front, configuration, ports).lines[1] == "MAIN_LOCAL_INTERFACES = <; [127.0.0.1]:10025 ; [::0]:587 ; [0.0.0.0]:587")
    }

    @Test(arguments: [
        (SetupPosition.front, DebianExim.Facts(isSplit: false, proxy: nil)), (.front, .init(isSplit: false, interfaces: "<; 127.0.0.1 ; ::1")),
        (.front, .init(isSplit: false, interfaces: "<; [127.0.0.1]:10026")), (.front, .init(isSplit: false, proxy: "192.0.2.1")),
        (.front, .init(isSplit: false, ports: "25:imap")), (.front, .init(isSplit: false, listening: "192.0.2.1")),
        (.log, .init(isSplit: true, selector: EximLogSelector("-return_path_on_delivery"))), (.milter, .init(isSplit: false)), (.beforeQueue, .init(isSplit: false)),
    ])
    func refused(_ position: SetupPosition, _ present: DebianExim.Facts) throws {
        let configuration = try configuration
        #expect(throws: SetupError.self) { _ = try DebianEximPlan(position, configuration, present) }
    }

    @Test func whichConfiguration() throws {
        let file = try TemporaryFile("dc_use_split_config='false'\n dc_use_split_config='x'\ndc_use_split_config=\"TRUE\"\n", name: "update-exim4.conf.conf")
        let debian = try #require(DebianExim.meant(by: file.path))
        #expect(try debian.folder == file.folder && debian.isSplit())
        #expect(DebianExim.meant(by: file.folder + "/exim4.conf.localmacros") != nil && DebianExim.meant(by: file.folder + "/exim4.conf") == nil)
    }

    @Test(arguments: [
        ("", nil), ("#SMTPLISTENEROPTIONS='-oX 26'\nQUEUERUNNER='combined'\n", nil), ("SMTPLISTENEROPTIONS=''\n", nil),
        ("SMTPLISTENEROPTIONS='-oX 25:587 -oP /run/p'\n", "25:587"), ("COMMONOPTIONS=\"-oX 26\"\n", "26"), ("COMMONOPTIONS=''\nSMTPLISTENEROPTIONS=-oX25\n", "25"),
        ("SMTPLISTENEROPTIONS='-oX \"<; 25 ; 587\" -v'\n", "<; 25 ; 587"),
    ])
    func commandLine(_ text: String, _ listening: String?) throws {
        let file = try TemporaryFile(text, name: "exim4")
        #expect(try DebianExim(folder: file.folder, defaults: file.path).listening() == listening)
        #expect(try DebianExim(folder: file.folder, defaults: file.folder + "/none").listening() == nil)
    }
}
