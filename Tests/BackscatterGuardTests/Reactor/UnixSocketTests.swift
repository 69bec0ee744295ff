import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Unix sockets: what stands at the path already") struct UnixSocketTests {
    private func listen(_ path: String, backlog: CInt = 16) throws -> CInt { try Listener.open(UnixSocketFile(path: path, mode: 0o600), backlog: backlog) }

    /// Clients until no more fit into the queue.
    private func fill(_ path: String) throws -> [CInt] {
        let address = try #require(SocketAddress.unix(path))
        var clients: [CInt] = []
        while clients.count < 100 {
            switch address.connect() {
            case .success(let client): clients.append(client)
            case .failure(let error):
                #expect(error == .system(call: "connect", errno: EAGAIN))
                return clients
            }
        }
        Issue.record("a queue without end")
        return clients
    }

    @Test func nothingOrALeftOver() throws {
        let folder = try StateDirectory()
        let path = folder.path + "/socket"
        #expect(!UnixSocketFile.isAnswered(path))
        close(try listen(path))
        #expect(!UnixSocketFile.isAnswered(path))
        close(try listen(path))
        let listener = try UnixListener(path, mode: 0o600, group: nil, mayReplace: false)
        try listener.takePath()
        #expect(UnixSocketFile.isAnswered(path))
        listener.removePath()
        close(listener.descriptor)
        #expect(unsafe access(path, F_OK) != 0)
    }

    /// Also when it has no room for one who asks.
    @Test(arguments: [false, true]) func somebodysIsNotTaken(_ isFull: Bool) throws {
        let folder = try StateDirectory()
        let path = folder.path + "/socket"
        let other = try listen(path, backlog: 0)
        let clients = isFull ? try fill(path) : []
        defer { for descriptor in [other] + clients { close(descriptor) } }
        #expect(UnixSocketFile.isAnswered(path))
        #expect(throws: ReactorError.system(call: "bind", errno: EADDRINUSE)) { try listen(path) }
        #expect(throws: ReactorError.system(call: "bind", errno: EADDRINUSE)) { _ = try UnixListener(path, mode: 0o600, group: nil, mayReplace: false) }
        #expect(folder.names == ["socket"])
    }

    @Test func aFileThatIsNoSocketStays() throws {
        let folder = try StateDirectory()
        let path = folder.path + "/socket"
        close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: ReactorError.system(call: "bind", errno: EADDRINUSE)) { try listen(path) }
        #expect(folder.names == ["socket"])
    }

    @Test func nothingIsLeftOfOneThatCanNotBe() throws {
        let folder = try StateDirectory()
        #expect(throws: ReactorError.system(call: "bind", errno: ENAMETOOLONG)) {
            _ = try UnixListener(folder.path + "/" + String(repeating: "x", count: 104), mode: 0o600, group: nil, mayReplace: true)
        }
        let path = folder.path + "/socket"
        let listener = try UnixListener(path, mode: 0o600, group: nil, mayReplace: true)
        #expect(folder.names == ["socket.new"])
        listener.removePath()
        close(listener.descriptor)
        #expect(folder.names == [])
    }
}
