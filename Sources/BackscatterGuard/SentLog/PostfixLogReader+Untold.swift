// rsyslog's APP-NAME ends at a slash: where it is what a log tells of the program, all of Postfix's are `postfix`. Then what
// a line says tells whose it is. Its first words behind the queue id are Postfix's own: what a stranger wrote stands
// behind `reject:`, `warning:`, `host … said:` and the like.

extension PostfixLogReader {
    /// The program that writes such a line.
    ///
    /// - Parameter body: behind the queue id.
    static func program(writing text: Span<UInt8>, at body: Int) -> Program {
        if text.isWord("client=", at: body) { return .smtpd }
        if text.isWord("uid=", at: body) { return .pickup }
        if text.isWord("message-id=", at: body) || text.isWord("resent-message-id=", at: body) { return .cleanup }
        if text.isWord("from=<", at: body) || text.isWord("removed", at: body) { return .qmgr }
        guard text.isWord("to=<", at: body), var end = text.addressEnd(from: body + 4, bracketed: true) else { return .other }
        if text.isWord(", orig_to=<", at: end + 1), let original = text.addressEnd(from: end + 12, bracketed: true) { end = original }
        return text.isWord(", relay=local,", at: end + 1) ? .local : .smtp
    }
}
