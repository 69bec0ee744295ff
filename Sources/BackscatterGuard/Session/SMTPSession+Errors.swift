// Errors of the client, counted as Postfix counts them: what guardd refuses, and commands that bring no mail nearer. What the
// upstream refuses it counts itself, for it hears the client's own commands: a mail to a list with many dead addresses passes. A delivered mail takes them all back. Beyond the soft limit each command waits, the
// driver's timer saying when its time has come; at the hard limit the session ends.

extension SMTPSession {
    /// What an erring client's next command goes through.
    enum Penalty {
        case none
        /// It waits until then.
        case waiting(until: Int64)
        /// It has waited, and only waits for the upstream now.
        case served
    }

    var limits: SessionLimits { isStressed ? settings.limits.underStress : settings.limits }

    var hasTooManyErrors: Bool { limits.hardErrors > 0 && errors >= limits.hardErrors }

    /// When the driver has to offer the waiting command again; nil when none waits for its time.
    public var delayedUntil: Int64? {
        if case .waiting(let until) = penalty { until } else { nil }
    }

    /// Runs a whole command line, when an erring client has waited for it.
    ///
    /// - Returns: false when it has to wait.
    mutating func runCommand(_ line: Span<UInt8>, at now: Int64, into sink: some SessionSink) -> Bool {
        if hasTooManyErrors {
            guard awaited.isEmpty else { return false }
            end(Replies.tooManyErrors, into: sink)
            return true
        }
        guard hasServed(at: now) else { return false }
        let verb = Command.verb(of: line)
        guard command(verb, line, at: now, into: sink) else { return false }
        penalty = .none
        countJunk(verb, at: now, into: sink)
        return true
    }

    private mutating func hasServed(at now: Int64) -> Bool {
        switch penalty {
        case .served: return true
        case .waiting(let until):
            guard now >= until else { return false }
            penalty = .served
            return true
        case .none:
            guard limits.softErrors > 0, errors >= limits.softErrors, limits.errorSleep > 0 else { return true }
            penalty = .waiting(until: now + limits.errorSleep)
            expectClient(at: now + limits.errorSleep)           // this time is not the client's
            return false
        }
    }

    /// NOOP and its like, beyond their limit.
    private mutating func countJunk(_ verb: Verb, at now: Int64, into sink: some SessionSink) {
        switch verb {
        case .ehlo, .helo, .rset, .noop, .vrfy, .expn, .etrn, .help: junkCommands += 1
        default: return
        }
        // One more than the limit, as smtpd(8) counts: with 1, under stress, EHLO has to be free before and after STARTTLS.
        guard limits.junkCommands > 0, junkCommands > limits.junkCommands + 1 else { return }
        errors += 1
        if hasTooManyErrors, !isOver { endBehindReplies(into: sink) }
    }

    private var isOver: Bool {
        if case .closed = input { true } else { false }
    }

    /// 421 in its place behind the replies that are due.
    mutating func endBehindReplies(into sink: some SessionSink) {
        answer(Replies.tooManyErrors, into: sink)
        if awaited.isEmpty { return close(into: sink) }
        input = .closed
        endsWhenAnswered = true
    }

    /// A further recipient than there may be: no error of the client's at first (RFC 5321 §4.5.3.1.10).
    mutating func putOff(_ transaction: MailTransaction, at now: Int64, into sink: some SessionSink) {
        transaction.overshoot += 1
        if limits.recipientOvershoot > 0, transaction.overshoot > limits.recipientOvershoot {
            refuse(Replies.tooManyRecipients, at: now, into: sink)
        } else {
            answer(Replies.tooManyRecipients, into: sink)
        }
    }

    /// Mail was delivered: the client is as good as new.
    mutating func forgiveErrors() { (errors, junkCommands) = (0, 0) }
}
