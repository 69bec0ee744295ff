// Log lines as JSON: the words of the text line as keys, in the same order. docs/logging.md has the table.

extension SessionEvent {
    /// One object without a line end.
    ///
    /// - Parameter now: seconds since 1970.
    func json(at now: Int64) -> Octets {
        var line = JSONLine(severity, at: now)
        line.add("session", SessionEvent.name(session))
        if case .transaction(let summary) = self {
            summary.add(to: &line)
        } else {
            line.add("event", String(words.prefix { $0 != ":" }))
            line.add("text", String(words.drop { $0 != ":" }.dropFirst(2)))
        }
        return line.closed
    }
}

extension TransactionSummary {
    fileprivate func add(to line: inout JSONLine) {
        line.add("event", action)
        if let judgement {
            line.add("verdict", judgement.verdict.rawValue)
            line.add("reason", judgement.reason.rawValue)
            if judgement.wouldRefuse { line.add("would", "refuse") }
        }
        line.add("client", shownClient)
        line.add("tls", tls?.version)
        line.add("cipher", tls?.cipher)
        line.add("from", ASCII.washed(reversePath))
        line.add("to", forwardPaths.map { ASCII.washed($0) })
        line.add("nrcpt", recipientCount)
        line.add("msgid", shownID.map { ASCII.washed($0.octets) })
        line.add("kind", evidence?.kind.rawValue)
        line.add("size", size)
        line.add("queue_id", queueID.map { ASCII.washed($0) })
        line.add("reply", reply.map { ASCII.washed($0.prefix { $0 != ASCII.cr }) })
    }
}

extension JSONLine {
    /// What every log line begins with.
    init(_ severity: Severity, at now: Int64) {
        self.init()
        add("time", UTC.text(now))
        add("severity", severity.name)
    }
}

extension Severity {
    /// As `log_level` has it.
    var name: String {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .info: "info"
        case .debug: "debug"
        }
    }
}
