// The Unix socket on which programs of this machine tell what they sent: qmail hooks, applications that send through a
// provider's API. Who may open it may say of any id that it was sent from here: the file's group and mode are the only
// door. On the main thread's loop; the sent log's own thread does the waiting.

import Glibc

/// Listens, and keeps its connections.
final class ControlSocket {
    private struct Answer: Sendable {
        let connection: UInt64
        let request: Int
        let error: String?
    }

    static let connectionLimit = 1_024
    /// Octets of unfinished lines, of all connections.
    static let heldLimit = 16 << 20
    /// Milliseconds for a line from its first octet, and for a client to take its last answer.
    static let lineTimeout: Int64 = 30_000
    /// Milliseconds without a line.
    static let idleTimeout: Int64 = 600_000

    let loop: EventLoop
    private let sentLog: any SentLog
    private let log: LogWriter
    private let socket: UnixListener
    private let letters: Letterbox<Answer>
    private var bell: LoopBell?
    private var listener: Listener?
    private var connections: [UInt64: ControlConnection] = [:]
    private var last: UInt64 = 0
    private var held = 0
    /// Whether pairs are kept of mail with an id too; a reload may change it.
    var keepsAllPairs = false

    /// - Parameter isSuccessor: who answers at the path is to be replaced.
    /// - Throws: what the system says; EADDRINUSE when another guardd answers at the path.
    init(_ place: Configuration.ControlPlace, isSuccessor: Bool, loop: EventLoop, sentLog: any SentLog, log: LogWriter) throws(ReactorError) {
        self.loop = loop
        self.sentLog = sentLog
        self.log = log
        letters = try Letterbox()
        socket = try UnixListener(place.path, mode: mode_t(place.mode), group: place.group, mayReplace: isSuccessor)
        bell = try LoopBell(letters.waker, loop: loop) { [unowned self] in readMail() }
        listener = try Listener(descriptor: socket.descriptor, loop: loop) { [unowned self] descriptor, _ in accept(descriptor) }
    }

    /// Takes the path, in one step: whoever else answers there is found there until then.
    func open() throws(ReactorError) { try socket.takePath() }

    private func accept(_ descriptor: CInt) {
        last += 1
        guard let connection = try? ControlConnection(last, descriptor: descriptor, control: self) else { return }
        connections[last] = connection
        if connections.count > ControlSocket.connectionLimit { connection.refuse("too many connections") }
    }

    func forget(_ connection: ControlConnection) {
        guard connections.removeValue(forKey: connection.number) != nil else { return }
        held -= connection.heldOctets
    }

    func heldChanged(by octets: Int) {
        held += octets
        guard held > ControlSocket.heldLimit, let largest = connections.values.max(by: { $0.heldOctets < $1.heldOctets }) else { return }
        largest.refuse("too many octets of unfinished lines")
    }

    /// Answered by `answered` of that connection, if it is still there.
    func perform(_ request: ControlDialogue.Request, _ number: Int, for connection: UInt64) {
        let (letters, now) = (letters, EventLoop.seconds())
        let whenDurable: @Sendable (SentLogError?) -> Void = { error in
            letters.post(Answer(connection: connection, request: number, error: error?.text))
        }
        switch request {
        case .unrecorded:
            log.write(.error, "control: a mail left unrecorded; unknown ids are not refused until bounce_window is over")
            sentLog.change(.hole(from: now, to: now + 1), whenDurable: whenDurable)
        case .record(var entry):
            entry.keepsPairs = keepsAllPairs || entry.ids.isEmpty
            sentLog.record(entry, at: now, whenDurable: whenDurable)
        }
    }

    private func readMail() {
        for answer in letters.take() { connections[answer.connection]?.answered(answer.request, error: answer.error) }
    }

    /// Every second.
    func tick() {
        let now = EventLoop.milliseconds()
        listener?.resume()
        for connection in connections.values {
            let age = now - connection.since
            if connection.isLeaving {
                if age > ControlSocket.lineTimeout { connection.failed(ETIMEDOUT) }
            } else if connection.isWithinLine {
                if age > ControlSocket.lineTimeout { connection.refuse("a line takes too long") }
            } else if connection.isIdle, age > ControlSocket.idleTimeout {
                connection.refuse("nothing came for too long")
            }
        }
    }

    /// Idempotent. What is queued is still recorded, but not answered: who asked must ask again elsewhere.
    func close() {
        guard listener != nil else { return }
        socket.removePath()
        listener?.close()
        listener = nil
        bell?.close()
        bell = nil
        for connection in connections.values { connection.close() }
        connections = [:]
    }
}
