// Cutting the client's octets into command lines: CRLF only (RFC 5321 §2.3.8), bounded, across any division.

extension SMTPSession {
    /// Longest command line without CRLF (RFC 5321 §4.5.3.1.4 asks for 512 and more with extensions).
    static let lineLimit = 2048
    /// Longest line of AUTH (RFC 4954 §4).
    static let authenticationLineLimit = 12_288
    /// A line that is too long is thrown away to its end, or the session ends after so many octets.
    static let discardLimit = 65_536

    /// AUTH may carry its initial response, so the verb must be known before the shorter limit can be held: `command` does.
    private var limit: Int { SMTPSession.authenticationLineLimit }

    /// Takes one line, runs it, and returns the index behind it. A line that has to wait is not taken, or stays in `line`.
    mutating func readLine(_ octets: Span<UInt8>, from start: Int, at now: Int64, into sink: some SessionSink) -> Int {
        if lineIsComplete {
            let whole = line
            line = []
            lineIsComplete = false
            if run(whole.span, at: now, into: sink) {
                madeProgress = true
            } else {
                line = whole
                lineIsComplete = true
            }
            return start
        }
        guard let lf = octets.firstIndex(of: ASCII.lf, from: start) else {
            if line.count + octets.count - start > limit { return tooLong(octets.count, sink, keepsDiscarding: true, at: now) }
            line.append(octets.extracting(start..<octets.count))
            return octets.count
        }
        if line.isEmpty {
            let end = lf > start && octets[lf - 1] == ASCII.cr ? lf - 1 : lf
            if end - start > limit { return tooLong(lf + 1, sink, keepsDiscarding: false, at: now) }
            let isTaken = end < lf ? run(octets.extracting(start..<end), at: now, into: sink) : bareLF(at: now, into: sink)
            return isTaken ? lf + 1 : start
        }
        line.append(octets.extracting(start..<lf))
        let hasCR = line.last == ASCII.cr
        if line.count > limit {
            line = []
            return tooLong(lf + 1, sink, keepsDiscarding: false, at: now)
        }
        if !hasCR {
            line = []
            _ = bareLF(at: now, into: sink)
            return lf + 1
        }
        line.removeLast()
        lineIsComplete = true
        madeProgress = true
        return lf + 1
    }

    private mutating func bareLF(at now: Int64, into sink: some SessionSink) -> Bool {
        expectClient(at: now)
        if case .authentication = input { end(Replies.controls, into: sink) } else { refuse(Replies.controls, at: now, into: sink) }
        return true
    }

    private mutating func tooLong(_ next: Int, _ sink: some SessionSink, keepsDiscarding: Bool, at now: Int64) -> Int {
        line = []
        // Upstream still waits for the answer to its challenge: the next command would be taken for it.
        if case .authentication = input {
            end(Replies.lineTooLong, into: sink)
            return next
        }
        discarded = 0
        if keepsDiscarding { input = .discardedLine }
        refuse(Replies.lineTooLong, at: now, into: sink)
        return next
    }

    mutating func discardLine(_ octets: Span<UInt8>, from start: Int, into sink: some SessionSink) -> Int {
        if let lf = octets.firstIndex(of: ASCII.lf, from: start) {
            input = .command
            return lf + 1
        }
        discarded += octets.count - start
        if discarded > SMTPSession.discardLimit { close(into: sink) }
        return octets.count
    }

    /// Runs a whole line.
    ///
    /// - Returns: false when it has to wait for a reply of the upstream first.
    private mutating func run(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        if case .authentication = input { return authenticationLine(line, at: now, into: sink) }
        return runCommand(line, at: now, into: sink)
    }
}
