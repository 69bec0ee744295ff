// The log line of a transaction.

extension SMTPSession {
    /// A transaction ends before its content: worth a line when upstream refused something.
    mutating func abandonTransaction(into sink: some SessionSink) {
        if let transaction, let refusal = transaction.refusal { report(transaction, reply: refusal, into: sink) }
        transaction = nil
    }

    func report(_ transaction: MailTransaction, reply: Octets?, into sink: some SessionSink) {
        sink.report(.transaction(TransactionSummary(
            session: number, client: client, reversePath: transaction.reversePath.octets,
            forwardPaths: transaction.recipients.lazy.filter { $0.reply == .accepted }.prefix(MailTransaction.keptRecipients).map(\.path.octets),
            recipientCount: transaction.recipientsAccepted, isOutgoing: transaction.isOutgoing, size: transaction.contentOctets,
            judgement: transaction.hold?.judgement, evidence: transaction.hold?.evidence, reply: reply
        )))
    }
}
