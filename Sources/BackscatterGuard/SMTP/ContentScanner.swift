// Finds the end of DATA content, and whatever some MTA would take for it (THREATS 2.1, R1, R2). guardd sits where
// SMTP smuggling happens: if the MTA behind ends the message earlier than guardd, the rest of the content is commands.
// So the end is CRLF.CRLF alone, and a look-alike is never sent.
//
// Fast because almost no octet matters: memchr jumps from dot to dot, and only around a dot that begins a line does
// the per-octet machine run. The tests hold it against that machine run over every octet.

/// The end of content and its look-alikes, in octets that arrive in any division.
///
/// One scanner serves one DATA command. It begins as if just after CRLF: the CRLF of the DATA line counts as the
/// first of CRLF.CRLF (RFC 5321 4.1.1.4). Positions that lie before the scanned part of the span, because they were
/// in an earlier span, are counted down from its beginning: for `from` 0 the last octet of the span before is -1.
public struct ContentScanner: Sendable {
    public enum Finding: Sendable, Equatable {
        /// All of the scanned part is content, less `keptBack` octets at its end.
        case more
        /// Index after the LF of CRLF.CRLF.
        case ended(at: Int)
        /// Index of the CR or LF that would complete (CRLF|CR|LF) NUL* . NUL* (CRLF|CR|LF); -1 for a CR that was
        /// kept back. Nothing from there on may be sent. The true end behind it is found by scanning on from
        /// `max(at, from)`: from then on look-alikes are not reported.
        case lookAlike(at: Int)
    }

    /// What the octets so far mean for the next one. `line…` begin a line, `dot…` are a line that is but a dot so far.
    private enum State { case lineAfterCRLF, lineAfterOther, afterCR, inLine, dotAfterCRLF, dotAfterOther, dotCR, ended }

    private var state = State.lineAfterCRLF
    private var reportsLookAlikes = true
    private let reportsBareLineEndings: Bool
    private var lastWasCR = false

    /// Octets at the end of the span that must be kept back after `.more`: 1 for the CR of CRLF.CR, which the next
    /// octet makes part of the end or of a look-alike, else 0. It is never sent as content.
    public private(set) var keptBack = 0
    /// Whether a CR is kept back from an earlier span.
    public var carriesCR: Bool { state == .dotCR }
    /// Index of the dot of CRLF.CRLF after `.ended`: -1 or -2 when it lay in an earlier span.
    public private(set) var terminatorStart = 0
    /// Whether a CR without LF, or an LF without CR, was met; only with `reportsBareLineEndings`.
    public private(set) var sawBareLineEnding = false

    public init() { self.init(reportsBareLineEndings: false) }

    /// - Parameter reportsBareLineEndings: costs one more pass.
    public init(reportsBareLineEndings: Bool) { self.reportsBareLineEndings = reportsBareLineEndings }

    /// Scans the octets from `start` to the end of the span, which must follow those of the last call.
    ///
    /// - Parameter start: 0...count.
    /// - Complexity: O(count - start)
    public mutating func scan(_ span: Span<UInt8>, from start: Int) -> Finding {
        let finding = findEnd(span, from: start)
        if reportsBareLineEndings, !sawBareLineEnding {
            switch finding {
            case .more: noteLineEndings(span, start..<span.count)
            case .ended(let end): noteLineEndings(span, start..<end)
            case .lookAlike(let at): noteLineEndings(span, start..<max(start, at))
            }
        }
        return finding
    }

    private mutating func findEnd(_ span: Span<UInt8>, from start: Int) -> Finding {
        precondition(state != .ended, "content scanned beyond its end")
        keptBack = 0
        var index = start
        while true {
            // Around a dot that begins a line, and at the seam of two spans: octet by octet.
            while index < span.count, state != .inLine || span[index] == ASCII.dot {
                let octet = span[index]
                if completesLookAlike(octet), reportsLookAlikes {
                    reportsLookAlikes = false
                    return .lookAlike(at: state == .dotCR ? index - 1 : index)
                }
                if state == .dotCR, octet == ASCII.lf {
                    terminatorStart = index - 2
                    state = .ended
                    return .ended(at: index + 1)
                }
                state = Self.next(octet, state)
                index += 1
                if state != .dotCR, state != .dotAfterCRLF, state != .dotAfterOther { break }
            }
            // Everywhere else: to the next dot.
            guard index < span.count, let dot = span.firstIndex(of: ASCII.dot, from: index) else {
                state = stateBefore(span.count, in: span, from: index)
                break
            }
            state = stateBefore(dot, in: span, from: index)
            index = dot
        }
        keptBack = state == .dotCR && span.count > start ? 1 : 0
        return .more
    }

    private func completesLookAlike(_ octet: UInt8) -> Bool {
        switch state {
        case .dotAfterCRLF: octet == ASCII.lf
        case .dotAfterOther: octet == ASCII.lf || octet == ASCII.cr
        case .dotCR: octet != ASCII.lf
        default: false
        }
    }

    /// The machine itself, for all but the end. Behind `dotCR` all is a look-alike, so there only its line ends matter.
    private static func next(_ octet: UInt8, _ state: State) -> State {
        switch (octet, state) {
        case (ASCII.cr, .dotAfterCRLF): .dotCR
        case (ASCII.cr, _): .afterCR
        case (ASCII.lf, .afterCR): .lineAfterCRLF
        case (ASCII.lf, _): .lineAfterOther
        case (ASCII.dot, .lineAfterCRLF): .dotAfterCRLF
        case (ASCII.dot, .lineAfterOther), (ASCII.dot, .afterCR): .dotAfterOther
        case (ASCII.nul, .dotAfterCRLF), (ASCII.nul, .dotAfterOther): .dotAfterOther
        case (ASCII.nul, .inLine): .inLine
        case (ASCII.nul, _): .lineAfterOther
        default: .inLine
        }
    }

    /// The state before `index`, read backwards: between `base`, where `state` holds, and `index` lies no dot.
    private func stateBefore(_ index: Int, in span: Span<UInt8>, from base: Int) -> State {
        guard index > base else { return state }
        var last = index - 1
        while last > base, span[last] == ASCII.nul { last -= 1 }
        let before = last > base ? nil : state
        let hasNUL = last < index - 1
        switch span[last] {
        case ASCII.nul:
            return Self.next(ASCII.nul, state)
        case ASCII.cr:
            return hasNUL ? .lineAfterOther : .afterCR
        case ASCII.lf:
            let isCRLF = before.map { $0 == .afterCR } ?? (span[last - 1] == ASCII.cr)
            return isCRLF && !hasNUL ? .lineAfterCRLF : .lineAfterOther
        default:
            return .inLine
        }
    }

    private mutating func noteLineEndings(_ span: Span<UInt8>, _ range: Range<Int>) {
        guard let first = range.first else { return }
        if lastWasCR != (span[first] == ASCII.lf) { sawBareLineEnding = true }
        // Of two neighbours the first is a CR exactly where the second is an LF. Without a branch, so that the compiler
        // takes many octets at a time.
        var odd: UInt8 = 0
        unsafe span.extracting(range).withUnsafeBufferPointer { octets in
            for index in 1..<octets.count {
                odd |= unsafe (octets[index - 1] == ASCII.cr ? 1 : 0) ^ (octets[index] == ASCII.lf ? 1 : 0)
            }
        }
        if odd != 0 { sawBareLineEnding = true }
        lastWasCR = span[range.upperBound - 1] == ASCII.cr
    }
}
