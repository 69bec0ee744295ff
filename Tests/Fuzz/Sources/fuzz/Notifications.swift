// Target `notification`: the reader of bounces, on the whole message and in pieces, and its time on much of the same.

@testable import BackscatterGuard
import Glibc

/// Octets of content for each second of processor time; a tenth of it would be sound, less means that it is not linear.
/// The sanitizer and the counting of edges take most of the time here: without them it is a hundred times faster.
private let slowest = 250_000.0

@Sendable func fuzzNotification(_ input: Octets) {
    let evidence = inAnyDivision(input) { pieces in
        var reader = NotificationReader()
        for piece in pieces { reader.read(piece.span) }
        reader.finish()
        return reader.evidence
    }
    for id in evidence.originalMessageIDs + evidence.referenceIDs { checkID(id) }
    promise(evidence.originalMessageIDs.count <= 1000 && evidence.referenceIDs.count <= 1000, "ids without limit")
    promise(evidence.failedRecipients.count <= 1000, "recipients without limit")
    for address in evidence.originAddresses { promise(PeerAddress(address) != nil, "origin \(address)") }
    var dice = Dice(input)
    if dice.below(64) == 0, !input.isEmpty { checkTime(input) }
}

/// The same over and over, half a megabyte of it.
private func checkTime(_ input: Octets) {
    let much = Octets((0..<(524_288 / input.count + 1)).lazy.flatMap { _ in input })
    var reader = NotificationReader()
    let begun = processorTime()
    var start = 0
    while start < much.count {
        let end = min(much.count, start + 16_384)
        reader.read(much.span.extracting(start..<end))
        start = end
    }
    reader.finish()
    let seconds = processorTime() - begun
    promise(seconds < Double(much.count) / slowest, "\(much.count) octets took \(seconds) s")
}

private func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func checkID(_ id: MessageID) {
    promise((1...MessageID.limit).contains(id.octets.count), "id of \(id.octets.count) octets")
    promise(!id.octets.contains { ASCII.isBlank($0) || $0 == ASCII.cr || $0 == ASCII.lf }, "blanks in an id")
    promise(id.key.count == id.octets.count, "key")
    _ = QueueID.candidates(in: id)
}
