// What the MTA tells a milter. One packet is one command: a letter and its data, in which texts end in NUL. Reading is
// strict: data of another shape than libmilter's is malformed, and the connection is closed for it, because what is
// behind it can't be trusted to be in step.
//
// Source: libmilter mfdef.h (Sendmail 8.17), protocol version 6.

/// The letters of the commands, SMFIC_…
public enum MilterCommand: UInt8, Sendable, CaseIterable {
    case abort = 0x41               // A  SMFIC_ABORT
    case body = 0x42                // B  SMFIC_BODY
    case connect = 0x43             // C  SMFIC_CONNECT
    case macro = 0x44               // D  SMFIC_MACRO
    case endOfMessage = 0x45        // E  SMFIC_BODYEOB
    case helo = 0x48                // H  SMFIC_HELO
    case quitNewConnection = 0x4B   // K  SMFIC_QUIT_NC
    case header = 0x4C              // L  SMFIC_HEADER
    case mail = 0x4D                // M  SMFIC_MAIL
    case endOfHeader = 0x4E         // N  SMFIC_EOH
    case negotiate = 0x4F           // O  SMFIC_OPTNEG
    case quit = 0x51                // Q  SMFIC_QUIT
    case rcpt = 0x52                // R  SMFIC_RCPT
    case data = 0x54                // T  SMFIC_DATA
    case unknown = 0x55             // U  SMFIC_UNKNOWN
}

/// Reads the data of commands. Ranges are indices into the data: nothing is copied.
public enum MilterData {
    /// The texts that the data consists of: MAIL's and RCPT's address and ESMTP parameters, a header field's name and body,
    /// names and values of macros.
    ///
    /// - Parameter start: where the first begins: 0...count.
    /// - Parameter limit: further ones are not given.
    /// - Returns: nil unless the data ends with the NUL of its last text.
    public static func texts(_ data: Span<UInt8>, from start: Int = 0, atMost limit: Int = 64) -> [Range<Int>]? {
        guard start < data.count else { return start == data.count ? [] : nil }
        guard data[data.count - 1] == 0 else { return nil }
        var texts: [Range<Int>] = []
        var index = start
        while index < data.count, texts.count < limit {
            let end = data.firstIndex(of: 0, from: index) ?? data.count
            texts.append(index..<end)
            index = end + 1
        }
        return texts
    }
}

/// SMFIC_CONNECT: who the MTA's client is.
public struct MilterConnect: Sendable, Equatable {
    /// SMFIA_…
    public enum Family: UInt8, Sendable {
        case unknown = 0x55         // U
        case unix = 0x4C            // L
        case inet = 0x34            // 4
        case inet6 = 0x36           // 6
    }

    public var family: Family
    /// 0 where the MTA knows none.
    public var port: UInt16
    /// Text of the address, or the path of a Unix socket; empty for an unknown family.
    public var address: Octets

    /// - Returns: nil when the data has another shape.
    public init?(_ data: Span<UInt8>) {
        // The host name is not used: it is what the DNS said of a stranger.
        guard let nameEnd = data.firstIndex(of: 0), nameEnd + 1 < data.count, let family = Family(rawValue: data[nameEnd + 1]) else { return nil }
        self.family = family
        port = 0
        address = []
        let rest = nameEnd + 2
        if family == .unknown { return }
        guard rest + 2 < data.count, let end = data.firstIndex(of: 0, from: rest + 2), end == data.count - 1 else { return nil }
        port = UInt16(data[rest]) << 8 | UInt16(data[rest + 1])
        address = data.extracting((rest + 2)..<end).copied()
    }
}
