// Cuts the MTA's octets into packets: four octets of length in network order, then that many octets, the first of which is
// the command. A packet that lies whole in the caller's span is not copied; one that comes in pieces is carried, at most
// `limit` octets of it. A length of 0, or above the limit, is malformed: nothing behind it can be found any more.

/// Finds packets in octets that arrive in any division.
public struct MilterPacketScanner: Sendable {
    /// The largest packet that any version of the protocol knows (SMFIP_MDS_1M), with its command.
    ///
    /// Body chunks have at most 65535 octets; a header field of Postfix as many as its header_size_limit.
    public static let limit = 1 << 20

    public enum Step: Sendable, Equatable {
        /// The packet's data lies in the span at `data`; go on at `next`.
        case inSpan(command: UInt8, data: Range<Int>, next: Int)
        /// The packet's data is what `takeCarried` gives; go on at `next`.
        case inCarry(command: UInt8, next: Int)
        /// The span is used up; its last octets were carried.
        case needsMore
        case malformed
    }

    /// Of a packet that is not whole yet: length and what is there of it.
    private var carried: Octets = []

    public init() {}

    /// Part of a packet is here.
    public var isWithinPacket: Bool { !carried.isEmpty }

    public mutating func step(_ span: Span<UInt8>, from start: Int) -> Step {
        if carried.isEmpty {
            guard span.count - start >= 4 else { return carry(span, start..<span.count) }
            let length = MilterPacketScanner.length(span, at: start)
            guard (1...MilterPacketScanner.limit).contains(length) else { return .malformed }
            let end = start + 4 + length
            guard end <= span.count else { return carry(span, start..<span.count) }
            return .inSpan(command: span[start + 4], data: (start + 5)..<end, next: end)
        }
        return complete(span, from: start)
    }

    private mutating func complete(_ span: Span<UInt8>, from start: Int) -> Step {
        var index = start
        if carried.count < 4 {
            let end = min(span.count, index + 4 - carried.count)
            carried.append(span.extracting(index..<end))
            index = end
            guard carried.count == 4 else { return .needsMore }
        }
        let length = MilterPacketScanner.length(carried.span, at: 0)
        guard (1...MilterPacketScanner.limit).contains(length) else { return .malformed }
        let end = min(span.count, index + 4 + length - carried.count)
        carried.append(span.extracting(index..<end))
        guard carried.count == 4 + length else { return .needsMore }
        return .inCarry(command: carried[4], next: end)
    }

    private mutating func carry(_ span: Span<UInt8>, _ range: Range<Int>) -> Step {
        if !range.isEmpty {
            // Where the length is there it is judged now: nothing is kept for a packet that will be refused.
            if range.count >= 4 {
                let length = MilterPacketScanner.length(span, at: range.lowerBound)
                guard (1...MilterPacketScanner.limit).contains(length) else { return .malformed }
            }
            carried.append(span.extracting(range))
        }
        return .needsMore
    }

    /// The carried packet: its data begins at index 5. To be called once after `inCarry`.
    public mutating func takeCarried() -> Octets {
        var taken: Octets = []
        swap(&taken, &carried)
        return taken
    }
    /// Where the data begins in what `takeCarried` gives.
    public static let carriedDataStart = 5

    private static func length(_ span: Span<UInt8>, at index: Int) -> Int {
        Int(span[index]) << 24 | Int(span[index + 1]) << 16 | Int(span[index + 2]) << 8 | Int(span[index + 3])
    }
}
