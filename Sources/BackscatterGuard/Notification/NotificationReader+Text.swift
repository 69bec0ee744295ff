// The text scan: finds blocks of fields in lines of text, quoted, indented or neither, and decides which of them is the
// header section of a returned mail. Behind a line that announces one, two known fields suffice; without it a block
// needs three, among them Message-ID or Received, for texts list details such as To, Subject and Date of a failed mail.

/// Where the text scan stands in a block of fields.
struct TextBlock: Sendable {
    var isOpen = false
    var indentation = 0
    /// What followed the hyphens of the last line that looked like a boundary of some multipart; empty when text came since.
    var delimiter: Octets = []
}

extension NotificationReader {
    mutating func takeTextLine(_ line: Span<UInt8>, continues: Bool) {
        if continues {
            if text.isOpen { block.extend(line) }
            return
        }
        let start = NotificationReader.endOfQuoting(line)
        var first = start
        while first < line.count, ASCII.isBlank(line[first]) || line[first] == ASCII.cr { first += 1 }
        guard first < line.count else {
            takeEmptyTextLine()
            return
        }
        if scope.depth == 0, scope.media == .text || scope.media == .html || scope.media == .multipart, !findings.hasReturnedMail {
            findings.words.take(line.extracting(first..<line.count), isBehindMarker: scope.hasMarker)
        }
        if text.isOpen, takeBlockLine(line, start: start, first: first) { return }
        takeFreeLine(line, start: start, first: first)
    }

    /// `> `, `>> `, `> > ` and `| ` before a line: quoted once or more often, and perhaps indented after that. One blank
    /// belongs to each mark.
    private static func endOfQuoting(_ line: Span<UInt8>) -> Int {
        var start = line.skippingBlanks(from: 0)
        if start > 0, line.octet(at: start) != ASCII.greater { return 0 }
        while start < line.count, line[start] == ASCII.greater || line[start] == bar {
            start += 1
            if start < line.count, line[start] == ASCII.space { start += 1 }
        }
        return start
    }

    private static let bar: UInt8 = 0x7C

    private mutating func takeEmptyTextLine() {
        findings.words.endParagraph()
        if text.isOpen { endTextBlock() }
    }

    /// - Returns: whether the line belongs to the open block.
    private mutating func takeBlockLine(_ line: Span<UInt8>, start: Int, first: Int) -> Bool {
        if first - start > text.indentation {
            block.extend(line.extracting(start..<line.count))
            return true
        }
        if let field = line.field(from: first) {
            block.begin(field.name, line.extracting(field.body..<line.count))
            return true
        }
        if block.joinID(line.extracting(first..<line.count)) { return true }
        // Gateways break long fields without indentation: such lines don't end what is clearly a header section.
        let isDelimiter = line.count > 2 && line[0] == ASCII.hyphen && line[1] == ASCII.hyphen
        if block.names.messageNames >= 2, !isDelimiter {
            if block.dropCutID() { findings.isBroken = true }
            return true
        }
        endTextBlock()
        if case .text = mode { return false }
        return true
    }

    /// A line outside of any block.
    private mutating func takeFreeLine(_ line: Span<UInt8>, start: Int, first: Int) {
        if let field = line.field(from: first) {
            text.isOpen = true
            text.indentation = first - start
            block.reset()
            block.begin(field.name, line.extracting(field.body..<line.count))
            return
        }
        if !text.delimiter.isEmpty { text.delimiter.removeAll(keepingCapacity: true) }
        if line.count > 2, line.count <= 512, line[0] == ASCII.hyphen, line[1] == ASCII.hyphen {
            text.delimiter.append(line.extracting(2..<line.count))
        }
        guard line.count <= 160 else { return }
        if Phrases.markers.isPrefix(of: line, from: first) {
            scope.hasMarker = true
            if scope.depth == 0 { findings.hasMarker = true }
        } else if findings.words.isReceipt, PhraseSet.receiptLine.isPrefix(of: line, from: first) {
            takeReceiptLine(line, start: start, first: first)
        }
    }

    /// qmail's qreceipt tells the id in a line of its own, which may be folded.
    private mutating func takeReceiptLine(_ line: Span<UInt8>, start: Int, first: Int) {
        guard let colon = line.firstIndex(of: ASCII.colon, from: first) else { return }
        text.isOpen = true
        text.indentation = first - start
        scope.hasMarker = true
        block.reset()
        block.begin(.messageID, line.extracting((colon + 1)..<line.count))
    }

    /// The block that the text scan reads has ended.
    mutating func endTextBlock(_ end: HeaderBlock.End = .whole) {
        guard text.isOpen else { return }
        text.isOpen = false
        if block.finish(end) { findings.isBroken = true }
        defer { if !text.delimiter.isEmpty { text.delimiter.removeAll(keepingCapacity: true) } }
        guard isMeaningful else { return }
        var ended = takeBlock()
        defer { reuse(&ended) }
        if ended.names.reportNames > 0 { findings.takeReport(ended, depth: scope.depth, media: scope.media) }
        if isReturnedMail(ended) {
            takeReturned(ended, fromText: true)
        } else if ended.names.contains(.contentType), !text.delimiter.isEmpty {
            // A part whose boundary no header announced: from here on it is one.
            findings.isBroken = true
            if let boundary = NotificationReader.boundary(text.delimiter) {
                _ = levels.push(boundary, scope: scope, isDecoded: decoder != nil)
            }
            beginBody(ended, ended.contentType)
        }
    }

    /// Whether the block that has ended says anything. Most are words with a colon behind them.
    private var isMeaningful: Bool {
        block.names.reportNames > 0 || isReturnedMail(block) || (block.names.contains(.contentType) && !text.delimiter.isEmpty)
    }

    private func isReturnedMail(_ block: HeaderBlock) -> Bool {
        if scope.hasMarker { return block.names.messageNames >= 2 || !block.messageIDs.isEmpty }
        return block.names.messageNames >= 3 && block.looksReturned
    }

    /// The boundary of a delimiter line.
    private static func boundary(_ delimiter: Octets) -> Octets? {
        var rest = delimiter[...]
        while let last = rest.last, last <= ASCII.space { rest.removeLast() }
        return rest.isEmpty ? nil : Octets(rest)
    }
}

extension PhraseSet {
    static let receiptLine = PhraseSet(["your message-id:"])
}
