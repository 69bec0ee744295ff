// A program of the mail server, run to its end: postconf for doctor, sendmail for selftest. Never through a shell, with a
// closed environment, within a deadline; what it says is bounded.

import Glibc

/// What a program said and how it ended.
struct ProgramRun: Equatable, Sendable {
    private static let outputLimit = 4 << 20

    let output: Octets
    /// nil: it was killed, or did not end in time.
    let status: CInt?

    var isGood: Bool { status == 0 }

    /// Runs a program.
    ///
    /// - Parameters:
    ///   - arguments: from argv[0] on, which is its absolute path.
    ///   - input: its standard input.
    /// - Throws: that it could not be started.
    static func run(_ arguments: [String], input: Octets = [], until deadline: ProbeDeadline) throws(ProbeFailure) -> ProgramRun {
        let name = arguments.first ?? ""
        do {
            let loop = try EventLoop()
            defer { loop.close() }
            return try run(arguments, input, loop, deadline)
        } catch { throw ProbeFailure(text: "\(name): can't be run: \(error.text)") }
    }

    /// MAIL_CONFIG is how Postfix's own programs are told of another instance.
    private static var environment: [String] {
        ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"] + ["MAIL_CONFIG", "TZ"].compactMap { name in ConfigurationSystem.variable(name).map { "\(name)=\($0)" } }
    }

    private static func run(_ arguments: [String], _ input: Octets, _ loop: EventLoop, _ deadline: ProbeDeadline) throws(ReactorError) -> ProgramRun {
        var ending: ChildProcess.Ending?
        let (child, connection) = try ChildProcess.start(arguments, environment: environment, loop: loop) {
            ending = $0
            loop.stop()
        }
        let talk = try Talk(connection, loop: loop)
        let timer = try LoopTimer(loop: loop) {
            child.signal(SIGKILL)
            loop.stop()
        }
        talk.begin(input)
        timer.set(after: deadline.left)
        while ending == nil, !deadline.isOver { loop.run() }
        child.forget()
        timer.close()
        talk.readRest()
        talk.close()
        if case .exited(let status) = ending { return ProgramRun(output: talk.output, status: status) }
        return ProgramRun(output: talk.output, status: nil)
    }

    /// The program's standard input and output.
    private final class Talk: Socket {
        private(set) var output = Octets()

        init(_ descriptor: CInt, loop: EventLoop) throws(ReactorError) { try super.init(descriptor: descriptor, loop: loop) }

        func begin(_ input: Octets) {
            send(input.span)
            if backlog == 0 { drained() }
        }

        /// The program reads an end of file, and may go on to write.
        override func drained() { _ = Glibc.shutdown(descriptor, CInt(SHUT_WR)) }

        override func received(_ octets: Span<UInt8>) {
            output.append(octets.extracting(0..<min(octets.count, max(0, outputLimit - output.count))))
        }

        /// What it wrote last may come behind the news of its end.
        func readRest() {
            var buffer = Octets(repeating: 0, count: 64 << 10)
            while isOpen, output.count < outputLimit {
                let count = unsafe recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
                guard count > 0 else { return }
                output += buffer[..<count]
            }
        }

        override func ended() { close() }
        override func failed(_ number: CInt) { close() }
    }
}
