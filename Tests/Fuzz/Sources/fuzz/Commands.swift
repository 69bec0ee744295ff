// Target `commands`: one command line of a client. Every input is read as it is and as the arguments of MAIL, RCPT and BDAT.

@testable import BackscatterGuard

@Sendable func fuzzCommands(_ input: Octets) {
    checkLine(input)
    for start in ["MAIL FROM:", "MAIL FROM:<", "RCPT TO:", "RCPT TO:<", "BDAT "] { checkLine(Octets(start.utf8) + input) }
    _ = EnhancedStatusCode(String(decoding: input, as: UTF8.self))
}

private func checkLine(_ line: Octets) {
    let verb = Command.verb(of: line.span)
    let arguments = Command.arguments(of: line.span)
    promise(arguments.lowerBound >= 0 && arguments.upperBound <= line.count, "arguments \(arguments)")
    let hasControl = line.contains { ASCII.isControl($0) && $0 != ASCII.tab }
    promise((verb == .malformed) == (hasControl || line.first.map(ASCII.isBlank) == true), "\(verb) with or without controls")
    checkMail(line, verb)
    checkRecipient(line, verb)
    checkChunk(line, verb)
}

private func checkMail(_ line: Octets, _ verb: Verb) {
    guard let mail = MailArguments(line.span) else { return }
    promise(verb == .mail, "MAIL arguments of \(verb)")
    checkRanges(line, path: mail.path, localPart: mail.localPart, domain: mail.domain, parameters: mail.parameters)
    promise(mail.isNull == isPlainlyNull(line), "null sender: \(mail.isNull)")
    promise(mail.isNull == mail.path.isEmpty, "null sender with a path")
    let path = ReversePath(mail, of: line.span)
    promise(ReversePath(path.octets) == path, "a reverse-path that can't be read again")
    promise(path.isNull == mail.isNull && path.domain == ASCII.lowercased(line[mail.domain]), "reverse-path \(path)")
    promise(path.localPart == Octets(line[mail.localPart]), "local part")
    guard !mail.isNull else { return }
    promise(!mail.localPart.isEmpty && !mail.domain.isEmpty && line[mail.localPart.upperBound] == ASCII.at, "half a mailbox")
    promise(![ASCII.at, ASCII.colon, ASCII.less, ASCII.greater].contains(line[mail.path.lowerBound]), "what a lax MTA reads as null")
    if line[mail.path.lowerBound - 1] != ASCII.less { promise(!line.contains(ASCII.less) && !line.contains(ASCII.greater), "brackets elsewhere") }
}

/// `MAIL FROM:`, blanks, `<>`, and behind it nothing or a blank: the only null sender that all MTAs agree on.
private func isPlainlyNull(_ line: Octets) -> Bool {
    guard ASCII.lowercased(line.prefix(10)) == Octets("mail from:".utf8) else { return false }
    let rest = line.dropFirst(10).drop(while: ASCII.isBlank)
    guard rest.starts(with: [ASCII.less, ASCII.greater]) else { return false }
    return rest.count == 2 || ASCII.isBlank(rest[rest.startIndex + 2])
}

private func checkRecipient(_ line: Octets, _ verb: Verb) {
    guard let recipient = RcptArguments(line.span) else { return }
    promise(verb == .rcpt, "RCPT arguments of \(verb)")
    checkRanges(line, path: recipient.path, localPart: recipient.localPart, domain: recipient.domain, parameters: recipient.parameters)
    promise(!recipient.path.isEmpty, "an empty forward-path")
    let path = ForwardPath(recipient, of: line.span)
    promise(path.domain.last != ASCII.dot || recipient.hasPlainDomain == false, "domain with a dot behind")
    if path.hasPlainDomain {
        promise(!path.domain.isEmpty && path.domain == ASCII.lowercased(path.domain), "plain domain")
        let isPlain = path.domain.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || [ASCII.dot, ASCII.hyphen, 0x5F].contains($0) }
        promise(isPlain && !path.localPart.contains(ASCII.at), "a domain that MTAs may read otherwise")
    }
    // Without brackets a few more stand in a path than within them.
    if let again = ForwardPath(path.octets) {
        promise(again == path && again.domain == path.domain && again.hasPlainDomain == path.hasPlainDomain, "a forward-path that reads otherwise")
    }
    for policy in Policies.all {
        let treatment = policy.treatment(of: path)
        if !path.hasPlainDomain, !ASCII.equal(path.localPart, "postmaster"), !policy.isTagged(path) {
            promise(treatment.isJudged, "an odd spelling goes around the judgement")
        }
    }
}

private func checkRanges(_ line: Octets, path: Range<Int>, localPart: Range<Int>, domain: Range<Int>, parameters: Range<Int>) {
    for range in [path, localPart, domain, parameters] { promise(range.lowerBound >= 0 && range.upperBound <= line.count, "range \(range)") }
    for inner in [localPart, domain] { promise(inner.lowerBound >= path.lowerBound && inner.upperBound <= path.upperBound, "\(inner) outside \(path)") }
    promise(parameters.lowerBound >= path.upperBound, "parameters within the path")
    for name in ["size", "body", "auth", "envid", "orcpt"] as [StaticString] {
        guard let value = MailParameters.value(of: name, in: line.span, parameters) else { continue }
        promise(value.lowerBound >= parameters.lowerBound && value.upperBound <= parameters.upperBound, "value outside the parameters")
        promise(!line[value].contains(where: ASCII.isBlank), "blank in a value")
    }
}

private func checkChunk(_ line: Octets, _ verb: Verb) {
    guard let (size, isLast) = ChunkSize.parse(line.span) else { return }
    promise(verb == .bdat && size >= 0, "chunk size of \(verb)")
    let words = line.split(whereSeparator: ASCII.isBlank)
    let digits = String(decoding: words[1].drop { $0 == ASCII.zero }, as: UTF8.self)
    promise(digits == (size == 0 ? "" : String(size)), "size \(size) of \(digits)")
    promise(words.count == (isLast ? 3 : 2), "\(words.count) words")
}
