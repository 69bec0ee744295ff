// guardd demo: the real guardd, over loopback, in front of the embedded MTA. A mail goes out, its bounce comes back, three
// forged ones come with it; what was answered and why is printed. Nothing of it leaves the machine or stays on it.
//
// guardd runs on the caller's thread, where signals arrive; the mails are played on one of their own.

import Synchronization

/// The demo, from `init` to the end of `run`.
public final class Demo {
    private let stage: DemoStage
    private let keeps: Bool
    private let say: @Sendable (String) -> Void

    /// - Parameter port: of guardd on 127.0.0.1; 0 means a free one.
    /// - Parameter keeps: goes on serving afterwards, until SIGINT or SIGTERM.
    /// - Parameter say: gets text for standard output, without the last line end.
    public convenience init(port: UInt16, keeps: Bool, say: @escaping @Sendable (String) -> Void) throws {
        try self.init(DemoStage(port: port), keeps: keeps, say: say)
    }

    init(_ stage: DemoStage, keeps: Bool, say: @escaping @Sendable (String) -> Void) {
        self.stage = stage
        self.keeps = keeps
        self.say = say
    }

    /// Plays the mails.
    ///
    /// - Returns: whether every answer was what it must be.
    /// - Throws: `ServerError` or a word why something could not be played at all.
    public func run() throws -> Bool { try run(handlesSignals: true) }

    func run(handlesSignals: Bool) throws -> Bool {
        defer { stage.close() }
        try stage.stateCoverage()
        let tape = LogTape()
        let log = LogWriter(level: .info, tape: tape)
        let play = DemoPlay(server: stage.server, mailbox: stage.sink.mailbox, tape: tape)
        let outcome = Outcome()
        let configuration = stage.configuration
        let begin = Begin()
        let server = try Server(configuration, log: log, reload: { configuration }, onReady: { begin.ready() })
        let stopper = server.stopper
        let (say, keeps) = (say, keeps)
        say("guardd listens on \(stage.server), in front of an embedded mail server on \(stage.sink.address).")
        let introduction = DemoManual.introduction
        let manual = DemoManual.byHand(server: stage.server)
        begin.ready = {
            begin.thread = LogThread {
                say(introduction)
                outcome.set(Result { () throws(DemoFailure) in try play.run() }, say)
                guard keeps, outcome.isGood != nil else { return stopper.stop() }
                tape.echoes = true
                say(manual)
            }
            if begin.thread == nil { stopper.stop() }
        }
        try server.run(handlesSignals: handlesSignals)
        begin.thread?.join()
        if let failure = outcome.failure { throw failure }
        return outcome.isGood ?? false
    }

    /// Lives on the server's thread.
    private final class Begin {
        var ready: () -> Void = {}
        var thread: LogThread?
    }

    /// Set on the playing thread, read after its end.
    private final class Outcome: Sendable {
        private let result = Mutex<Result<[DemoScene], DemoFailure>?>(nil)

        func set(_ new: Result<[DemoScene], DemoFailure>, _ say: (String) -> Void) {
            result.withLock { $0 = new }
            guard case .success(let scenes) = new else { return }
            say(DemoScene.table(scenes))
            say(isGood == true ? "Every answer is what it must be." : "An answer is not what it must be.")
        }

        /// nil when not all could be played.
        var isGood: Bool? {
            guard case .success(let scenes) = result.withLock({ $0 }) else { return nil }
            return scenes.allSatisfy(\.faults.isEmpty)
        }

        var failure: DemoFailure? {
            guard case .failure(let failure) = result.withLock({ $0 }) else { return nil }
            return failure
        }
    }
}

/// Plays the demo's mails, one after another, through a running guardd.
struct DemoPlay: Sendable {
    let server: PeerAddress
    let mailbox: SinkMailbox
    let tape: LogTape

    func run() throws(DemoFailure) -> [DemoScene] {
        let id = "lunch.\(EventLoop.seconds()).\(server.port)@\(DemoCast.domain)"
        var scenes: [DemoScene] = []
        for mail in DemoCast.mails(id: id) { scenes.append(try scene(of: mail)) }
        return scenes
    }

    private func scene(of mail: DemoMail) throws(DemoFailure) -> DemoScene {
        guard let source = PeerAddress(mail.isOutgoing ? DemoStage.outgoingSource : DemoStage.strangerSource) else {
            preconditionFailure("loopback addresses are no addresses")
        }
        let (lines, received) = (tape.lines.count, mailbox.received)
        var client = try DemoClient(from: source, to: server)
        let hello = mail.isOutgoing ? "desk.example.org" : "mx.example.net"
        let answer = try client.play(hello: hello, reversePath: mail.reversePath, forwardPath: mail.forwardPath, content: mail.content)
        let logLine = tape.lines.dropFirst(lines).last { $0.contains("from=<") } ?? ""
        let arrived = mailbox.received > received ? mailbox.messages.last : nil
        return DemoScene(mail: mail, answer: answer, logLine: logLine, arrived: arrived)
    }
}
