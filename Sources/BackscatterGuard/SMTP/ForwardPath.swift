// A recipient of a transaction as a value that outlives its line.

/// What RCPT named: RFC 5321 4.1.1.3. Two are equal when their octets are.
public struct ForwardPath: Sendable, Hashable {
    /// Without `<` and `>`, as spelled.
    public let octets: Octets
    /// The mailbox name; a quoted string stands unquoted, because `"ann"` and `ann` are one (RFC 5321 4.1.2).
    public let localPart: Octets
    /// Lower-cased, without a trailing dot; empty when there is none. Trust it only if `hasPlainDomain`.
    public let domain: Octets
    /// Whether every MTA reads the same domain; where false the recipient counts as protected (THREATS 2.2).
    public let hasPlainDomain: Bool

    /// Keeps the path of a line that `arguments` were read from.
    public init(_ arguments: RcptArguments, of line: Span<UInt8>) {
        octets = line.extracting(arguments.path).copied()
        localPart = PathSyntax.unquoted(line.extracting(arguments.localPart))
        var name = ASCII.lowercased(line.extracting(arguments.domain).copied())
        if name.last == ASCII.dot { name.removeLast() }
        domain = name
        hasPlainDomain = arguments.hasPlainDomain
    }

    /// Reads a path without brackets, for example from a file or a configuration.
    ///
    /// - Returns: nil for what `RCPT TO:<octets>` would refuse.
    public init?(_ octets: Octets) {
        let line = Octets("RCPT TO:<".utf8) + octets + [ASCII.greater]
        guard let arguments = RcptArguments(line.span), arguments.path.count == octets.count else { return nil }
        self.init(arguments, of: line.span)
    }

    /// A path that an MTA has taken though this grammar doesn't: of no plain domain.
    public init(opaque octets: Octets) {
        self.octets = octets
        (localPart, domain, hasPlainDomain) = (octets, [], false)
    }

    public static func == (left: ForwardPath, right: ForwardPath) -> Bool { left.octets == right.octets }
    public func hash(into hasher: inout Hasher) { hasher.combine(octets) }
}
