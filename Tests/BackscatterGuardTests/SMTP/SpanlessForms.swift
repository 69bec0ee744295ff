// Swift Testing's macros can't hold a Span in their expansion; these take the octets that tests have.

@testable import BackscatterGuard

extension Command {
    static func verb(of line: Octets) -> Verb { verb(of: line.span) }
    static func arguments(of line: Octets) -> Range<Int> { arguments(of: line.span) }
}

extension MailArguments {
    init?(_ line: Octets) { self.init(line.span) }
}

extension RcptArguments {
    init?(_ line: Octets) { self.init(line.span) }
}

extension ReversePath {
    init?(line: Octets) {
        guard let arguments = MailArguments(line.span) else { return nil }
        self.init(arguments, of: line.span)
    }
}

extension ChunkSize {
    static func parse(_ line: Octets) -> (size: Int, isLast: Bool)? { parse(line.span) }
}

extension ReplyScanner {
    mutating func scan(_ octets: Octets, from start: Int = 0) -> Step { scan(octets.span, from: start) }
}

extension ContentScanner {
    mutating func scan(_ octets: Octets, from start: Int = 0) -> Finding { scan(octets.span, from: start) }
}

extension Keywords {
    init(reply: Octets) { self.init(reply: reply.span) }
}
