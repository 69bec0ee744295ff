import Glibc
import Testing
@testable import BackscatterGuard

@Suite("As whom guardd serves") struct PrivilegesTests {
    private static func configuration(_ address: String, port: UInt16, user: String? = nil, group: String? = nil) throws -> Configuration {
        var configuration = Configuration()
        configuration.listeners = [.init(address: try #require(PeerAddress(address, port: port)))]
        (configuration.user, configuration.group) = (user, group)
        return configuration
    }

    @Test(arguments: [
        ("127.0.0.1", 1024, false), ("127.8.9.1", 3025, false), ("::1", 3025, false), ("127.0.0.1", 1023, true), ("127.0.0.1", 25, true),
        ("::1", 25, true), ("0.0.0.0", 3025, true), ("::", 3025, true), ("192.0.2.1", 3025, true), ("2001:db8::1", 25, true),
    ] as [(String, UInt16, Bool)])
    func rootServesNoStrangersUnlessToldTo(_ address: String, _ port: UInt16, _ isRefused: Bool) throws {
        let silent = try Self.configuration(address, port: port)
        if isRefused {
            #expect(throws: ConfigurationError.self) { try Privileges.wanted(by: silent, user: 0, group: 0) }
        } else {
            #expect(try Privileges.wanted(by: silent, user: 0, group: 0) == .keep)
        }
        #expect(try Privileges.wanted(by: silent, user: 1000, group: 1000) == .keep)
        let told = try Self.configuration(address, port: port, user: "root")
        #expect(try Privileges.wanted(by: told, user: 0, group: 0) == .keep)
        let dropping = try Self.configuration(address, port: port, user: "54321", group: "54322")
        guard case .become(let account) = try Privileges.wanted(by: dropping, user: 0, group: 0) else { Issue.record("stays root"); return }
        #expect((account.uid, account.gid) == (54321, 54322))
    }

    @Test func noStrangerReachesAUnixSocket() throws {
        var configuration = Configuration()
        configuration.listeners = [.init(address: .unixSocket)]
        configuration.listeners[0].path = "/run/guardd/milter.sock"
        #expect(try Privileges.wanted(by: configuration, user: 0, group: 0) == .keep)
    }

    @Test func whoIsAnotherAlreadyCanNotChange() throws {
        let wanted = try Self.configuration("127.0.0.1", port: 25, user: "54321", group: "54322")
        #expect(try Privileges.wanted(by: wanted, user: 54321, group: 54322) == .keep)
        for (user, group) in [(54320, 54322), (54321, 54320)] as [(uid_t, gid_t)] {
            #expect(throws: ConfigurationError.self) { try Privileges.wanted(by: wanted, user: user, group: group) }
        }
    }

    @Test(arguments: [
        [:], ["/a": []], ["/a/chain.pem": Octets("one".utf8), "/a/key.pem": Octets("two".utf8)], ["/long": Octets(repeating: 7, count: 1 << 20)],
    ] as [[String: Octets]])
    func keysAreHandedOverSealed(_ texts: [String: Octets]) throws {
        guard !texts.isEmpty else {
            #expect(HandedKeys(texts).descriptor() == nil)
            return
        }
        let descriptor = try #require(HandedKeys(texts).descriptor())
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(unsafe write(descriptor, "x", 1) < 0)
        #expect(ftruncate(descriptor, 0) < 0)
        #expect(HandedKeys(taking: descriptor)?.texts == texts)
    }

    @Test func whatIsNotSealedIsNoKey() throws {
        let open = SystemCalls.memoryFile()
        #expect(HandedKeys(taking: open) == nil)
        for octets in [[1], [1, 0, 0, 0], [1, 0, 0, 0, 65], [9, 0, 0, 0, 65], [255, 255, 255, 255]] as [Octets] {
            let file = SystemCalls.memoryFile()
            #expect(unsafe write(file, octets, octets.count) == octets.count)
            #expect(SystemCalls.seal(file))
            #expect(HandedKeys(taking: file) == nil)
        }
    }
}
