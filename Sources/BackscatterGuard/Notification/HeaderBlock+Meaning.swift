// What the fields of a block say about the mail that they belong to.

extension HeaderBlock {
    /// None of the fields that a mail gets when it is written or carried: a wrapping only.
    var isBare: Bool {
        messageIDs.isEmpty && resentIDs.isEmpty && keptIDs.isEmpty && !names.contains(.from) && !names.contains(.date)
            && !names.contains(.received) && !names.contains(.to) && !names.contains(.returnPath) && !names.contains(.messageID)
    }

    /// The fields that tell a header section from a list of details in a text.
    var looksReturned: Bool { !messageIDs.isEmpty || names.contains(.received) }

    /// What the Content-Type field says.
    var contentType: ContentType { reading(.contentType, ContentType.init) ?? ContentType() }

    /// The mail may be a bounce: one with the null sender, from a mail system, or one whose subject says so and that answers
    /// nothing. What it returns, if anything, comes first; its own id counts as well.
    func mayBeBounce(_ type: ContentType) -> Bool {
        isMarkedAsBounce(type) || hasNullSender || isFromDaemon || (hasFailedSubject && referenceIDs.isEmpty)
    }

    /// The mail is a bounce itself, so what it returns counts, not it.
    func looksLikeBounce(_ type: ContentType) -> Bool {
        if isMarkedAsBounce(type) { return true }
        if isFromDaemon { return has(.from, HeaderBlock.daemon.isFound) || hasFailedSubject }
        return hasNullSender && hasFailedSubject
    }

    private func isMarkedAsBounce(_ type: ContentType) -> Bool {
        names.contains(.failedRecipients) || type.report == .unnamed || type.report == .deliveryStatus
    }

    var isFromDaemon: Bool { says(.from, Phrases.daemons.isFound) }

    var hasFailedSubject: Bool { says(.subject, Phrases.failedSubjects.isFound) }

    /// Whether the words of a field that people read, as it stands or with its encoded words decoded, hold what is asked for.
    func says(_ name: FieldName, _ holds: (Span<UInt8>) -> Bool) -> Bool {
        has(name) { body in
            if holds(body) { return true }
            guard EncodedWords.mayStand(in: body) else { return false }
            return holds(EncodedWords.decoded(body).span)
        }
    }

    private var hasNullSender: Bool { has(.returnPath) { $0.count == 2 && $0[0] == ASCII.less && $0[1] == ASCII.greater } }

    /// The most certain of `Phrases.daemons`.
    private static let daemon = PhraseSet(["mailer-daemon", "mail delivery sub", "mail delivery system"])
}
