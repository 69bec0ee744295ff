// What a milter answers. DISCARD is not among them: nothing is accepted and then thrown away.
//
// Source: libmilter mfdef.h, smfi_setreply, smfi_insheader; Postfix milter8.c for what it makes of them.

/// An answer to the MTA, SMFIR_…
public enum MilterResponse: Sendable, Equatable {
    /// SMFIR_ACCEPT: the rest of this message is of no interest.
    case accept
    /// SMFIR_CONTINUE
    case `continue`
    /// SMFIR_TEMPFAIL: the MTA's own 451.
    case temporaryFailure
    /// SMFIR_SKIP: no more of these; to a body chunk only.
    case skip
    /// SMFIR_PROGRESS: still at it; the MTA's patience begins anew.
    case progress
    /// SMFIR_REPLYCODE, of a reply as SMTP has it: 4xx or 5xx, one line or several, each with CRLF.
    case reply(Octets)
    /// SMFIR_INSHEADER before all other fields.
    case insertHeader(name: Octets, body: Octets)
    /// SMFIR_ADDHEADER, for MTAs older than that.
    case addHeader(name: Octets, body: Octets)
    /// SMFIC_OPTNEG, and the macros that are wanted (SMFIF_SETSYMLIST) where the MTA lets us choose.
    case negotiate(MilterOptions, macros: [(MilterStage, StaticString)])

    /// Appends the packet.
    public func append(to octets: inout Octets) {
        let start = octets.count
        octets += [0, 0, 0, 0]
        switch self {
        case .accept: octets.append(0x61)
        case .continue: octets.append(0x63)
        case .temporaryFailure: octets.append(0x74)
        case .skip: octets.append(0x73)
        case .progress: octets.append(0x70)
        case .reply(let reply): MilterResponse.append(reply: reply, to: &octets)
        case .insertHeader(let name, let body):
            octets += [0x69, 0, 0, 0, 0]
            octets += name + [0] + body + [0]
        case .addHeader(let name, let body):
            octets.append(0x68)
            octets += name + [0] + body + [0]
        case .negotiate(let options, let macros):
            octets.append(MilterCommand.negotiate.rawValue)
            for number in [options.version, options.actions.rawValue, options.steps.rawValue] { octets += MilterResponse.octets(number) }
            guard options.actions.contains(.setSymbolList) else { break }
            for (stage, names) in macros {
                octets += MilterResponse.octets(stage.rawValue)
                names.withUTF8Buffer { unsafe octets.append(contentsOf: $0) }
                octets.append(0)
            }
        }
        let length = MilterResponse.octets(UInt32(truncatingIfNeeded: octets.count - start - 4))
        octets.replaceSubrange(start..<(start + 4), with: length)
    }

    /// Lines end in CRLF but for the last. `%` is doubled: Sendmail takes the text for a format (smfi_setreply), and
    /// Postfix takes one of the two away.
    private static func append(reply: Octets, to octets: inout Octets) {
        octets.append(0x79)
        var end = reply.count
        while end > 0, reply[end - 1] == ASCII.lf || reply[end - 1] == ASCII.cr { end -= 1 }
        for octet in reply[..<end] where octet != 0 {
            if octet == 0x25 { octets.append(0x25) }
            octets.append(octet)
        }
        octets.append(0)
    }

    private static func octets(_ number: UInt32) -> Octets {
        [UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    public static func == (one: MilterResponse, other: MilterResponse) -> Bool {
        var (left, right): (Octets, Octets) = ([], [])
        one.append(to: &left)
        other.append(to: &right)
        return left == right
    }
}
