import Glibc
import Testing
@testable import BackscatterGuard

@Suite("UCSPI: a program on the other end of a socket") struct ChildProcessTests {
    /// Runs a program to the end of its output and of itself.
    private func run(
        _ arguments: [String], environment: [String] = [], saying text: String = "", _ started: (ChildProcess) -> Void = { _ in }
    ) throws -> (output: String, ending: ChildProcess.Ending) {
        let loop = try EventLoop()
        defer { loop.close() }
        var ending: ChildProcess.Ending?
        var socket: HearingSocket?
        func look() { if ending != nil, socket?.hasEnded == true || socket?.failure != nil { loop.stop() } }
        let (process, connection) = try ChildProcess.start(arguments, environment: environment, loop: loop) {
            ending = $0
            look()
        }
        let made = try HearingSocket(connection, loop: loop)
        socket = made
        made.changed = look
        made.send(Octets(text.utf8).span)
        started(process)
        loop.runBounded()
        made.close()
        #expect(kill(process.pid, 0) == -1 && errno == ESRCH, "it was not reaped")
        #expect(process.signal(SIGKILL) == ESRCH, "its number may be another's")
        return (made.text, try #require(ending))
    }

    @Test func speaksAndIsReaped() throws {
        let (output, ending) = try run(["/bin/sh", "-c", "read line; echo \"got $line\"; exit 7"], saying: "this\n")
        #expect(output == "got this\n" && ending == .exited(7))
    }

    @Test func environmentIsWhatWasGivenAndNothingElse() throws {
        unsafe setenv("GUARDD_TEST_LEAK", "1", 1)
        let (output, ending) = try run(["/usr/bin/env"], environment: ["A=1", "B=two words; $(x)", "C="])
        #expect(output == "A=1\nB=two words; $(x)\nC=\n" && ending == .exited(0))
    }

    @Test func argumentsPassNoShell() throws {
        let (output, _) = try run(["/bin/echo", "$HOME", "a b", "*", ";", "`id`"])
        #expect(output == "$HOME a b * ; `id`\n")
    }

    /// An inheritable descriptor, an ignored and a blocked signal stay here.
    @Test func inheritsNothing() throws {
        let leak = unsafe open("/dev/null", O_RDONLY)
        defer { close(leak) }
        signal(SIGPIPE, SIG_IGN)
        var (blocked, before) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&blocked)
        unsafe sigaddset(&blocked, SIGUSR1)
        unsafe pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        // What grep has got: the shell itself blocks all signals for the moments in which it starts another program.
        let script = "ls /proc/$$/fd; readlink /proc/$$/fd/2; grep -E '^Sig(Blk|Ign)' /proc/self/status; set -- $(cat /proc/$$/stat); test $5 = $$ && test $6 = $$ && echo leads"
        let (output, ending) = try run(["/bin/sh", "-c", script], environment: ["PATH=/usr/bin:/bin"])
        let lines = output.split(separator: "\n").map(String.init)
        #expect(ending == .exited(0) && lines.count == 7, "\(output)")
        #expect(lines.prefix(4) == ["0", "1", "2", "/dev/null"] && lines.last == "leads")
        // posix_spawn(3) of glibc leaves 32 and 33 ignored, which are its own.
        let signals = lines.filter { $0.hasPrefix("Sig") }.map { UInt64($0.suffix(16), radix: 16).map { $0 & ~(3 << 31) } }
        #expect(signals == [0, 0], "\(lines)")
    }

    @Test func signalsReachWhatItStarted() throws {
        // The output ends only when both are gone.
        let (output, ending) = try run(["/bin/sh", "-c", "sleep 1000 & echo up; wait"], environment: ["PATH=/usr/bin:/bin"]) { $0.signal(SIGTERM) }
        #expect(["", "up\n"].contains(output) && ending == .killed(signal: SIGTERM))
    }

    @Test func whatCantBeStartedIsToldAtOnce() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        for (path, number) in [("/nonexistent/program", ENOENT), ("/etc/passwd", EACCES), ("/", EACCES)] {
            #expect(throws: ReactorError.system(call: "start", errno: number)) {
                _ = try ChildProcess.start([path], environment: [], loop: loop) { _ in Issue.record("it never ran") }
            }
        }
    }

    @Test func eachIsWaitedForByItself() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        var endings: [CInt: ChildProcess.Ending] = [:]
        var descriptors: [CInt] = []
        for status in 1...9 as ClosedRange<CInt> {
            descriptors.append(try ChildProcess.start(["/bin/sh", "-c", "exit \(status)"], environment: [], loop: loop) {
                endings[status] = $0
                if endings.count == 9 { loop.stop() }
            }.connection)
        }
        loop.runBounded()
        descriptors.forEach { close($0) }
        #expect(endings.allSatisfy { $0.value == .exited($0.key) } && endings.count == 9)
    }

    @Test func isFoundByPollingToo() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        var ending: ChildProcess.Ending?
        let (process, connection) = try ChildProcess.start(["/bin/sh", "-c", "exit 4"], environment: [], loop: loop) { ending = $0 }
        defer { close(connection) }
        for _ in 0..<6_000 where ending == nil {
            process.poll()
            poll(nil, 0, 10)
        }
        #expect(ending == .exited(4))
        process.forget()
    }
}

@Suite("A server's last words are heard when a write finds it gone (THREATS R10)") struct LastWordsTests {
    /// What a socket hears whose peer has spoken, not read, and closed, and that then writes.
    private func hear(_ words: String, hearsLastWords: Bool) throws -> HearingSocket {
        let loop = try EventLoop()
        defer { loop.close() }
        var ends: [CInt] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        let socket = try HearingSocket(ends[0], loop: loop, hearsLastWords: hearsLastWords)
        socket.changed = { if socket.failure != nil || socket.hasEnded { loop.stop() } }
        socket.send(Octets("unread".utf8).span)
        let octets = Octets(words.utf8)
        #expect(unsafe write(ends[1], octets, octets.count) == octets.count)
        close(ends[1])
        socket.send(Octets("in vain".utf8).span)
        loop.runBounded()
        socket.close()
        return socket
    }

    @Test func whereTheyAreWanted() throws {
        let socket = try hear("451 See https://cr.yp.to/docs/smtplf.html.\r\n", hearsLastWords: true)
        #expect(socket.text == "451 See https://cr.yp.to/docs/smtplf.html.\r\n")
        #expect(socket.failure != nil || socket.hasEnded)
    }

    @Test func elsewhereTheFailureComesFirst() throws {
        let socket = try hear("MAIL FROM:<>\r\n", hearsLastWords: false)
        #expect(socket.text.isEmpty && socket.failure == EPIPE)
    }
}
