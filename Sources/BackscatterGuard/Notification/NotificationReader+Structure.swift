// Header sections and the levels of MIME: what a finished header section means for the lines that follow.

extension NotificationReader {
    /// A boundary line: back to the level that it belongs to.
    mutating func cross(_ match: BoundaryStack.Match) {
        endOpenBlock(.cut)
        scope = match.scope
        scope.media = .text
        scope.hasMarker = false
        text = TextBlock()
        guard match.isClosing else {
            mode = .header(.part)
            return
        }
        // What some MTAs append behind the end is no second returned mail; what hides there behind nothing is read.
        mode = match.isOutermost && findings.hasReturnedMail ? .sealed : .text
    }

    /// The block that is open at a boundary or at the end ends there.
    mutating func endOpenBlock(_ end: HeaderBlock.End) {
        switch mode {
        case .header(let role): if !(role == .part && block.isEmpty) { endHeader(role, end) }
        case .text: endTextBlock(end)
        case .sealed: break
        }
    }

    mutating func takeHeaderLine(_ line: Span<UInt8>, _ role: Role, continues: Bool) {
        if continues {
            block.extend(line)
            return
        }
        if line.count == 0 {
            // An empty line before a returned mail's first field is a habit of some gateways.
            if role == .returned, block.isEmpty { return }
            endHeader(role)
        } else if ASCII.isBlank(line[0]), !block.isEmpty {
            block.extend(line)
        } else if let field = line.field(from: 0) {
            block.begin(field.name, line.extracting(field.body..<line.count))
        } else {
            takeStrayLine(line, role)
        }
        if case .header = mode, block.size > NotificationReader.longestHeader {
            findings.isBroken = true
            endHeader(role, isOverlong: true)
        }
    }

    /// A line in a header section that is no field.
    private mutating func takeStrayLine(_ line: Span<UInt8>, _ role: Role) {
        if block.joinID(line) { return }
        switch role {
        case .outer:
            // An mbox line above, or a spoilt field: the section goes on.
            break
        case .part:
            endHeader(role)
            if case .text = mode { takeTextLine(line, continues: false) }
        case .returned where block.isEmpty:
            guard !NotificationReader.isEnvelopeLine(line) else { return }
            mode = .text
            scope.hasMarker = true
            takeTextLine(line, continues: false)
        case .returned:
            if block.dropCutID() { findings.isBroken = true }
        }
    }

    /// `From someone Mon Jan  1 ...`: the line that mbox files put before a mail.
    private static func isEnvelopeLine(_ line: Span<UInt8>) -> Bool {
        let start = line[0] == ASCII.greater ? 1 : 0
        guard line.count > start + 5, line[start + 4] == ASCII.space else { return false }
        return FieldName.known(line.extracting(start..<(start + 4))) == .from
    }

    /// The header section has ended, at an empty line, a boundary, a limit or the end.
    private mutating func endHeader(_ role: Role, _ end: HeaderBlock.End = .whole, isOverlong: Bool = false) {
        if block.finish(end) { findings.isBroken = true }
        mode = .text
        if role == .part, block.isEmpty || block.names.isEmpty {
            // The common part without a header: plain text.
            block.reset()
            return
        }
        var ended = takeBlock()
        defer { reuse(&ended) }
        switch role {
        case .outer:
            findings.takeOuter(ended)
            beginBody(ended, ended.contentType)
        case .part:
            let type = ended.contentType
            // Some gateways leave the part's own header out: the returned mail's fields stand in its place, or behind its own.
            if type.mayReturn, ended.names.messageNames >= 3, ended.looksReturned {
                takeReturned(ended, fromText: false)
            } else {
                beginBody(ended, type)
            }
        case .returned:
            takeReturned(ended, fromText: false)
            if isOverlong, ended.messageIDs.isEmpty {
                mode = .text
                scope.hasMarker = true
            }
        }
    }

    /// The body behind a header section: what its lines are.
    mutating func beginBody(_ header: HeaderBlock, _ type: ContentType) {
        scope.media = type.media
        mode = .text
        if scope.depth == 0 { findings.takeStructure(type) }
        if type.media == .multipart {
            guard let boundary = type.boundary, levels.push(boundary, scope: scope, isDecoded: decoder != nil) else {
                findings.isBroken = true
                return
            }
            return
        }
        // One encoding is undone; what is encoded within an encoded part is left to the text scan.
        if decoder == nil { beginDecoding(header, type) }
        if type.media == .message || type.media == .headers { mode = .header(.returned) }
    }

    private mutating func beginDecoding(_ header: HeaderBlock, _ type: ContentType) {
        let encoding = header.reading(.transferEncoding, TransferDecoder.encoding) ?? .identity
        if type.media == .html { html = HTMLText() }
        if encoding != .identity || type.media == .html { decoder = TransferDecoder(encoding) }
    }

    /// The header section of a mail that is returned, or of one that is wrapped around it.
    mutating func takeReturned(_ header: HeaderBlock, fromText: Bool) {
        let type = header.contentType
        if header.isBare {
            // No mail at all, only one more wrapping.
            beginBody(header, type)
            return
        }
        if scope.depth == 0 { scope.group = findings.beginGroup(fromText: fromText) }
        scope.depth += 1
        scope.hasMarker = false
        let isBounce = fromText ? header.looksLikeBounce(type) : header.mayBeBounce(type)
        findings.takeReturned(header, scope: scope, isBounce: isBounce, fromText: fromText)
        if isBounce {
            beginBody(header, type)
        } else {
            mode = .sealed
        }
    }
}
