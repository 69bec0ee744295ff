// The macros that tell where a mail comes from. Of all that an MTA may send only these are kept, each bounded; a stage's
// macros replace those that it sent before, as libmilter does.
//
// Source: libmilter smfi_getsymval; Postfix MILTER_README, "Send email message headers"; Sendmail doc/op, "macros".

/// What SMFIC_MACRO has said so far on a connection.
public struct MilterMacros: Sendable, Equatable {
    /// Longer values are cut: no address or name that counts is longer.
    public static let longestValue = 1024

    // From the connection on.
    /// `{daemon_name}`
    public private(set) var daemonName: Octets?
    /// `{daemon_port}`
    public private(set) var daemonPort: Octets?

    // From MAIL on.
    /// `{auth_authen}`: the user that has authenticated.
    public private(set) var authenticated: Octets?
    /// `{mail_addr}`: the sender as the MTA understands it; empty for `<>`.
    public private(set) var mailAddress: Octets?

    // For one recipient.
    /// `{rcpt_mailer}`: "error" for one that the MTA refuses.
    public private(set) var recipientMailer: Octets?

    // For one message.
    /// `i`: with Sendmail and local mail known from MAIL on, with Postfix's SMTP server from DATA on.
    public private(set) var queueID: Octets?

    public init() {}

    /// What is wanted of an MTA that lets us choose, by stage.
    public static let wanted: [(MilterStage, StaticString)] = [
        (.connect, "{daemon_name} {daemon_port}"), (.helo, ""), (.mail, "i {auth_authen} {mail_addr}"), (.rcpt, "{rcpt_mailer}"),
        (.data, ""), (.endOfMessage, "i"), (.endOfHeader, ""),
    ]

    /// Reads SMFIC_MACRO: the command that the macros belong to, then names and values.
    ///
    /// - Returns: false when the data has another shape.
    public mutating func read(_ data: Span<UInt8>) -> Bool {
        guard let command = data.octet(at: 0), let texts = MilterData.texts(data, from: 1, atMost: 256), texts.count % 2 == 0 else { return false }
        begin(MilterCommand(rawValue: command))
        for index in stride(from: 0, to: texts.count, by: 2) { set(data, texts[index], texts[index + 1]) }
        return true
    }

    /// A stage tells all of its macros at once.
    private mutating func begin(_ command: MilterCommand?) {
        switch command {
        case .connect: (daemonName, daemonPort) = (nil, nil)
        case .mail: (authenticated, mailAddress, queueID, recipientMailer) = (nil, nil, nil, nil)
        case .rcpt: recipientMailer = nil
        default: break
        }
    }

    private mutating func set(_ data: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>) {
        let text = data.extracting(value.prefix(MilterMacros.longestValue)).copied()
        // Names of one letter come without braces, longer ones with them.
        if data.spells("i", in: name) || data.spells("{i}", in: name) { queueID = text }
        if data.spells("{daemon_name}", in: name) { daemonName = text }
        if data.spells("{daemon_port}", in: name) { daemonPort = text }
        if data.spells("{auth_authen}", in: name) { authenticated = text }
        if data.spells("{mail_addr}", in: name) { mailAddress = text }
        if data.spells("{rcpt_mailer}", in: name) { recipientMailer = text }
    }

    /// The next recipient may come without macros of its own.
    public mutating func endRecipient() { recipientMailer = nil }

    /// Likewise the next message.
    public mutating func endMessage() {
        (authenticated, mailAddress, queueID, recipientMailer) = (nil, nil, nil, nil)
    }

    public mutating func endConnection() { self = MilterMacros() }
}
