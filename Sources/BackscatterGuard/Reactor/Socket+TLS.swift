// A socket inside TLS: the same `send`, `received`, `ended` and backlog, with SSL_read and SSL_write in the place of the
// system calls. Until the handshake is done nothing goes out in clear and nothing that came in clear is handed on.

import CEvent
import Glibc

extension Socket {
    /// The longest record's content: SSL_read gives one record at most.
    private static let recordLimit = 16_384

    /// Goes on in TLS, at the next turn of the loop. The backlog must be empty: it is in clear.
    final func startTLS(_ connection: TLSConnection) {
        precondition(backlog == 0, "octets in clear wait on a socket that goes on in TLS")
        tls = connection
        resumeReading()
        activateReading()
    }

    /// close_notify, when everything has been sent.
    public final func sayGoodbye() {
        if backlog == 0 { tls?.sayGoodbye() }
    }

    private func shakeHands(_ tls: TLSConnection) {
        switch tls.handshake() {
        case .done:
            disarmWriting()
            tls.mayHoldMore = tls.holdsMore            // the client may not have waited
            let (version, cipher) = tls.agreed
            secured(version: version, cipher: cipher)
            guard isOpen else { return }
            if backlog > 0 { armWriting() }
            if tls.mayHoldMore, wantsReading { activateReading() }
        case .wantsRead: disarmWriting()
        case .wantsWrite: armWriting()
        case .ended, .truncated: handshakeFailed("connection closed")
        case .failed(let reason): handshakeFailed(reason)
        }
    }

    // MARK: reading

    /// Reads record after record until the loop's buffer has no room for another, or there is no more. A short record with
    /// nothing behind it is taken for the last one: the loop tells of what comes later, and asking the kernel in vain would
    /// cost a fifth of all system calls.
    final func read(from tls: TLSConnection) {
        guard tls.isEstablished else { return shakeHands(tls) }
        let buffer = unsafe loop.readBuffer
        var count = 0
        var outcome = TLSConnection.Outcome.wantsRead
        repeat {
            outcome = unsafe tls.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            guard case .done(let octets) = outcome else { break }
            count += octets
            if octets < Socket.recordLimit, !tls.holdsMore {
                outcome = .wantsRead
                break
            }
        } while count + Socket.recordLimit <= EventLoop.readSize
        tls.mayHoldMore = if case .done = outcome { true } else { false }
        if count > 0 {
            let octets = unsafe UnsafeBufferPointer(rebasing: buffer.bindMemory(to: UInt8.self)[..<count])
            received(unsafe Span(_unsafeElements: octets))
            guard isOpen else { return }
        }
        readingStopped(by: outcome, tls)
    }

    private func readingStopped(by outcome: TLSConnection.Outcome, _ tls: TLSConnection) {
        // What came with the peer's last octets made us close: `drain` goes on to its FIN, which ends the connection.
        if isDraining { return }
        switch outcome {
        case .done: if wantsReading { activateReading() }
        case .wantsRead: break
        case .wantsWrite:
            tls.readWantsWrite = true
            armWriting()
        // Without close_notify the peer died or was cut off; either way no more comes, and what was not whole is dropped.
        // After a cut OpenSSL writes no more either: a reply that is still due fails in `send`.
        case .ended, .truncated:
            wantsReading = false
            stopReading()
            return ended()
        case .failed: return failed(EPROTO)
        }
        if tls.writeWantsRead {
            tls.writeWantsRead = false
            if backlog > 0 { armWriting() }
        }
    }

    // MARK: writing

    /// Called when there is no backlog.
    final func send(_ first: Span<UInt8>, _ second: Span<UInt8>, in tls: TLSConnection) {
        guard tls.isEstablished else { return keep(first, second, from: 0) }
        guard let sent = write(first, to: tls) else { return }
        if sent < first.count { return keep(first, second, from: sent) }
        guard !second.isEmpty, let more = write(second, to: tls) else { return }
        if more < second.count { keep(first, second, from: sent + more) }
    }

    /// - Returns: how many octets were taken; nil after an error.
    private func write(_ octets: Span<UInt8>, to tls: TLSConnection) -> Int? {
        var sent = 0
        while sent < octets.count {
            let outcome = unsafe octets.withUnsafeBufferPointer { unsafe tls.write(UnsafeBufferPointer(rebasing: $0[sent...])) }
            switch outcome {
            case .done(let count): sent += count
            case .wantsWrite: return sent
            case .wantsRead:
                tls.writeWantsRead = true
                return sent
            case .ended, .truncated, .failed:
                writeFailed(EPROTO)
                return nil
            }
        }
        return sent
    }

    /// The descriptor is writable.
    final func write(to tls: TLSConnection) {
        guard tls.isEstablished else { return shakeHands(tls) }
        if tls.readWantsWrite {
            tls.readWantsWrite = false
            activateReading()
        }
        guard let buffer = unsafe backlogBuffer else { return disarmWriting() }
        while true {
            let length = unsafe min(evbuffer_get_length(buffer), Socket.recordLimit)
            if length == 0 { return unsafe backlogIsGone(buffer) }
            guard let octets = unsafe evbuffer_pullup(buffer, length) else { return failed(ENOMEM) }
            switch unsafe tls.write(UnsafeBufferPointer(start: octets, count: length)) {
            case .done(let count): unsafe _ = evbuffer_drain(buffer, count)
            case .wantsWrite: return
            case .wantsRead:
                tls.writeWantsRead = true
                return disarmWriting()
            case .ended, .truncated, .failed: return failed(EPROTO)
            }
        }
    }
}
