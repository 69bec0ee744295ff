import Foundation
import Glibc
import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("Starting and handing over", .serialized) struct ServerStartTests {
    private static func connects(to address: PeerAddress) -> Bool {
        let target = SocketAddress(address)
        let descriptor = target.blockingSocket()
        defer { _ = close(descriptor) }
        return unsafe target.withPointer { unsafe connect(descriptor, $0, $1) } == 0
    }

    private static func state() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "guardd-start-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        return folder
    }

    private static func configuration(_ folder: String, workers: Int) throws -> Configuration {
        let reservation = try PortReservation(SocketAddress(#require(PeerAddress("127.0.0.1"))))
        defer { reservation.close() }
        var configuration = Configuration()
        configuration.workers = workers
        configuration.listeners = [.init(address: PeerAddress(reservation.address))]
        configuration.upstreams = [.address(try #require(PeerAddress("127.0.0.1", port: 9)))]
        configuration.stateDirectory = folder
        return configuration
    }

    @Test(arguments: 0..<3) func aWorkerThatCanNotStartIsAFailedStart(_ failing: Int) throws {
        let folder = try Self.state()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let configuration = try Self.configuration(folder, workers: 3)
        let (made, isReady) = (Counter(), Flag())
        let server = try Server(
            configuration, log: LogWriter(level: .error, tape: LogTape()),
            makeLoop: { waker throws(ReactorError) in
                if made.next() == failing { throw .outOfMemory }
                return try EventLoop(waker: waker)
            }, reload: { configuration }, onReady: { isReady.set() })
        let address = configuration.listeners[0].address
        #expect(Self.connects(to: address))                     // the sockets are there: clients would wait in their queues
        #expect(throws: ServerError.self) { try server.run(handlesSignals: false) }
        #expect(!isReady.isSet)
        #expect(!Self.connects(to: address), "a socket stayed open that nobody accepts from")
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)
        func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
    }

    @Test func aPortOfAnotherGuarddIsNotShared() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let configuration = try Self.configuration(folder, workers: 2)
        let first = try ListeningSockets(configuration, Inheritance())
        #expect(throws: ServerError.self) { try ListeningSockets(configuration, Inheritance()).close() }
        first.close()
        try ListeningSockets(configuration, Inheritance()).close()
    }

    /// A client in the queue of a socket that no worker watches would wait for ever.
    @Test(arguments: [(1, 1), (1, 4), (4, 1), (3, 2), (2, 3), (5, 5)]) func everySocketHasAWorkerAndEveryWorkerASocket(_ passed: Int, _ workers: Int) throws {
        let folder = FileManager.default.temporaryDirectory.path
        var configuration = try Self.configuration(folder, workers: workers)
        let inherited = configuration.listeners[0].address
        configuration.listeners.append(contentsOf: try Self.configuration(folder, workers: workers).listeners)
        var inheritance = Inheritance()
        for _ in 0..<passed { inheritance.sockets.append(ListeningSocket(try Listener.open(SocketAddress(inherited)), .own)) }
        let sockets = try ListeningSockets(configuration, inheritance)
        defer { sockets.close() }
        #expect(sockets.taken == Array(repeating: true, count: passed))
        #expect(sockets.all.count == passed + workers)
        let shares = try sockets.shares(workers: workers)
        defer { shares.joined().forEach { _ = close($0.descriptor) } }
        #expect(Set(shares.joined().map(\.socket)) == Set(sockets.all.indices))
        for own in shares {
            #expect(Set(own.map { PeerAddress(sockets.all[$0.socket].address) }) == Set(configuration.listeners.map(\.address)))
        }
    }

    @Test func aReportIsOneLine() {
        for taken in [[], [true], [false, true, true]] {
            #expect(ReportSocket.taken(ReportSocket.line(taken), count: taken.count) == taken)
        }
        for (line, count) in [("1\n", 2), ("11\n", 1), ("1", 1), ("2\n", 1), ("1\n\n", 1), ("", 0)] {
            #expect(ReportSocket.taken(Octets(line.utf8), count: count) == nil, "\(line)")
        }
    }

    @Test func theProgramIsFoundAsItWasStarted() throws {
        #expect(Program.ofProcess(["/opt/guardd", "run"]) == Program(path: "/opt/guardd", arguments: ["/opt/guardd", "run"]))
        let folder = FileManager.default.currentDirectoryPath
        #expect(Program.ofProcess(["./build/guardd"])?.path == folder + "/./build/guardd")
        #expect(try #require(Program.ofProcess(["sh"])?.path).hasSuffix("/sh"))
        #expect(try #require(Program.ofProcess(["no-such-program-anywhere"])?.path).hasPrefix("/"))     // itself
        #expect(Program.ofProcess([]) == nil)
    }

    @Test(arguments: ["/tmp/guardd-notify-\(getpid())", "@guardd-notify-\(getpid())"]) func theServiceManagerIsTold(_ path: String) throws {
        let address = try #require(SocketAddress.unixOrAbstract(path))
        let ear = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        defer { _ = close(ear) }
        try #require(unsafe address.withPointer { unsafe bind(ear, $0, $1) } == 0)
        defer { unsafe unlink(path) }
        SystemdNotify(path).send(.mainPID(7), .ready, .status("serves"))
        SystemdNotify(path).send(.reloading)
        SystemdNotify(nil).send(.ready)
        func heard() -> String {
            var buffer = Octets(repeating: 0, count: 1024)
            let count = unsafe recv(ear, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        }
        #expect(heard() == "MAINPID=7\nREADY=1\nSTATUS=serves")
        #expect(heard().wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=\d+/) != nil)
        #expect(heard() == "")
    }
}
