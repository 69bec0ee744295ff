// Deadlines (RFC 5321 §4.5.3.2, THREATS R21): total ones, so that trickling does not extend them; content earns time
// by the octet, so that slow large mail lives. The driver calls `ticked` about once a second.

extension SMTPSession {
    /// The client's next command is due.
    mutating func expectClient(at now: Int64) {
        clientExpected = now
        clientDeadline = now + settings.timeouts.clientCommand
    }

    /// More content is due; every octet that came buys time.
    mutating func expectContent() {
        clientDeadline = contentBegan + settings.timeouts.clientContent
            + Int64(contentReceived) * 1000 / max(1, settings.timeouts.clientOctetsPerSecond)
    }

    /// Content goes on after an upstream that took its time, which the client is not to blame for.
    mutating func resumeContent(at now: Int64) {
        contentBegan = now
        contentReceived = 0
        expectContent()
    }

    /// A reply of the upstream is due.
    mutating func expect(_ entry: Awaited, at now: Int64) {
        if awaited.isEmpty { upstreamDeadline = now + deadline(for: entry) }
        awaited.append(entry)
    }

    func deadline(for entry: Awaited?) -> Int64 {
        switch entry {
        case .data, .heldData: settings.timeouts.upstreamDataInitiation
        case .endOfContent, .chunk, .heldChunk: settings.timeouts.upstreamDataTermination
        default: settings.timeouts.upstreamCommand
        }
    }

    /// The upstream took nothing for so long: time that the client is not to blame for.
    public mutating func upstreamPaused(for time: Int64) { contentBegan += time }

    /// - Parameter upstreamStalled: milliseconds since the upstream last took octets that wait for it; 0 when none wait.
    /// - Parameter commandLimit: milliseconds that a client has for a command under stress; `.max` otherwise.
    public mutating func ticked(at now: Int64, upstreamStalled: Int64, commandLimit: Int64, into sink: some SessionSink) {
        isStressed = commandLimit != .max
        if case .closed = input, awaited.isEmpty { return }
        defer { endIfDone(into: sink) }
        if upstreamStalled > settings.timeouts.upstreamDataBlock || now > upstreamDeadline && !isChunkDue {
            sink.report(.upstreamTimedOut(session: number))
            return lost(Replies.upstreamTimeout, at: now, into: sink)
        }
        if owesReset, awaited.isEmpty { _ = payReset(at: now, into: sink) }
        switch input {
        case .nothing, .closed: return
        case .handshake: return handshakeTicked(at: now, limit: commandLimit, into: sink)
        default: break
        }
        let isPressed: Bool
        if case .command = input { isPressed = now - clientExpected > commandLimit } else { isPressed = false }
        if upstreamStalled == 0, awaited.isEmpty || isChunkDue, now > clientDeadline || isPressed {
            sink.report(.clientTimedOut(session: number))
            end(Replies.clientTimeout, into: sink)
        }
    }

    /// The one reply that upstream owes is that to a chunk whose octets the client owes still: the client's deadline counts,
    /// so that a trickling client is closed and a slow large chunk lives.
    private var isChunkDue: Bool {
        if case .chunk = input { return awaited.all.count == 1 }
        return false
    }

    /// The last octet of a chunk went up: now its reply is due.
    mutating func expectChunkReply(at now: Int64) {
        guard awaited.all.count == 1, let entry = awaited.first else { return }
        upstreamDeadline = now + deadline(for: entry)
    }

    /// The daemon stops: a session between transactions ends now, one in a transaction when that is done.
    public mutating func stop(into sink: some SessionSink) {
        isStopping = true
        endIfDone(into: sink)
    }
}
