// Target `replies`: what an upstream sends, and what guardd makes of it.

@testable import BackscatterGuard

/// What was found in a stream of replies.
private struct Found: Equatable {
    var replies: [Octets] = []
    var codes: [Int] = []
    var isMalformed = false
    var rest: Octets = []
}

@Sendable func fuzzReplies(_ input: Octets) {
    let found = inAnyDivision(input) { pieces in
        var found = Found()
        var scanner = ReplyScanner()
        for piece in pieces { scan(piece, &scanner, &found) }
        return found
    }
    promise(found == reference(input), "\(found) instead of \(reference(input))")
    for reply in found.replies { checkReply(reply) }
    checkKeywords(input)
    checkOwnReply(input)
}

private func scan(_ piece: Octets, _ scanner: inout ReplyScanner, _ found: inout Found) {
    guard !found.isMalformed else { return }
    var start = 0
    while true {
        switch scanner.scan(piece.span, from: start) {
        case .needsMore:
            found.rest = scanner.carried
            return
        case .malformed:
            found.isMalformed = true
            found.rest = []
            return
        case .reply(let code, let end):
            promise(end > start && end <= piece.count, "end \(end)")
            found.codes.append(code)
            found.replies.append(scanner.carried + piece[start..<end])
            scanner.reset()
            start = end
        }
    }
}

/// The same by lines of the whole: RFC 5321 4.2.1 and the limits of R10.
private func reference(_ input: Octets) -> Found {
    var found = Found()
    var lines: [Octets] = []
    var rest = input[...]
    while let lf = rest.firstIndex(of: ASCII.lf) {
        let line = Octets(rest[...lf])
        rest = rest[(lf + 1)...]
        guard let code = code(of: line), lines.first.map({ $0.prefix(3) == line.prefix(3) }) ?? true, lines.count < 1000 else {
            return Found(replies: found.replies, codes: found.codes, isMalformed: true)
        }
        lines.append(line)
        guard line[3] != ASCII.hyphen else { continue }
        found.codes.append(code)
        found.replies.append(Octets(lines.joined()))
        lines = []
    }
    if !mayBeginLine(Octets(rest)) { return Found(replies: found.replies, codes: found.codes, isMalformed: true) }
    found.rest = Octets(lines.joined()) + rest
    return found
}

private func code(of line: Octets) -> Int? {
    guard line.count >= 5, line.count <= 4096, line[line.count - 2] == ASCII.cr else { return nil }
    let text = line.dropLast(2)
    guard !text.contains(where: { $0 == ASCII.nul || $0 == ASCII.cr }) else { return nil }
    guard text.prefix(3).allSatisfy(ASCII.isDigit), [ASCII.space, ASCII.hyphen, nil].contains(text.dropFirst(3).first) else { return nil }
    let code = text.prefix(3).reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
    return (200...599).contains(code) ? code : nil
}

private func mayBeginLine(_ rest: Octets) -> Bool {
    var text = rest[...]
    guard text.count <= 4096 else { return false }
    if text.last == ASCII.cr {
        guard text.count > 3 else { return false }
        text = text.dropLast()
    }
    guard !text.contains(where: { $0 == ASCII.nul || $0 == ASCII.cr }), text.prefix(3).allSatisfy(ASCII.isDigit) else { return false }
    return text.count < 4 || text[3] == ASCII.space || text[3] == ASCII.hyphen
}

private func checkReply(_ reply: Octets) {
    checkKeywords(reply)
    if let id = ReplyText.queueID(in: reply) { promise((6...64).contains(id.count), "queue id") }
}

private func checkKeywords(_ reply: Octets) {
    let keywords = Keywords(reply: reply.span)
    let banned = ["starttls", "xclient", "xforward", "burl", "turn", "atrn", "requiretls", "xexch50"]
    for line in keywords.lines {
        promise(!line.isEmpty && line.allSatisfy { $0 >= ASCII.space && $0 < ASCII.del }, "keyword line \(line)")
        let name = String(decoding: ASCII.lowercased(line.prefix { $0 != ASCII.space && $0 != ASCII.equals }), as: UTF8.self)
        promise(!banned.contains(name) && !name.hasPrefix("x-"), "keyword \(name)")
        promise(name != "binarymime" || keywords.chunking, "BINARYMIME without CHUNKING")
    }
    promise(keywords.includes(keywords), "not all of itself")
    let offer = keywords.reply(hostname: "guard.example.org")
    let again = Keywords(reply: offer.span)
    promise(again.lines == keywords.lines && again.size == keywords.size && again.pipelining == keywords.pipelining, "offer reads otherwise")
    var fewer = keywords
    fewer.remove("chunking")
    promise(!fewer.chunking && !fewer.binaryMIME && keywords.includes(fewer), "CHUNKING stays")
}

private func checkOwnReply(_ input: Octets) {
    let lines = input.split(separator: ASCII.lf, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    let octets = Reply(550, "5.7.1", lines: lines).octets
    let found = reference(octets)
    promise(lines.count > 1000 || found.replies == [octets], "own reply is none")
    for line in octets.split(separator: ASCII.lf) { promise(line.count < 512, "own line too long") }
    promise(ASCII.washed(input).utf8.allSatisfy { $0 >= ASCII.space && $0 < ASCII.del }, "washed text")
}
