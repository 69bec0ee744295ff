// The negotiation that opens a milter connection: the MTA says what it can do, the milter answers what of it is wanted.
// Every bit of the answer was offered; so older MTAs, which know fewer, are served as well.
//
// Source: libmilter mfdef.h, mfapi.h; Postfix milter(5) options `milter_protocol`.

/// What a milter may ask of the MTA at the end of a message, SMFIF_…
public struct MilterActions: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let addHeaders = MilterActions(rawValue: 0x01)        // SMFIF_ADDHDRS
    public static let setSymbolList = MilterActions(rawValue: 0x100)    // SMFIF_SETSYMLIST
}

/// Steps of the protocol that are left out, or done otherwise, SMFIP_…
public struct MilterSteps: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let noConnect = MilterSteps(rawValue: 0x01)
    public static let noHelo = MilterSteps(rawValue: 0x02)
    public static let noMail = MilterSteps(rawValue: 0x04)
    public static let noRcpt = MilterSteps(rawValue: 0x08)
    public static let noBody = MilterSteps(rawValue: 0x10)
    public static let noHeaders = MilterSteps(rawValue: 0x20)
    public static let noEndOfHeader = MilterSteps(rawValue: 0x40)
    public static let noReplyHeader = MilterSteps(rawValue: 0x80)       // SMFIP_NR_HDR
    public static let noUnknown = MilterSteps(rawValue: 0x100)
    public static let noData = MilterSteps(rawValue: 0x200)
    /// The MTA takes SMFIR_SKIP for an answer.
    public static let skip = MilterSteps(rawValue: 0x400)
    public static let rejectedRcpt = MilterSteps(rawValue: 0x800)       // SMFIP_RCPT_REJ
    public static let noReplyConnect = MilterSteps(rawValue: 0x1000)
    public static let noReplyHelo = MilterSteps(rawValue: 0x2000)
    public static let noReplyMail = MilterSteps(rawValue: 0x4000)
    public static let noReplyRcpt = MilterSteps(rawValue: 0x8000)
    public static let noReplyData = MilterSteps(rawValue: 0x10000)
    public static let noReplyUnknown = MilterSteps(rawValue: 0x20000)
    public static let noReplyEndOfHeader = MilterSteps(rawValue: 0x40000)
    public static let noReplyBody = MilterSteps(rawValue: 0x80000)
    /// Header bodies come, and go, with the blank behind the colon.
    public static let leadingSpace = MilterSteps(rawValue: 0x100000)    // SMFIP_HDR_LEADSPC
}

/// SMFIC_OPTNEG, of either side.
public struct MilterOptions: Sendable, Equatable {
    /// What every MTA speaks that has milters.
    public static let oldestVersion: UInt32 = 2
    public static let newestVersion: UInt32 = 6

    public var version: UInt32
    public var actions: MilterActions
    public var steps: MilterSteps

    public init(version: UInt32, actions: MilterActions, steps: MilterSteps) {
        self.version = version
        self.actions = actions
        self.steps = steps
    }

    /// - Returns: nil when the data is too short. What is behind the three numbers is not looked at.
    public init?(_ data: Span<UInt8>) {
        guard data.count >= 12 else { return nil }
        func number(_ start: Int) -> UInt32 { (start..<(start + 4)).reduce(0) { $0 << 8 | UInt32(data[$1]) } }
        self.init(version: number(0), actions: MilterActions(rawValue: number(4)), steps: MilterSteps(rawValue: number(8)))
    }

    /// The answer to an offer, for a milter that wants connect, MAIL, RCPT, header fields, body and the end of message, and
    /// nothing else.
    ///
    /// A step that isn't wanted is left out, or else goes on without a reply. Connect and header fields need no reply. MAIL
    /// gets one, because most mail ends there; RCPT, because a recipient may be put off; body chunks, because of `skip`.
    ///
    /// - Returns: nil for a version that isn't spoken here.
    public static func answer(to offer: MilterOptions) -> MilterOptions? {
        guard offer.version >= oldestVersion else { return nil }
        var agreed = offer.steps.intersection([.noReplyConnect, .noReplyHeader, .skip, .leadingSpace])
        let unwanted: [(MilterSteps, MilterSteps)] = [
            (.noHelo, .noReplyHelo), (.noData, .noReplyData), (.noUnknown, .noReplyUnknown), (.noEndOfHeader, .noReplyEndOfHeader),
        ]
        for (step, reply) in unwanted { agreed.formUnion(offer.steps.contains(step) ? step : reply.intersection(offer.steps)) }
        let actions = offer.actions.intersection([.addHeaders, .setSymbolList])
        return MilterOptions(version: min(offer.version, newestVersion), actions: actions, steps: agreed)
    }
}

/// Where in the protocol macros are sent, SMFIM_…
public enum MilterStage: UInt32, Sendable {
    case connect = 0, helo, mail, rcpt, data, endOfMessage, endOfHeader
}
