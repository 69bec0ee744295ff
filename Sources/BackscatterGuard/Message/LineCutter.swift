// Cuts streaming content into lines. A line that lies whole in the caller's span is not copied; one that began in an
// earlier span is carried. Lines longer than the limit are cut at multiples of it from their start, so the pieces do
// not depend on the division of the input. LF ends a line (RFC 5322 2.1 wants CRLF; stored mail often has LF alone).

struct LineCutter: Sendable {
    /// Octets of a line that are carried; longer lines come in pieces of this size.
    static let limit = 8192

    enum Step: Equatable {
        /// A line or piece lies in the span at `range`, without its line end; go on at `next`.
        case inSpan(range: Range<Int>, next: Int)
        /// A line or piece lies in `carried`; the caller takes it out; go on at `next`.
        case inCarry(next: Int)
        /// The span is used up; its last octets were carried.
        case needsMore
    }

    private(set) var carried: Octets = []
    /// The line or piece just cut goes on a line whose beginning came as a piece of its own.
    private(set) var continuesLine = false
    /// The line or piece just cut ends with a line end.
    private(set) var endsLine = false
    private var isPieceGiven = false

    /// No line is under way: a line that ends within `limit` octets of the span may be taken without `step`.
    var isAtLineStart: Bool { carried.isEmpty && !isPieceGiven }

    /// The next line or piece of `span` from `start` on.
    mutating func step(_ span: Span<UInt8>, from start: Int) -> Step {
        continuesLine = isPieceGiven
        let room = LineCutter.limit - carried.count
        let window = span.extracting(start..<min(span.count, start + room + 1))
        if let end = window.firstIndex(of: ASCII.lf) {
            endsLine = true
            isPieceGiven = false
            return give(span, start..<(start + end), next: start + end + 1)
        }
        guard window.count > room else {
            carried.append(window)
            return .needsMore
        }
        endsLine = false
        isPieceGiven = true
        return give(span, start..<(start + room), next: start + room)
    }

    /// What is left after the last span: a last line without line end, or nil.
    mutating func takeRest() -> Octets? {
        guard !carried.isEmpty else { return nil }
        continuesLine = isPieceGiven
        endsLine = false
        return takeCarried()
    }

    /// Takes the carried line out; give the storage back with `reuse(_:)`.
    mutating func takeCarried() -> Octets {
        var taken: Octets = []
        swap(&taken, &carried)
        return taken
    }

    mutating func reuse(_ storage: consuming Octets) {
        guard carried.isEmpty else { return }
        storage.removeAll(keepingCapacity: true)
        carried = storage
    }

    private mutating func give(_ span: Span<UInt8>, _ range: Range<Int>, next: Int) -> Step {
        guard !carried.isEmpty else { return .inSpan(range: range, next: next) }
        carried.append(span.extracting(range))
        return .inCarry(next: next)
    }
}

extension Span where Element == UInt8 {
    /// The line without the CRs at its end.
    func withoutTrailingCR() -> Int {
        var end = count
        while end > 0, self[end - 1] == ASCII.cr { end -= 1 }
        return end
    }
}
