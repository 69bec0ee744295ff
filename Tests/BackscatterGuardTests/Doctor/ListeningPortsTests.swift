import Foundation
import Testing
@testable import BackscatterGuard

@Suite("proc(5): who listens") struct ListeningPortsTests {
    private let folder: StateDirectory

    /// guardd (12) on 127.0.0.1:25 and [::]:26, master (77) on 0.0.0.0:587, somebody unseen (uid 1000) on [::]:465; an
    /// established connection on port 24.
    init() throws {
        folder = try StateDirectory()
        try make("net/tcp", """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 100 1 0 100 0 0 10 0
               1: 00000000:024B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0 100 0 0 10 0
               2: 0100007F:0018 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0 100 0 0 10 0
               3: nonsense
            """)
        try make("net/tcp6", """
              sl  local_address rem_address   st
               0: 00000000000000000000000000000000:01D1 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 103 1
               1: 00000000000000000000000000000000:001A 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 104 1
            """)
        for (pid, program, inodes) in [(12, "guardd", [100, 104, 100]), (77, "master", [101, 102]), (78, "smtpd", [101])] {
            try make("\(pid)/comm", "\(program)\n")
            try FileManager.default.createDirectory(atPath: folder.file("\(pid)/fd"), withIntermediateDirectories: true)
            for (index, inode) in inodes.enumerated() {
                try FileManager.default.createSymbolicLink(atPath: folder.file("\(pid)/fd/\(index)"), withDestinationPath: "socket:[\(inode)]")
            }
        }
    }

    private func make(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: folder.file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func found(_ text: String) throws -> ListeningPorts.Found? {
        ListeningPorts(proc: folder.path).at(Configuration.Listener(address: try #require(ConfigurationAddress.socket(text))))
    }

    @Test func exactAndWildcardAddresses() throws {
        #expect(try found("127.0.0.1:25") == .init(holders: [.init(pid: 12, program: "guardd")], uid: 33))
        #expect(try found("0.0.0.0:25")?.guardd?.pid == 12, "the configuration's wildcard would meet it")
        #expect(try found("127.0.0.2:25") == nil)
        #expect(try found("192.0.2.1:587")?.stranger == .init(pid: 77, program: "master"), "a wildcard takes its clients")
        #expect(try found("0.0.0.0:587")?.holders.map(\.pid) == [77, 78])
        #expect(try found("0.0.0.0:465") == .init(holders: [], uid: 1000), "an IPv6 wildcard may take IPv4")
        #expect(try found("[::]:26")?.guardd?.pid == 12)
        #expect(try found("[::1]:25") == nil)
    }

    @Test func connectionsAreNoListeners() throws {
        #expect(try found("127.0.0.1:24") == nil)
    }

    @Test func unixSocketsAreAskedThemselves() throws {
        let path = folder.file("s")
        #expect(ListeningPorts().at(path: path) == nil)
        let descriptor = try Listener.open(UnixSocketFile(path: path, mode: 0o600, group: nil))
        defer { close(descriptor) }
        let found = try #require(ListeningPorts().at(path: path))
        #expect(found.holders.map(\.pid) == [getpid()] && found.uid == geteuid())
    }
}
