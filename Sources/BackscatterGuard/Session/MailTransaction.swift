// One mail transaction: from MAIL until the reply to the end of content. RFC 5321 §3.3.

/// What a session remembers of the mail that is being sent. Lives as long as the transaction.
final class MailTransaction {
    /// Recipients whose addresses are kept for the log line of ordinary mail; the rest is counted.
    static let keptRecipients = 10
    /// Octets of all RCPT lines that are kept, with 64 more for each: room for a hundred of the longest.
    static let keptLimit = 262_144

    enum Reply { case awaited, accepted, refused }

    struct Recipient {
        let path: ForwardPath
        /// The RCPT line, for saying it again on a fresh connection; empty for ordinary mail.
        let line: Octets
        var reply = Reply.awaited
    }

    let reversePath: ReversePath
    /// The MAIL line without CRLF, kept for notifications only.
    let mailLine: Octets
    let isNotification: Bool
    let isOutgoing: Bool
    /// Whom XFORWARD named; nil when the mail is the session's client's own.
    var forwardedClient: PeerAddress?
    var mailReply = Reply.awaited
    var recipients: [Recipient] = []
    var recipientsAsked = 0
    var recipientsAccepted = 0
    var recipientsRefused = 0
    /// Recipients that were put off because there were too many.
    var overshoot = 0
    /// How the recipients of a notification are judged; set by the first that goes upstream.
    var treatment: Treatment?
    var keptOctets = 0
    var hasChunks = false
    /// DATA or BDAT was said: the transaction gets its log line.
    var hasContent = false
    /// What upstream answered to DATA when it refused it.
    var dataRefusal: Octets?
    /// Upstream's last refusal of a recipient, for the log line of a transaction that never got to its content.
    var recipientRefusal: Octets?
    var contentOctets = 0
    /// Outgoing mail: finds the Message-ID, then says whether its record is durable.
    var headers: SentHeaderReader?
    var record = Record.none
    /// Read along with them where a listener records only what began here.
    var received = ReceivedReader()
    /// It did not: nothing of it is recorded.
    var isForeign = false
    var hold: Hold?

    enum Record { case none, asked, durable, failed }

    init(reversePath: ReversePath, mailLine: Octets, isNotification: Bool, isOutgoing: Bool) {
        self.reversePath = reversePath
        self.mailLine = mailLine
        self.isNotification = isNotification
        self.isOutgoing = isOutgoing
    }

    /// All addresses are needed, not only some for the log.
    var keepsAllRecipients: Bool { isNotification || isRecorded }
    /// Bounces that leave from here are not mail that can bounce back.
    var isRecorded: Bool { isOutgoing && !reversePath.isNull }
    /// A further RCPT line may go up, and be kept where it must be.
    ///
    /// - Parameter limit: for recipients that were accepted or may be still; 0: none. RFC 5321 §4.5.3.1.8 asks for 100.
    func hasRoom(for line: Int, limit: Int) -> Bool {
        if limit > 0, recipientsAsked - recipientsRefused >= limit { return false }
        return !keepsAllRecipients || keptOctets + line + 64 <= MailTransaction.keptLimit
    }
    var accepted: [ForwardPath] { recipients.lazy.filter { $0.reply == .accepted }.map(\.path) }
}

/// The content of a notification that waits for its verdict.
final class Hold {
    /// Raw octets as the client sent them: with stuffed dots for DATA, opaque for BDAT.
    var octets: Octets = []
    var reader = NotificationReader()
    var unstuffer = DotUnstuffer()
    /// Original ids that have been looked up while the content still came.
    var askedIDs = 0
    /// The question that the sent log has not answered yet, and why it was put.
    var inquiry: Inquiry?
    var stage = Stage.early
    enum Stage {
        /// Is one of the ids so far known?
        case early
        /// One is: is that enough to deliver before the end?
        case confirming
        /// All content has been read.
        case final
    }
    /// This return has been counted (reason `replayed`), and how often that makes it.
    var hasCounted = false
    var timesReturned = 0
    var judgement: Judgement?
    /// What the judgement was made from.
    var evidence: Evidence?
    /// All content is here.
    var isComplete = false
    /// Released before its verdict: it streams, and only its end waits.
    var streams = false
    /// The link or the answer to DATA is awaited to let the held octets go.
    var isReleasing = false
    /// MAIL and RCPT lines to say again on a fresh connection.
    var repeats: [Octets] = []
    /// Nothing of the content has been let go.
    var isReleased: Bool { judgement != nil || streams }
}
