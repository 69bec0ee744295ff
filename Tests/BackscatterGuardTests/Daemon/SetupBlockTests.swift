import Testing
@testable import BackscatterGuard

@Suite("guardd setup: lines put into Exim's configuration and sendmail.mc") struct SetupBlockTests {
    private let exim = SetupBlock(path: "/e", wanted: ["local_interfaces = <; [127.0.0.1]:10025", "hosts_proxy = 127.0.0.1"])
    private let mc = SetupBlock(path: "/s", wanted: ["INPUT_MAIL_FILTER(`guardd', `S=inet:8891@127.0.0.1, F=T')"])

    private func exim(_ text: String) throws(SetupError) -> String { String(decoding: try exim.exim(Octets(text.utf8)), as: UTF8.self) }
    private func mc(_ text: String) throws(SetupError) -> String { String(decoding: try mc.sendmail(Octets(text.utf8)), as: UTF8.self) }

    @Test func atTheTopOfTheMainSection() throws {
        let block = "# guardd setup: see guardd.toml\nlocal_interfaces = <; [127.0.0.1]:10025\nhosts_proxy = 127.0.0.1\n"
        let file = "domainlist x = a : \\\n  b\nbegin acl\nlocal_interfaces = of another section\n"
        #expect(try exim(file) == block + file)
        #expect(try exim(block + file) == block + file)
        #expect(try exim("") == block)
        #expect(try exim("\t# hosts_proxy = none\n") == block + "\t# hosts_proxy = none\n")
        // One of the two is there, spaced as its owner likes it.
        #expect(try exim("  hosts_proxy   =  127.0.0.1\n") == "# guardd setup: see guardd.toml\nlocal_interfaces = <; [127.0.0.1]:10025\n  hosts_proxy   =  127.0.0.1\n")
    }

    @Test(arguments: ["local_interfaces = 127.0.0.1\n", "a = b\nhide hosts_proxy=10.0.0.1\nbegin acl\n", ".ifdef X\n  local_interfaces = X\n.endif\n"])
    func anotherValueStays(_ text: String) {
        let error = #expect(throws: SetupError.self) { _ = try exim(text) }
        #expect(error?.description.hasPrefix("/e:") == true)
    }

    /// Exim takes one log_selector: who has all of ours is left alone, who has not is told the whole line.
    @Test func logSelector() throws {
        let block = SetupBlock(path: "/e", wanted: ["log_selector = +received_recipients +return_path_on_delivery"])
        for text in ["log_selector = +all\n", "a = b\nhide log_selector = -all \\\n  +return_path_on_delivery \\\n +received_recipients\nbegin acl\n"] {
            #expect(try block.exim(Octets(text.utf8)) == Octets(text.utf8))
        }
        for (text, line, wanted) in [
            ("a = b\nlog_selector = +subject\n", 2, "+subject +received_recipients +return_path_on_delivery"),
            ("log_selector = +received_recipients\n", 1, "+received_recipients +return_path_on_delivery"),
            ("log_selector = +all \\\n -return_path_on_delivery\n", 1, "+all -return_path_on_delivery +return_path_on_delivery"),
        ] {
            let error = #expect(throws: SetupError.self) { _ = try block.exim(Octets(text.utf8)) }
            #expect(error?.description.hasPrefix("/e:\(line) ") == true && error?.description.hasSuffix("log_selector = \(wanted)") == true)
        }
        // What only looks like the option: another line that goes on, another section.
        let other = "a = b \\\nlog_selector = +all\nBegin acl\nlog_selector = +all\n"
        #expect(try block.exim(Octets(other.utf8)) == Octets("# guardd setup: see guardd.toml\n\(block.wanted[0])\n\(other)".utf8))
    }

    @Test func otherPorts() throws {
        #expect(try SetupBlock.eximPorts(of: Octets("a = b\ndaemon_smtp_ports = smtp : \\\n 587\n".utf8), path: "/e") == [587])
        #expect(try SetupBlock.eximPorts(of: Octets("begin acl\ndaemon_smtp_ports = 26\n".utf8), path: "/e") == [])
        #expect(throws: SetupError.self) { _ = try SetupBlock.eximPorts(of: Octets("daemon_smtp_ports = PORTS\n".utf8), path: "/e") }
    }

    @Test func octetsStay() throws {
        let file: Octets = [0xff, ASCII.lf, 0xc3]
        #expect(try exim.exim(file).suffix(3) == file[...])
        #expect(try mc.sendmail(file).starts(with: file))
    }

    @Test func beforeTheMailers() throws {
        let line = mc.wanted[0]
        #expect(try mc("OSTYPE(`debian')dnl\nMAILER(`local')\nMAILER(`smtp')\n") == "OSTYPE(`debian')dnl\ndnl guardd setup: see guardd.toml\n\(line)\nMAILER(`local')\nMAILER(`smtp')\n")
        #expect(try mc("x") == "x\ndnl guardd setup: see guardd.toml\n\(line)\n")
        #expect(try mc("\(line)dnl\nMAILER(`smtp')\n") == "\(line)dnl\nMAILER(`smtp')\n")
        #expect(try mc("INPUT_MAIL_FILTER(`other', `S=inet:1@127.0.0.1')\n").contains(line))
        #expect(throws: SetupError.self) { _ = try mc("INPUT_MAIL_FILTER(`guardd', `S=inet:1@127.0.0.1')\n") }
    }
}
