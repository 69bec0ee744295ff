// The guardd that this process takes the place of: it waits for a word that its sockets are served, and is seen to end
// when it closes its side of the same connection.

/// The successor's end of the connection between the two.
final class Predecessor {
    private let socket: ReportSocket

    /// - Parameter ended: called once, when the other process has ended.
    /// - Throws: out of memory; the descriptor is closed then.
    init(_ descriptor: CInt, loop: EventLoop, ended: @escaping () -> Void) throws(ReactorError) {
        socket = try ReportSocket(descriptor: descriptor, loop: loop)
        socket.onEnd = ended
    }

    /// - Parameter taken: for each socket that was handed over, whether it is used.
    func report(_ taken: [Bool]) { socket.send(ReportSocket.line(taken).span) }

    /// Asks it to end too.
    func stop() { socket.send(ReportSocket.stop.span) }

    func close() { socket.close() }
}

/// A connection between two processes of guardd.
final class ReportSocket: Socket {
    var onOctets: (Octets) -> Void = { _ in }
    /// The other side has closed, or failed; this one is closed.
    var onEnd: () -> Void = {}

    override func received(_ octets: Span<UInt8>) {
        var copy = Octets()
        copy.append(octets)
        onOctets(copy)
    }

    override func ended() { failed(0) }

    override func failed(_ number: CInt) {
        close()
        let onEnd = onEnd
        self.onEnd = {}
        onEnd()
    }

    /// From a successor that serves: it ends, and so should the one before it.
    static let stop = Octets("stop\n".utf8)

    static func line(_ taken: [Bool]) -> Octets { Octets(taken.map { $0 ? ASCII.zero + 1 : ASCII.zero }) + [ASCII.lf] }

    /// nil for anything but a line about so many sockets.
    static func taken(_ line: Octets, count: Int) -> [Bool]? {
        guard line.count == count + 1, line.last == ASCII.lf else { return nil }
        let taken = line.dropLast()
        guard taken.allSatisfy({ $0 == ASCII.zero || $0 == ASCII.zero + 1 }) else { return nil }
        return taken.map { $0 != ASCII.zero }
    }
}
