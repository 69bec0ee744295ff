// What the proxy and the milter have in common when they judge a notification: one question, one set of answers. So a
// forged bounce hears the same words whichever way it came.

extension Inquiry {
    /// The question that decides about a notification which was read to its end, or far enough.
    init(about evidence: Evidence, to recipients: [ForwardPath], countsReturn: Bool) {
        self.init(
            ids: evidence.originalMessageIDs, references: evidence.referenceIDs, recipients: recipients.map(\.octets),
            failedRecipients: evidence.failedRecipients, countsReturn: countsReturn && evidence.kind == .bounce
        )
    }
}

extension SessionSettings {
    /// What the client hears instead of a 250; nil for what is delivered.
    func refusal(_ judgement: Judgement) -> Octets? {
        switch judgement.verdict {
        case .deliver, .mark, .divert: nil
        case .refuse: Replies.refusal(judgement, tail: refusalTail)
        case .defer: Replies.deferred
        }
    }

    /// What action `mark` puts before the content: name and body of a field; nil for other verdicts.
    func mark(_ judgement: Judgement) -> (name: Octets, body: Octets)? {
        guard judgement.verdict == .mark else { return nil }
        return (Octets("X-Guardd-Verdict".utf8), Octets("\(hostname); verdict=mark; reason=\(judgement.reason.rawValue)".utf8))
    }

    /// What is recorded of an outgoing mail.
    func entry(ids: [MessageID], reversePath: Octets, forwardPaths: [Octets], queueID: Octets? = nil) -> SentEntry {
        SentEntry(ids: ids, queueID: queueID, reversePath: reversePath, forwardPaths: forwardPaths, keepsPairs: ids.isEmpty || recordPairs == .always)
    }
}
