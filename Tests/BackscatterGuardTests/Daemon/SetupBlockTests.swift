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
