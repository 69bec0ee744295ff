// The sender of a transaction as a value that outlives its line.

/// What MAIL named: RFC 5321 4.1.1.2. Two are equal when their octets are.
public struct ReversePath: Sendable, Hashable {
    /// `<>`: RFC 5321 4.5.5.
    public static let null = ReversePath(validated: [])

    /// Without `<` and `>`, as spelled; empty for the null reverse-path.
    public let octets: Octets

    /// Keeps the path of a line that `arguments` were read from.
    public init(_ arguments: MailArguments, of line: Span<UInt8>) {
        octets = line.extracting(arguments.path).copied()
    }

    /// Reads a path without brackets, for example from a file or a configuration.
    ///
    /// - Parameter octets: empty for the null reverse-path.
    /// - Returns: nil for what `MAIL FROM:<octets>` would refuse.
    public init?(_ octets: Octets) {
        let line = Octets("MAIL FROM:<".utf8) + octets + [ASCII.greater]
        guard let arguments = MailArguments(line.span), arguments.path.count == octets.count else { return nil }
        self.octets = octets
    }

    private init(validated octets: Octets) { self.octets = octets }

    public var isNull: Bool { octets.isEmpty }

    /// `#@[]`: qmail's sender for a bounce of a bounce, to be taken as null where the upstream is qmail.
    public var isQmailDoubleBounce: Bool { ASCII.equal(octets, "#@[]") }

    /// As spelled, with its quotes; empty for the null reverse-path.
    public var localPart: Octets { separator.map { Octets(octets[..<$0]) } ?? [] }

    /// The path with its local part unquoted: `"ann"@a.example` and `ann@a.example` are one (RFC 5321 4.1.2).
    public var unquoted: Octets {
        guard octets.first == ASCII.quote, let separator else { return octets }
        return PathSyntax.unquoted(octets.span.extracting(0..<separator)) + octets[separator...]
    }

    /// Lower-cased; an address literal with its brackets; empty for the null reverse-path.
    public var domain: Octets { separator.map { ASCII.lowercased(octets[($0 + 1)...]) } ?? [] }

    /// No domain holds an `@`, so the last one is it, quotes or not.
    private var separator: Int? { octets.lastIndex(of: ASCII.at) }
}
