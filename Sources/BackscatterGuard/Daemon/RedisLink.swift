// One connection to the Redis server of a shared log, on an event loop: made again for ever, with growing pauses; asked
// in pipelines; its replies matched in order. It says hello by itself: AUTH, SELECT, who the server is, which log it holds.

/// What a server has said of itself.
struct RedisHello {
    /// The hash `P:log`; empty when there is no log yet.
    let log: [Octets: Octets]
    /// Changes with each start of the server, and from one server to another.
    let run: UInt64
    /// Its clock, milliseconds since 1970, at `at` or somewhat before.
    let clock: Int64
    /// Milliseconds of the monotonic clock.
    let at: Int64

    var epoch: Octets { log[Octets("epoch".utf8)] ?? [] }

    /// The layout of the log; nil when it is of another version.
    func layout(_ prefix: Octets) -> RedisLayout? {
        guard log[Octets("version".utf8)] == Octets("1".utf8),
              let bits = log[Octets("bits".utf8)].flatMap({ Int(String(decoding: $0, as: UTF8.self)) }), RedisLayout.bitsRange.contains(bits)
        else { return nil }
        return RedisLayout(prefix: prefix, bits: bits)
    }
}

/// Lives until `close`, on its loop's thread.
final class RedisLink {
    /// Milliseconds for connecting and saying hello.
    private static let helloLimit: Int64 = 1_000
    private static let shortestPause: Int64 = 50
    private static let longestPause: Int64 = 1_000

    private enum Phase { case down, dialling, greeting, up, closed }

    private struct Waiting {
        let count: Int
        let taken: ([RedisReply]?) -> Void
    }

    private let loop: EventLoop
    private let settings: SharedLogSettings
    /// The log must be of this key; nil: whatever it is.
    private let key: SentKey?
    private let beginsLog: Bool
    private var phase = Phase.down
    private var socket: RedisSocket?
    /// The last one, which may still be in its callback.
    private var retired: RedisSocket?
    private var resolution: Resolution?
    private var timer: LoopTimer?
    private var reader: RedisReplyReader?
    private var waiting: [Waiting] = []
    private var waitingHead = 0
    private var replies: [RedisReply] = []
    private var pause = RedisLink.shortestPause

    /// It stands and the log is the right one.
    var up: (RedisHello) -> Void = { _ in }
    /// It does not, any more or yet; it is tried again. Called before the questions that are lost with it.
    var down: (String) -> Void = { _ in }
    private(set) var hello: RedisHello?
    /// What has to be mended by the operator: another key, another version.
    private(set) var fault: SentLogError?

    var isUp: Bool { if case .up = phase { true } else { false } }

    /// - Parameter beginsLog: begin a log where there is none, with `key`.
    init(loop: EventLoop, settings: SharedLogSettings, key: SentKey?, beginsLog: Bool) throws(ReactorError) {
        self.loop = loop
        self.settings = settings
        self.key = key
        self.beginsLog = beginsLog
        timer = try LoopTimer(loop: loop) { [weak self] in self?.timeIsOver() }
    }

    func start() { connect() }

    /// Sends commands that bring `count` replies.
    ///
    /// - Parameter taken: called by the event loop, never within this call; nil: the connection was lost.
    func send(_ commands: Octets, replies count: Int, _ taken: @escaping ([RedisReply]?) -> Void) {
        waiting.append(Waiting(count: count, taken: taken))
        socket?.send(commands.span)
    }

    /// Hangs up, for a reason, and tries again. From the event loop only.
    func fail(_ reason: String) {
        if case .closed = phase { return }
        hangUp()
        phase = .down
        timer?.set(after: pause)
        pause = min(2 * pause, RedisLink.longestPause)
        down(reason)
        loseQuestions()
    }

    func close() {
        hangUp()
        phase = .closed
        waiting = []
        timer?.close()
        timer = nil
        retired = nil
    }

    private func hangUp() {
        resolution?.cancel()
        resolution = nil
        hello = nil
        if let socket { retired = socket }
        socket?.close()
        socket?.link = nil
        socket = nil
        reader = nil
        replies = []
    }

    private func loseQuestions() {
        let lost = waiting[waitingHead...]
        waiting = []
        waitingHead = 0
        for question in lost { question.taken(nil) }
    }

    private func timeIsOver() {
        switch phase {
        case .down: connect()
        case .dialling, .greeting: fail("no answer within \(RedisLink.helloLimit) ms")
        case .up, .closed: break
        }
    }

    // MARK: connecting

    private func connect() {
        phase = .dialling
        timer?.set(after: RedisLink.helloLimit)
        switch settings.address.place {
        case .address(let address): open(SocketAddress(address))
        case .host(let name, let port):
            resolution = Resolution(host: name, port: port, loop: loop) { [weak self] addresses in
                guard let self, case .dialling = phase else { return }
                guard let address = addresses.first else { return fail("no address for \(name)") }
                open(address)
            }
        case .unix(let path):
            guard let address = SocketAddress.unix(path) else { return fail("the path of the socket is too long") }
            open(address)
        case .program: preconditionFailure("a program as the sent log")
        }
    }

    private func open(_ address: SocketAddress) {
        switch address.connect() {
        case .failure(let error): fail(error.text)
        case .success(let descriptor):
            guard let made = try? RedisSocket(descriptor: descriptor, link: self, loop: loop), let reader = RedisReplyReader() else { return fail("out of memory") }
            socket = made
            self.reader = reader
            phase = .greeting
            greet()
        }
    }

    private func greet() {
        var commands: Octets = []
        var count = 3
        if !settings.password.isEmpty {
            commands.appendCommand([Octets("AUTH".utf8)] + (settings.address.user.map { [Octets($0.utf8)] } ?? []) + [settings.password])
            count += 1
        }
        if settings.address.database != 0 {
            commands.appendCommand("SELECT", String(settings.address.database))
            count += 1
        }
        commands.appendCommand("INFO", "server")
        commands.appendCommand([Octets("HGETALL".utf8), RedisLayout.log(settings.prefix)])
        commands.appendCommand("TIME")
        send(commands, replies: count) { [weak self] replies in
            guard let self, let replies else { return }
            if let error = replies.lazy.compactMap(\.errorText).first { return fail(error) }
            guard let run = replies[count - 3].octets.flatMap(RedisLink.run), let pairs = replies[count - 2].pairs, let clock = replies[count - 1].milliseconds
            else { return fail("not a Redis server as we know it") }
            greeted(RedisHello(log: RedisLink.table(pairs), run: run, clock: clock, at: EventLoop.milliseconds()))
        }
    }

    private func greeted(_ hello: RedisHello) {
        guard let key else { return stand(hello) }
        if hello.log.isEmpty {
            guard beginsLog else { return refuse(.noLog(directory: settings.address.text)) }
            return begin(hello, key)
        }
        guard hello.layout(settings.prefix) != nil else { return refuse(.otherFormat(file: settings.address.text)) }
        guard hello.log[Octets("fingerprint".utf8)] == key.fingerprint else {
            return refuse(.keyMismatch(file: settings.local.keyFile, log: settings.address.text))
        }
        stand(hello)
    }

    private func begin(_ hello: RedisHello, _ key: SentKey) {
        let epoch = Octets(String(UInt64.random(in: 1 ... .max), radix: 16).utf8)
        var command: Octets = []
        command.appendCommand([
            Octets("EVAL".utf8), Octets(RedisScript.begin.utf8), Octets("1".utf8), RedisLayout.log(settings.prefix), Octets("1".utf8), key.fingerprint,
            Octets(String(RedisLayout.bits(daily: settings.daily)).utf8), epoch,
        ])
        send(command, replies: 1) { [weak self] replies in
            guard let self, let reply = replies?.first else { return }
            guard let pairs = reply.pairs, !pairs.isEmpty else { return fail(reply.errorText ?? "a log can't be begun") }
            greeted(RedisHello(log: RedisLink.table(pairs), run: hello.run, clock: hello.clock, at: hello.at))
        }
    }

    private func refuse(_ error: SentLogError) {
        fault = error
        pause = RedisLink.longestPause
        fail(error.text)
    }

    private func stand(_ hello: RedisHello) {
        fault = nil
        phase = .up
        pause = RedisLink.shortestPause
        timer?.stop()
        self.hello = hello
        up(hello)
    }

    private static func table(_ pairs: [(name: Octets, value: Octets)]) -> [Octets: Octets] {
        Dictionary(pairs.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// `run_id:` and 40 hexadecimal digits, of which 16 are enough.
    private static func run(_ info: Octets) -> UInt64? {
        String(decoding: info, as: UTF8.self).firstMatch(of: /run_id:([0-9a-f]{16})/).flatMap { UInt64($0.1, radix: 16) }
    }

    // MARK: replies

    fileprivate func received(_ octets: Span<UInt8>) {
        guard let reader, reader.feed(octets) else { return fail("out of memory") }
        while let reader = self.reader {
            switch reader.next() {
            case .incomplete: return
            case .malformed: return fail("its replies can't be read")
            case .reply(let reply):
                guard waitingHead < waiting.count else { return fail("a reply to nothing") }
                replies.append(reply)
                guard replies.count == waiting[waitingHead].count else { continue }
                let (all, taken) = (replies, waiting[waitingHead].taken)
                replies = []
                waitingHead += 1
                if waitingHead > 64, 2 * waitingHead > waiting.count {
                    waiting.removeFirst(waitingHead)
                    waitingHead = 0
                }
                taken(all)
            }
        }
    }

    fileprivate func ended() { fail("it hung up") }
    fileprivate func failed(_ number: CInt) { fail(errnoText(number)) }
}

private final class RedisSocket: Socket {
    fileprivate weak var link: RedisLink?

    init(descriptor: CInt, link: RedisLink, loop: EventLoop) throws(ReactorError) {
        self.link = link
        try super.init(descriptor: descriptor, loop: loop)
    }

    override func received(_ octets: Span<UInt8>) { link?.received(octets) }
    override func ended() { link?.ended() }
    override func failed(_ number: CInt) { link?.failed(number) }
}
