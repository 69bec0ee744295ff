// What the fields of a block say about the mail that they belong to.

extension HeaderBlock {
    /// None of the fields that a mail gets when it is written or carried: a wrapping only.
    var isBare: Bool {
        messageIDs.isEmpty && resentIDs.isEmpty && keptIDs.isEmpty && !names.contains(.from) && !names.contains(.date)
            && !names.contains(.received) && !names.contains(.to) && !names.contains(.returnPath) && !names.contains(.messageID)
    }

    /// The fields that tell a header section from a list of details in a text.
    var looksReturned: Bool { !messageIDs.isEmpty || names.contains(.received) }

    /// The mail may be a bounce: one with the null sender, or from a mail system. What it returns, if anything, comes first.
    var mayBeBounce: Bool {
        if looksLikeBounce || ASCII.equal(body(of: .returnPath) ?? [], "<>") { return true }
        return Phrases.daemons.isFound(in: (body(of: .from) ?? []).map(ASCII.lowercase))
    }

    /// The mail is a bounce itself, so what it returns counts, not it.
    var looksLikeBounce: Bool {
        if names.contains(.failedRecipients) { return true }
        if let type = body(of: .contentType).map(ContentType.init), type.isReport,
           type.reportType.isEmpty || ASCII.equal(type.reportType, "delivery-status") { return true }
        if let sender = body(of: .from).map(ASCII.lowercased) {
            if HeaderBlock.daemon.isFound(in: sender) { return true }
            if Phrases.daemons.isFound(in: sender), hasFailedSubject { return true }
        }
        return ASCII.equal(body(of: .returnPath) ?? [], "<>") && hasFailedSubject
    }

    var hasFailedSubject: Bool { Phrases.failedSubjects.isFound(in: (body(of: .subject) ?? []).map(ASCII.lowercase)) }

    private static let daemon = PhraseSet(["mailer-daemon", "mail delivery sub", "mail delivery system"])
}
