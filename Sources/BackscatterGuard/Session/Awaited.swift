// Replies that upstream owes, in order (RFC 5321 §4.2: one reply a command; RFC 2920 §3.1: in the order of the commands).

/// What the next reply of the upstream answers.
enum Awaited {
    /// The client's EHLO (true) or HELO: keywords are filtered.
    case hello(isExtended: Bool)
    /// EHLO that guardd says again on a re-made connection.
    case helloAgain
    case mail
    /// Index into the transaction's recipients, -1 when that one is not kept.
    case recipient(Int)
    case data
    /// DATA that guardd says when a held notification is released.
    case heldData
    case endOfContent
    case chunk
    /// Held chunks in one BDAT of guardd's: the client has its 250 already.
    case heldChunk
    case reset
    case authentication
    case quit
    /// One that is passed on and changes nothing: VRFY, EXPN, HELP, ETRN, NOOP.
    case plain
    /// Answer to an XFORWARD of guardd's.
    case forwarded
    /// Answer to guardd's own RSET: nobody hears it.
    case silent
    /// MAIL and RCPT of a held notification on a fresh connection: only 2xx will do.
    case repeated
    /// guardd's own reply to a command that never went upstream, in its place.
    case own(Octets)

    /// Whether the client waits for it: without it the session is out of step.
    var isForClient: Bool {
        switch self {
        case .helloAgain, .heldData, .heldChunk, .forwarded, .silent, .repeated: false
        default: true
        }
    }
}

/// A queue of awaited replies that does not allocate once it is warm.
struct AwaitedReplies {
    /// A client that pipelines beyond this is not read on: the list is bounded whatever the upstream does.
    static let limit = 1024
    private var entries: [Awaited] = []
    private var head = 0

    var isEmpty: Bool { head == entries.count }
    var isFull: Bool { entries.count - head >= AwaitedReplies.limit }
    /// In order; the first is due next.
    var all: ArraySlice<Awaited> { entries[head...] }
    var first: Awaited? { isEmpty ? nil : entries[head] }

    mutating func append(_ entry: Awaited) {
        // A queue that never runs empty must not grow by what has been answered.
        if head > 64, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
        entries.append(entry)
    }

    mutating func removeFirst() {
        head += 1
        guard head == entries.count else { return }
        entries.removeAll(keepingCapacity: entries.count <= 64)
        head = 0
    }

    mutating func removeAll() {
        entries = []
        head = 0
    }
}
