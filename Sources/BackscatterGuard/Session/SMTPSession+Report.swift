// The log line of a transaction.

extension SMTPSession {
    func report(_ transaction: MailTransaction, reply: Octets?, into sink: some SessionSink) {
        sink.report(.transaction(TransactionSummary(
            session: number, client: client, reversePath: transaction.reversePath.octets,
            forwardPaths: transaction.recipients.lazy.filter { $0.reply == .accepted }.prefix(MailTransaction.keptRecipients).map(\.path.octets),
            recipientCount: transaction.recipientsAccepted, isOutgoing: transaction.isOutgoing, size: transaction.contentOctets,
            judgement: transaction.hold?.judgement, evidence: transaction.hold?.evidence, reply: reply
        )))
    }
}
