// The end of a transaction and its log line (THREATS R24). Every transaction gets one, however it ended; one that never
// got beyond its envelope (a callout, a RSET, recipients that were all refused) is called so.

extension SMTPSession {
    /// The transaction is over: what it holds is given back, and its line is written.
    ///
    /// - Parameter reply: what the client is told of its content; nil when it isn't told anything.
    mutating func endTransaction(_ reply: Octets?, into sink: some SessionSink) {
        guard let transaction else { return }
        endHold(into: sink)
        self.transaction = nil
        if reply?.first == UInt8(ascii: "2") { forgiveErrors() }
        forgetForwarded()
        sink.report(.transaction(summary(of: transaction, reply: reply ?? transaction.dataRefusal ?? refusal(of: transaction))))
    }

    /// Why it never got to its content: none of its recipients was taken.
    private func refusal(of transaction: MailTransaction) -> Octets? {
        transaction.recipientsAccepted == 0 ? transaction.recipientRefusal : nil
    }

    private func summary(of transaction: MailTransaction, reply: Octets?) -> TransactionSummary {
        TransactionSummary(
            session: number, client: transaction.forwardedClient ?? client, tls: tls, reversePath: transaction.reversePath.octets,
            forwardPaths: acceptedPaths(of: transaction),
            recipientCount: transaction.recipientsAccepted, isOutgoing: transaction.isOutgoing, hasContent: transaction.hasContent,
            size: transaction.contentOctets, judgement: transaction.hold?.judgement ?? settled(transaction),
            evidence: transaction.hold?.evidence, reply: reply
        )
    }

    /// The first of them: a loop, because it runs for every mail.
    private func acceptedPaths(of transaction: MailTransaction) -> [Octets] {
        var paths: [Octets] = []
        for recipient in transaction.recipients where recipient.reply == .accepted {
            guard paths.count < MailTransaction.keptRecipients else { break }
            paths.append(recipient.path.octets)
        }
        return paths
    }

    /// What is certain from the recipient alone, where nothing is judged: `tagged`.
    private func settled(_ transaction: MailTransaction) -> Judgement? {
        guard transaction.hasContent, let treatment = transaction.treatment, !treatment.isJudged else { return nil }
        return treatment.settled.map { Judgement(verdict: .deliver, reason: $0) }
    }
}
