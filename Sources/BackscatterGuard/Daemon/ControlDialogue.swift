// The control socket's protocol, without sockets: lines come in any division, answers go out in the order of the lines.
//
//     <one@example.org> TAB ann@example.org TAB bob@b.example      ->  ok            (durable)
//     !unrecorded                                                  ->  ok            (a mail left unrecorded: a hole)
//     anything else                                                ->  error reason
//
// A line of records is RecordLine's, as `guardd record` reads it. An id that begins with `!` needs its brackets.

/// One connection's lines and answers.
struct ControlDialogue {
    enum Request: Equatable {
        case record(SentEntry)
        case unrecorded
    }

    /// Answers outstanding beyond which no more is to be read.
    static let pipelineLimit = 1_000

    /// The part of a line that has come so far.
    private var line: Octets = []
    private var isTooLong = false
    private var answers: [Octets?] = []
    private var first = 0

    var isFull: Bool { answers.count >= ControlDialogue.pipelineLimit }
    var isIdle: Bool { answers.isEmpty && line.isEmpty && !isTooLong }
    /// Octets of a line that is not whole.
    var heldOctets: Int { line.count }

    /// - Parameter request: called for each line that asks for something, with the number that `answered` wants.
    mutating func read(_ octets: Span<UInt8>, _ request: (Int, Request) -> Void) {
        var start = 0
        while let end = octets.firstIndex(of: ASCII.lf, from: start) {
            take(octets.extracting(start..<end))
            endLine(request)
            start = end + 1
        }
        take(octets.extracting(start..<octets.count))
    }

    private mutating func take(_ part: Span<UInt8>) {
        guard !isTooLong else { return }
        if line.count + part.count > RecordLine.limit {
            isTooLong = true
            line = []
        } else {
            line.append(part)
        }
    }

    private mutating func endLine(_ request: (Int, Request) -> Void) {
        var whole: Octets = []
        swap(&whole, &line)
        guard !isTooLong else {
            isTooLong = false
            return refuse("longer than \(RecordLine.limit) octets")
        }
        if whole.last == ASCII.cr { whole.removeLast() }
        if whole.first == ASCII.exclamation {
            guard whole == Octets("!unrecorded".utf8) else { return refuse("unknown command") }
            return ask(.unrecorded, request)
        }
        switch RecordLine.read(whole) {
        case .entry(let entry): ask(.record(entry), request)
        case .nothing: answers.append(ControlDialogue.ok)
        case .malformed(let reason): refuse(reason)
        }
    }

    private mutating func ask(_ asked: Request, _ request: (Int, Request) -> Void) {
        answers.append(nil)
        request(first + answers.count - 1, asked)
    }

    private mutating func refuse(_ reason: String) { answers.append(ControlDialogue.error(reason)) }

    /// - Parameter error: nil when it is durable.
    mutating func answered(_ number: Int, error: String?) {
        let index = number - first
        guard answers.indices.contains(index) else { return }
        answers[index] = error.map(ControlDialogue.error) ?? ControlDialogue.ok
    }

    /// What may be said now.
    mutating func takeAnswers() -> Octets {
        var said: Octets = []
        var count = 0
        while count < answers.count, let answer = answers[count] {
            said += answer
            count += 1
        }
        answers.removeFirst(count)
        first += count
        return said
    }

    private static let ok = Octets("ok\n".utf8)
    static func error(_ reason: String) -> Octets { Octets("error \(ASCII.washed(reason.utf8, limit: 400))\n".utf8) }
}
