import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Programs as upstreams: their number, their end") struct ProgramsTests {
    private static let settings = Programs.Settings(limit: 2, patience: 100)

    private final class Stage {
        let loop: EventLoop
        let tape = LogTape()
        let count = ProgramCount()
        let programs: Programs

        init() throws {
            loop = try EventLoop()
            programs = Programs(loop: loop, log: LogGatherer(LogWriter(level: .debug, tape: tape), loop: loop), count: count)
            programs.emptied = { [loop] in loop.stop() }
        }

        deinit { loop.close() }

        func start(_ script: String, client: [String] = [], _ settings: Programs.Settings = ProgramsTests.settings)
            -> Result<(pid: pid_t, connection: CInt), ProgramError>
        {
            let program = UpstreamProgram(arguments: ["/bin/sh", "-c", script], hostname: "mx", environment: ["PATH=/usr/bin:/bin"])
            return programs.start(program, client: client, session: 42, settings)
        }

        var lines: [String] { tape.lines.map { $0.replacing(/\[\d+\]/, with: "[PID]") } }
    }

    @Test func noMoreThanTheLimitOverAllWorkers() throws {
        let (one, other) = (try Stage(), try Stage())
        let shared = Programs(loop: other.loop, log: LogGatherer(LogWriter(level: .debug, tape: other.tape), loop: other.loop), count: one.count)
        let first = try one.start("read line").get()
        let second = try one.start("read line").get()
        let program = UpstreamProgram(arguments: ["/bin/true"], hostname: "mx", environment: [])
        guard case .failure(.tooMany(2)) = shared.start(program, client: [], session: 1, Self.settings) else {
            Issue.record("a third one was started")
            return
        }
        #expect(ProgramError.tooMany(2).text == "max_processes (2) reached")
        close(first.connection)
        close(second.connection)
        one.loop.runBounded()
        let third = try one.start("exit 0").get()
        close(third.connection)
        one.loop.runBounded()
        #expect(one.programs.isEmpty)
    }

    @Test func whatDoesNotStartLeavesNothing() throws {
        let stage = try Stage()
        let program = UpstreamProgram(arguments: ["/nonexistent/program"], hostname: "mx", environment: [])
        for _ in 0..<5 {
            guard case .failure(let error) = stage.programs.start(program, client: [], session: 1, Self.settings) else {
                Issue.record("started")
                return
            }
            #expect(error.text == "/nonexistent/program: start: No such file or directory")
        }
        #expect(stage.programs.isEmpty)
    }

    @Test func anUnusualEndIsLogged() throws {
        for (script, line) in [
            ("exit 1", "S0000002a upstream: /bin/sh[PID] ended with status 1"),
            ("exit 111", "S0000002a upstream: /bin/sh[PID] ended with status 111"),
            ("kill -SEGV $$", "S0000002a upstream: /bin/sh[PID] was killed by signal 11"),
        ] {
            let stage = try Stage()
            close(try stage.start(script).get().connection)
            stage.loop.runBounded()
            #expect(stage.lines == [line])
        }
    }

    /// Goes on after its session, deaf to SIGTERM.
    private func deaf() throws -> (Stage, pid_t) {
        let stage = try Stage()
        let (pid, connection) = try stage.start("trap '' TERM; echo up; while :; do sleep 1000; done").get()
        let socket = try HearingSocket(connection, loop: stage.loop)
        socket.changed = { [loop = stage.loop] in loop.stop() }
        stage.loop.runBounded()
        #expect(socket.text == "up\n")
        socket.changed = {}
        socket.close()
        return (stage, pid)
    }

    @Test func oneThatGoesOnIsSentSIGTERMThenSIGKILL() throws {
        let (stage, pid) = try deaf()
        stage.programs.tick(at: 1_000_000, Self.settings)
        #expect(stage.lines.isEmpty, "its session lasts")
        stage.programs.leave(pid, at: 0, Self.settings)
        stage.programs.tick(at: 100, Self.settings)
        #expect(stage.lines.isEmpty)
        stage.programs.tick(at: 101, Self.settings)
        stage.programs.tick(at: 201, Self.settings)
        #expect(stage.lines == ["S0000002a upstream: /bin/sh[PID] goes on after its session: signal 15"])
        stage.programs.tick(at: 202, Self.settings)
        stage.loop.runBounded()
        #expect(stage.lines.dropFirst() == [
            "S0000002a upstream: /bin/sh[PID] goes on after its session: signal 9", "S0000002a upstream: /bin/sh[PID] was ended with signal 9",
        ])
        #expect(stage.programs.isEmpty && kill(pid, 0) == -1)
    }

    @Test func aStopHasLittlePatience() throws {
        let (stage, pid) = try deaf()
        let patient = Programs.Settings(limit: 2, patience: 3_600_000)
        stage.programs.leave(pid, at: 0, patient)
        stage.programs.tick(at: 3_000, patient)
        #expect(stage.lines.isEmpty)
        stage.programs.stop(at: 3_000)
        stage.programs.tick(at: 5_001, patient)
        stage.programs.tick(at: 7_002, patient)
        stage.loop.runBounded()
        #expect(stage.lines.last == "S0000002a upstream: /bin/sh[PID] was ended with signal 9")
    }

    @Test func anAbortHasNone() throws {
        let (stage, _) = try deaf()
        stage.programs.kill(at: 0)
        stage.loop.runBounded()
        #expect(stage.lines == ["S0000002a upstream: /bin/sh[PID] was ended with signal 9"])
    }
}
