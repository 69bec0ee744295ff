// The embedded MTA: a small SMTP server that keeps what it receives and delivers it nowhere. `guardd demo` puts guardd in
// front of it, and so do tests. It runs on a thread of its own; every connection, message and total is bounded.

/// A listening sink, from `init` to `stop()`.
public final class SinkServer {
    /// Where it listens; the port is the one that the system chose if none was asked for.
    public let address: PeerAddress
    public let mailbox: SinkMailbox
    private let waker: Waker
    private let thread: LogThread
    private let isStopping = Flag()

    /// Begins to listen and to serve.
    ///
    /// - Parameter address: port 0 means a free one.
    /// - Throws: what the system refused.
    public init(_ settings: SinkSettings, at address: PeerAddress) throws(ReactorError) {
        let waker = try Waker()
        let descriptor: CInt
        do { descriptor = try Listener.open(SocketAddress(address), sharesPort: false) } catch {
            waker.close()
            throw error
        }
        let mailbox = SinkMailbox(messagesKept: settings.messagesKept, octetsKept: settings.octetsKept)
        let isStopping = isStopping
        guard let thread = LogThread({
            SinkLoop.run(settings, descriptor: descriptor, waker: waker, mailbox: mailbox, isStopping: isStopping)
        }) else { throw .outOfMemory }
        self.address = PeerAddress(SocketAddress.local(of: descriptor))
        self.waker = waker
        self.mailbox = mailbox
        self.thread = thread
    }

    deinit { stop() }

    /// Closes everything; returns when the thread has ended. Idempotent.
    public func stop() {
        guard !isStopping.isSet else { return }
        isStopping.set()
        waker.wake()
        thread.join()
    }
}

/// What lives on the sink's thread.
private final class SinkLoop {
    let loop: EventLoop
    let settings: SinkSettings
    let mailbox: SinkMailbox
    private var listener: Listener?
    private var connections: [UInt64: SinkConnection] = [:]
    private var lastNumber: UInt64 = 0

    static func run(_ settings: SinkSettings, descriptor: CInt, waker: Waker, mailbox: SinkMailbox, isStopping: Flag) {
        defer { mailbox.close() }
        // Without memory for a loop there is nobody to tell but those who wait for mail.
        guard let loop = try? EventLoop(waker: waker) else { return }
        let sink = SinkLoop(loop, settings, mailbox)
        sink.serve(descriptor, isStopping)
        loop.close()
    }

    private init(_ loop: EventLoop, _ settings: SinkSettings, _ mailbox: SinkMailbox) {
        self.loop = loop
        self.settings = settings
        self.mailbox = mailbox
    }

    private func serve(_ descriptor: CInt, _ isStopping: Flag) {
        listener = try? Listener(descriptor: descriptor, loop: loop) { [unowned self] client, address in
            accept(client, PeerAddress(address))
        }
        loop.woken = { [loop] in if isStopping.isSet { loop.stop() } }
        loop.ticked = { [unowned self] in
            let now = EventLoop.milliseconds()
            for connection in connections.values where now - connection.lastHeard > settings.idleLimit { connection.finish() }
        }
        loop.run()
        listener?.close()
        for connection in connections.values { connection.finish() }
    }

    private func accept(_ descriptor: CInt, _ client: PeerAddress) {
        lastNumber += 1
        let session = SinkSession(number: lastNumber, client: client, settings: settings)
        guard let connection = try? SinkConnection(descriptor, session, self) else { return }
        guard connections.count < settings.connectionLimit else { return connection.close() }
        connections[lastNumber] = connection
        connection.start()
    }

    func remove(_ number: UInt64) { connections[number] = nil }
}

/// A client of the sink.
private final class SinkConnection: Socket {
    /// Replies that a client may leave unread before it is no longer heard.
    private static let backlogLimit = 64 << 10

    private(set) var lastHeard = EventLoop.milliseconds()
    private var session: SinkSession
    private let number: UInt64
    private unowned let sink: SinkLoop

    init(_ descriptor: CInt, _ session: SinkSession, _ sink: SinkLoop) throws(ReactorError) {
        self.session = session
        self.sink = sink
        number = session.number
        try super.init(descriptor: descriptor, loop: sink.loop)
    }

    /// Greets, where no PROXY header has to come first.
    func start() { answer() }

    func finish() {
        close()
        sink.remove(number)
    }

    override func received(_ octets: Span<UInt8>) {
        lastHeard = EventLoop.milliseconds()
        session.receive(octets)
        answer()
    }

    override func ended() { closeWhenFlushed() }
    override func failed(_ number: CInt) { finish() }
    override func drained() { resumeReading() }
    override func lingeringEnded() { sink.remove(number) }

    /// A message is in the mailbox before its 250 goes out: whoever read the 250 finds it there.
    private func answer() {
        sink.mailbox.add(session.messages)
        session.messages = []
        send(session.replies.span)
        session.replies = []
        if session.isClosed { return closeWhenFlushed() }
        if backlog > Self.backlogLimit { pauseReading() }
    }
}
