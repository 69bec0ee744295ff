// Target `sentlog`: what `guardd record` and `guardd sent import` read, and the header of mail that goes out.

@testable import BackscatterGuard

@Sendable func fuzzSentLog(_ input: Octets) {
    inAnyDivision(input) { pieces in
        var scanner = MailFileScanner()
        var mails: [[MessageID]] = []
        for piece in pieces { scanner.read(piece.span) { mails.append($0) } }
        scanner.finish { mails.append($0) }
        return mails
    }.joined().forEach(checkID)
    checkHeader(input, limit: 102_400)
    checkHeader(input, limit: 64)
    for line in [input] + input.split(separator: ASCII.lf).prefix(64).map({ Octets($0) }) { checkRecordLine(line) }
    checkTime(String(decoding: input.prefix(64), as: UTF8.self))
    if let id = MessageID(input) {
        checkID(id)
        promise(MessageID([ASCII.less] + id.octets + [ASCII.greater]) != nil, "an id that is none in brackets")
    }
    checkRows(input)
    for format in MTALogFormat.allCases { checkLog(input, format) }
    _ = LogPosition(String(decoding: input, as: UTF8.self))
    _ = RelayReply.entry(input.span)
}

private let site = LogSite(relays: [Octets("relay.example".utf8)], pairs: .always, isOwnClient: { $0.count % 2 == 0 }, isOwnAddress: { $0.count % 3 != 0 })

/// A log tells the same however it is divided, and no line of it is a trap.
private func checkLog(_ input: Octets, _ format: MTALogFormat) {
    let mails = inAnyDivision(input) { pieces in
        var log = MTALog(format, site, now: 1_795_348_800, isUTC: true)
        for piece in pieces { log.read(piece.span) }
        log.finish()
        return log.take()
    }
    for mail in mails {
        mail.entry.ids.forEach(checkID)
        promise(mail.time <= 1_795_348_800, "a mail of the future")
        promise(!mail.entry.isBound || !mail.entry.reversePath.isEmpty, "bound to nobody")
    }
}

private let rowKey = SentKey(Octets(repeating: 7, count: SentKey.size))

private struct Header: Equatable {
    var ids: [MessageID]
    var isComplete: Bool
    var overflowed: Bool
}

private func checkHeader(_ input: Octets, limit: Int) {
    let header = inAnyDivision(input) { pieces in
        var reader = SentHeaderReader(limit: limit)
        for piece in pieces { reader.read(piece.span) }
        let isComplete = reader.isComplete
        reader.finish()
        promise(reader.isComplete, "finished, but not complete")
        return Header(ids: reader.messageIDs, isComplete: isComplete, overflowed: reader.overflowed)
    }
    promise(header.ids.count <= 32 && Set(header.ids).count == header.ids.count, "ids")
    header.ids.forEach(checkID)
}

private func checkRecordLine(_ line: Octets) {
    guard case .entry(let entry) = RecordLine.read(line) else { return }
    promise(!entry.ids.isEmpty || !entry.reversePath.isEmpty && !entry.forwardPaths.isEmpty, "neither id nor pair")
    entry.ids.forEach(checkID)
    // What the hooks write of it, the daemon reads again.
    let again = RecordLine.lines(of: entry).flatMap { line -> [MessageID] in
        if case .entry(let told) = RecordLine.read(line) { told.ids } else { [] }
    }
    promise(Set(again).isSuperset(of: entry.ids), "ids that are lost on the way: \(entry.ids.count), \(again.count)")
    for path in [entry.reversePath] + entry.forwardPaths { promise(!path.contains { ASCII.isControl($0) && $0 != ASCII.tab }, "path \(path)") }
    promise(!entry.isBound || entry.reversePath.contains(ASCII.at), "bound to nobody")
    promise(entry.forwardPaths.allSatisfy { !$0.isEmpty }, "empty recipient")
}

private func checkTime(_ text: String) {
    guard let time = UTC.time(text, now: 1_795_000_000) else { return }
    promise(UTC.time(UTC.text(time), now: 0) == time || time < 0 || time > 253_402_300_799, "time \(text)")
}

/// Rows come from a file that may have been damaged.
private func checkRows(_ input: Octets) {
    _ = rowKey.map { SentRecord(row: input, key: $0) }
}
