// What a message from the null sender is. Only a bounce can be backscatter; the others pass untouched.

/// The kinds that are told apart, named as `guardd inspect --json` prints them.
public enum NotificationKind: String, Sendable, CaseIterable {
    /// Returns a mail, or says that one was not, late or indeed delivered: RFC 3464, or a text of an older MTA.
    case bounce
    /// Read receipt: RFC 8098.
    case mdn
    /// Answers a mail by machine: RFC 3834.
    case autoReply = "auto-reply"
    /// Complaint of a recipient: RFC 5965.
    case feedbackReport = "feedback-report"
    /// Anything else, also an ordinary mail with a mail attached.
    case other
}
