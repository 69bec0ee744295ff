// Whom a stored message was for. The envelope is gone, so the fields that delivering MTAs write are asked, and To at last.

/// A recipient read from a file's outer header section, or named by the administrator.
public struct InspectionRecipient: Sendable, Equatable {
    /// Without `<>`.
    public var octets: Octets
    /// "Delivered-To", "--recipient".
    public var origin: String

    var isPostmaster: Bool { ForwardPath(octets).map { ASCII.equal($0.localPart, "postmaster") } ?? false }

    /// The field that tells the address at the door best comes first: Postfix's X-Original-To and Exim's Envelope-to are
    /// what RCPT said, Delivered-To is what an alias made of it, To is what the sender wrote.
    private static let fields: [(name: StaticString, origin: String)] = [
        ("x-original-to", "X-Original-To"), ("envelope-to", "Envelope-To"), ("delivered-to", "Delivered-To"), ("to", "To"),
    ]

    /// - Parameter content: the beginning of a message; lines end in LF or CRLF.
    /// - Returns: nil when no field of its header section holds an address.
    static func find(in content: Octets) -> InspectionRecipient? {
        var best: (rank: Int, address: Octets)?
        for field in headerFields(content.span) {
            let name = content[field.lowerBound..<(content[field].firstIndex(of: ASCII.colon) ?? field.upperBound)]
            guard let rank = fields.firstIndex(where: { ASCII.equal(name, $0.name) }), rank < best?.rank ?? .max else { continue }
            guard let address = AddressScanner.addresses(in: content.span.extracting((name.endIndex + 1)..<max(name.endIndex + 1, field.upperBound)), atMost: 1).first else { continue }
            best = (rank, address)
        }
        return best.map { InspectionRecipient(octets: $0.address, origin: fields[$0.rank].origin) }
    }

    /// Ranges of the fields, folded lines included, up to the empty line.
    private static func headerFields(_ content: Span<UInt8>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var start = 0
        while start < content.count {
            let end = content.firstIndex(of: ASCII.lf, from: start) ?? content.count
            if end == start || end == start + 1 && content[start] == ASCII.cr { break }
            if ASCII.isBlank(content[start]), let last = fields.popLast() {
                fields.append(last.lowerBound..<end)
            } else {
                fields.append(start..<end)
            }
            start = end + 1
        }
        return fields
    }
}
