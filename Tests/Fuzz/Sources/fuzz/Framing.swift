// Target `framing`: where content ends. The scanner against the definitions of THREATS R1 and R2 read over the whole,
// the removal of dots against lines, and the chunks of BDAT through a session.

@testable import BackscatterGuard

@Sendable func fuzzFraming(_ input: Octets) {
    checkScanner(input)
    checkUnstuffer(input)
    checkChunks(input)
}

/// What one pass over content found, in places of the whole.
private struct Scan: Equatable {
    var lookAlike: Int?
    var end: Int?
    var dot: Int?
    var keptBack = 0
    var sawBareLineEnding = false
}

private func checkScanner(_ input: Octets) {
    let scan = inAnyDivision(input) { scanned($0) }
    var expected = Scan()
    switch ReferenceContent.find(input) {
    case .more(let keptBack): expected.keptBack = keptBack
    case .ended(let dot, let end): (expected.dot, expected.end) = (dot, end)
    case .lookAlike(let at): expected.lookAlike = at
    }
    if expected.lookAlike != nil, case .ended(let dot, let end) = ReferenceContent.find(input, reportsLookAlikes: false) {
        (expected.dot, expected.end) = (dot, end)
    }
    promise(scan.lookAlike == expected.lookAlike && scan.end == expected.end && scan.dot == expected.dot, "\(scan) instead of \(expected)")
    if scan.lookAlike == nil {
        promise(scan.keptBack == expected.keptBack, "kept back \(scan.keptBack)")
        let judged = Octets(input[..<(scan.end ?? input.count)])
        promise(scan.sawBareLineEnding == ReferenceContent.hasBareLineEnding(judged), "bare line endings: \(scan.sawBareLineEnding)")
    }
}

private func scanned(_ pieces: [Octets]) -> Scan {
    var scan = Scan()
    var fast = ContentScanner()
    var thorough = ContentScanner(reportsBareLineEndings: true)
    var base = 0
    for piece in pieces {
        var start = 0
        scanning: while true {
            let finding = fast.scan(piece.span, from: start)
            promise(thorough.scan(piece.span, from: start) == finding && thorough.keptBack == fast.keptBack, "two scanners, two findings")
            switch finding {
            case .more:
                if !piece.isEmpty { scan.keptBack = fast.keptBack }
                promise((fast.keptBack == 1) == (fast.carriesCR && start < piece.count), "kept back")
                break scanning
            case .lookAlike(let at):
                promise(scan.lookAlike == nil, "two look-alikes")
                scan.lookAlike = base + at
                start = max(at, start)
            case .ended(let end):
                (scan.end, scan.dot) = (base + end, base + fast.terminatorStart)
                scan.keptBack = 0
                scan.sawBareLineEnding = thorough.sawBareLineEnding
                return scan
            }
        }
        base += piece.count
    }
    scan.sawBareLineEnding = thorough.sawBareLineEnding
    return scan
}

private func checkUnstuffer(_ input: Octets) {
    let plain = inAnyDivision(input) { pieces in
        var plain: Octets = []
        var unstuffer = DotUnstuffer()
        for piece in pieces {
            unstuffer.unstuff(piece.span) { part in
                promise(part.count > 0, "an empty part")
                plain.append(part)
            }
        }
        return plain
    }
    var expected: Octets = []
    for index in input.indices {
        let isLineStart = index == 0 || index > 1 && input[index - 1] == ASCII.lf && input[index - 2] == ASCII.cr
        if !(isLineStart && input[index] == ASCII.dot) { expected.append(input[index]) }
    }
    promise(plain == expected, "dots")
}

/// The input as the content of one mail in chunks, then commands of a stranger inside a chunk that is refused.
private func checkChunks(_ input: Octets) {
    var dice = Dice(input)
    let chunks = input.isEmpty ? [input] : dice.cut(input, longest: max(1, input.count / (1 + dice.below(4))))
    var stream = Octets("EHLO client.example\r\nMAIL FROM:<ann@example.net>\r\nRCPT TO:<bob@example.net>\r\n".utf8)
    for (index, chunk) in chunks.enumerated() {
        stream += Octets("BDAT \(chunk.count)\(index == chunks.count - 1 ? " LAST" : "")\r\n".utf8) + chunk
    }
    // Refused for want of a sender: thrown away, whatever it says.
    stream += Octets("BDAT \(input.count) LAST\r\n".utf8) + input + Octets("NOOP\r\n".utf8)
    // A session for each division costs more than all the rest: whole, and in one other.
    for pieces in [[stream], dice.cut(stream, longest: [1, 3, 40, 400][dice.below(4)])] {
        let stage = Stage(StageSettings(isObliging: true))
        for piece in pieces { stage.client(piece) }
        stage.quiesce()
        promise(stage.clientCodes == [220, 250, 250, 250] + chunks.map { _ in 250 } + [503, 250], "replies \(stage.clientCodes)")
        promise(stage.delivered.map(\.content) == [input], "\(stage.delivered.count) mails")
    }
}
