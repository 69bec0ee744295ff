// One message that a milter session looks at: from MAIL to the reply to its end. Mail that is of no interest has none.

/// MAIL's address as the MTA and guardd understand it.
struct MilterSender {
    /// As it was said, without brackets.
    let octets: Octets
    let isNull: Bool
    /// nil for a spelling that MTAs read differently: judged as the null reverse-path (THREATS 2.2).
    let path: ReversePath?

    /// - Parameter argument: of MAIL, with or without brackets.
    /// - Parameter understood: `{mail_addr}`: what the MTA makes of it; nil if it does not tell.
    init(_ argument: Span<UInt8>, understood: Octets?) {
        octets = MilterSender.withoutBrackets(argument)
        let understoodPath = understood.flatMap(ReversePath.init)
        path = ReversePath(octets) ?? understoodPath
        isNull = octets.isEmpty || understood?.isEmpty == true
    }

    /// `<a@b>` and `a@b` are one: local mail comes without them.
    static func withoutBrackets(_ text: Span<UInt8>) -> Octets {
        let isBracketed = text.count >= 2 && text[0] == ASCII.less && text[text.count - 1] == ASCII.greater
        return isBracketed ? text.extracting(1..<(text.count - 1)).copied() : text.copied()
    }
}

/// What a milter session remembers of the message that is being sent.
final class MilterMessage {
    /// For the log line.
    static let shownRecipients = 10
    /// Octets of all recipients that are kept, with 64 more for each.
    static let keptLimit = 262_144

    let number: Int
    let sender: MilterSender
    let isOutgoing: Bool
    /// The first recipients.
    var shown: [Octets] = []
    var recipientCount = 0
    var keptOctets = 0
    /// Outgoing: recipients that are not in a record yet.
    var paths: [Octets] = []
    /// Notification: all of them.
    var recipients: [ForwardPath] = []
    /// Notification: how its recipients are treated; set by the first.
    var treatment: Treatment?

    /// A header field or the body has come.
    var hasContent = false
    var hasBody = false
    /// The rest of the body does not come.
    var isSkipping = false
    var size = 0
    /// Outgoing: finds the Message-IDs.
    var headers = SentHeaderReader()
    /// Notification: finds the evidence.
    var reader = NotificationReader()
    var queueID: Octets?

    /// The record of its ids has been asked for.
    var isRecorded = false
    var recordsAwaited = 0
    var recordHasFailed = false
    var inquiry: Inquiry?
    var judgement: Judgement?
    var evidence: Evidence?

    init(number: Int, sender: MilterSender, isOutgoing: Bool) {
        self.number = number
        self.sender = sender
        self.isOutgoing = isOutgoing
    }

    /// Its content has to be read. What is outgoing has its headers read only.
    var isJudged: Bool { !isOutgoing && treatment?.isJudged == true }

    /// A further recipient may be kept.
    func hasRoom(for path: Octets) -> Bool { keptOctets + path.count + 64 <= MilterMessage.keptLimit }

    func keep(_ path: Octets) {
        recipientCount += 1
        keptOctets += path.count + 64
        if shown.count < MilterMessage.shownRecipients { shown.append(path) }
    }
}
