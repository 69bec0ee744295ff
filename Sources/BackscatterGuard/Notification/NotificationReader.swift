// Reads a notification while it streams past: which kind it is, which mail it returns, and to whom that was sent.
//
// Lines go through one machine: the header sections, a stack of MIME levels, and within what may carry a returned mail
// a text scan that looks for blocks of fields. The text scan is also what goes on where the structure breaks or passes
// a limit, so an id is found behind megabytes, a thousand parts or ten thousand levels. A returned mail that is no
// bounce itself is sealed: nothing in it counts but its header section, for its text is the sender's, or a forger's.
// Where a boundary of an outer level comes, the scan is open again.
//
// Every store is bounded; no function calls itself; the result does not depend on how the content is divided.
// RFC 3462, 3464, 6522, 6533, 8098, 5965, 3834.

/// Reads the evidence out of a notification's content.
public struct NotificationReader: Sendable {
    /// Whose header section is being read.
    enum Role: Sendable { case outer, part, returned }
    enum Mode: Sendable { case header(Role), text, sealed }

    /// What holds for the lines of one level of nesting.
    struct Scope: Sendable {
        /// 0 in the notification itself, 1 in a mail that it returns, ...
        var depth = 0
        /// Which of the mails that the notification returns this belongs to; 0 outside of them. Lower ones are stronger.
        var group = 0
        /// A line said that the returned mail follows.
        var hasMarker = false
        /// What the current part is.
        var media = ContentType.Media.text
    }

    static let deepestNesting = 100
    static let longestHeader = 102_400

    var mode = Mode.header(.outer)
    var scope = Scope()
    var levels = BoundaryStack()
    var block = HeaderBlock()
    /// The block that was read before, for its storage.
    private var spare = HeaderBlock()
    var text = TextBlock()
    var decoder: TransferDecoder?
    var html: HTMLText?
    var findings = Findings()
    private var cutter = LineCutter()
    private var decoded: Octets = []
    private var decodedHTML: Octets = []
    private var decodedSearched = 0
    private var isDecodedPiece = false

    public init() {}

    /// How many original ids were read so far; grows only, so that a caller knows when to look at `evidence` again.
    /// A newly read id may stand anywhere in the list: the innermost original comes first.
    public var originalIDCount: Int { findings.idCount }

    /// What is known so far; final after `finish()`.
    public var evidence: Evidence { findings.evidence }

    /// The next octets of content, dots unstuffed, in any division.
    public mutating func read(_ content: Span<UInt8>) {
        var index = 0
        while index < content.count {
            if isSkipping, cutter.isAtLineStart {
                index = NotificationReader.skip(content, from: index)
                if index == content.count { return }
            }
            if cutter.isAtLineStart, let end = content.firstIndex(of: ASCII.lf, from: index), end - index <= LineCutter.limit {
                takeLine(content.extracting(index..<end), continues: false, ends: true)
                index = end + 1
                continue
            }
            switch cutter.step(content, from: index) {
            case .inSpan(let range, let next):
                takeLine(content.extracting(range), continues: cutter.continuesLine, ends: cutter.endsLine)
                index = next
            case .inCarry(let next):
                let line = cutter.takeCarried()
                takeLine(line.span, continues: cutter.continuesLine, ends: cutter.endsLine)
                cutter.reuse(line)
                index = next
            case .needsMore:
                index = content.count
            }
        }
    }

    /// Only a boundary can mean anything now.
    private var isSkipping: Bool {
        if case .sealed = mode { decoder == nil } else { false }
    }

    /// The next line that can be a boundary, or the last one if its end has not come.
    private static func skip(_ content: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < content.count, content[index] != ASCII.hyphen, let end = content.firstIndex(of: ASCII.lf, from: index) { index = end + 1 }
        return index
    }

    /// The content has ended.
    public mutating func finish() {
        let rest = cutter.takeRest()
        if let rest { takeLine(rest.span, continues: cutter.continuesLine, ends: false) }
        endDecoding()
        endOpenBlock(rest == nil ? .cut : .cutWithinLine)
        if levels.hasOpenLevel { findings.isBroken = true }
        findings.settle()
    }

    /// Takes the finished block out, with an empty one in its place; give it back with `reuse(_:)`.
    mutating func takeBlock() -> HeaderBlock {
        var taken = HeaderBlock()
        swap(&taken, &spare)
        swap(&taken, &block)
        return taken
    }

    mutating func reuse(_ taken: inout HeaderBlock) {
        taken.reset()
        swap(&taken, &spare)
    }

    /// A line as it came: a boundary of the encoded text, or material for the decoder.
    private mutating func takeLine(_ line: Span<UInt8>, continues: Bool, ends: Bool) {
        let end = ends ? line.withoutTrailingCR() : line.count
        if !continues, end >= 2, line[0] == ASCII.hyphen, line[1] == ASCII.hyphen,
           let match = levels.match(line.extracting(2..<end), isDecoded: false) {
            endDecoding()
            cross(match)
            return
        }
        if decoder != nil, case .sealed = mode, !levels.hasDecodedLevel { dropDecoding() }
        if decoder == nil {
            takeContent(line.extracting(0..<end), continues: continues)
        } else {
            if html == nil {
                decoder?.decode(line.extracting(0..<end), endsLine: ends, into: &decoded)
            } else {
                decoder?.decode(line.extracting(0..<end), endsLine: ends, into: &decodedHTML)
                html?.convert(decodedHTML, into: &decoded)
                decodedHTML.removeAll(keepingCapacity: true)
            }
            takeDecoded(isLast: false)
        }
    }

    /// Cuts what the decoder gave into lines; the last one stays until its end comes.
    private mutating func takeDecoded(isLast: Bool) {
        var given: Octets = []
        swap(&given, &decoded)
        let used = takeDecodedLines(given.span, isLast: isLast)
        given.removeFirst(used)
        decodedSearched = given.count
        // A boundary within the decoded text may have ended the decoding; what is left then is not used.
        if decoder != nil { swap(&given, &decoded) }
    }

    /// - Returns: how many octets of `given` were lines, or pieces of a line that is too long.
    private mutating func takeDecodedLines(_ given: Span<UInt8>, isLast: Bool) -> Int {
        var start = 0
        while start < given.count {
            let window = given.extracting(start..<min(given.count, start + LineCutter.limit + 1))
            let found = window.firstIndex(of: ASCII.lf, from: start == 0 ? min(decodedSearched, window.count) : 0)
            if found == nil, window.count <= LineCutter.limit, !isLast { break }
            let line = window.extracting(0..<(found ?? min(window.count, LineCutter.limit)))
            takeDecodedLine(found == nil ? line : line.extracting(0..<line.withoutTrailingCR()))
            isDecodedPiece = found == nil
            start += line.count + (found == nil ? 0 : 1)
        }
        return start
    }

    private mutating func takeDecodedLine(_ line: Span<UInt8>) {
        if !isDecodedPiece, line.count >= 2, line[0] == ASCII.hyphen, line[1] == ASCII.hyphen,
           let match = levels.match(line.extracting(2..<line.count), isDecoded: true) {
            cross(match)
        } else {
            takeContent(line, continues: isDecodedPiece)
        }
    }

    /// The encoded part has ended.
    private mutating func endDecoding() {
        guard decoder != nil else { return }
        takeDecoded(isLast: true)
        dropDecoding()
    }

    /// What is still to be decoded means nothing.
    private mutating func dropDecoding() {
        decoder = nil
        html = nil
        isDecodedPiece = false
        decodedSearched = 0
        decoded.removeAll(keepingCapacity: true)
    }

    /// A line of content, decoded where it had to be, that is no boundary.
    private mutating func takeContent(_ line: Span<UInt8>, continues: Bool) {
        switch mode {
        case .header(let role): takeHeaderLine(line, role, continues: continues)
        case .text: takeTextLine(line, continues: continues)
        case .sealed: break
        }
    }
}
