// The text of an HTML part, enough to find in it what a plain text would say: tags go, entities become octets, and
// what begins a line on a screen begins a line. What stands in `<>` with an `@` and no blank is an address or an id that
// somebody forgot to encode, so it stays. Octets in, octets out, streaming, in constant memory.

struct HTMLText: Sendable {
    private enum Place { case text, tag, entity }
    private static let longestTag = 1024
    private static let longestEntity = 10

    private var place = Place.text
    private var kept: Octets = []
    private var isTagTooLong = false
    /// The last octet that went out and was no blank; LF at first.
    private var last = ASCII.lf
    /// A tag has ended the line, and nothing but blanks came since: a line end of the source then only makes it readable.
    private var isBehindBreak = false

    mutating func convert(_ html: Octets, into output: inout Octets) {
        for octet in html {
            switch place {
            case .text: takeText(octet, into: &output)
            case .tag: takeTag(octet, into: &output)
            case .entity: takeEntity(octet, into: &output)
            }
        }
    }

    private mutating func takeText(_ octet: UInt8, into output: inout Octets) {
        switch octet {
        case ASCII.less: begin(.tag)
        case 0x26: begin(.entity)
        case ASCII.lf where isBehindBreak: break
        default: put(octet, into: &output)
        }
    }

    private mutating func put(_ octet: UInt8, into output: inout Octets) {
        output.append(octet)
        guard octet > ASCII.space || octet == ASCII.lf else { return }
        last = octet
        isBehindBreak = false
    }

    private mutating func begin(_ place: Place) {
        self.place = place
        isTagTooLong = false
        kept.removeAll(keepingCapacity: true)
    }

    private mutating func takeTag(_ octet: UInt8, into output: inout Octets) {
        guard octet == ASCII.greater else {
            if kept.count < HTMLText.longestTag { kept.append(octet) } else { isTagTooLong = true }
            // No tag begins with a blank: a lone `<` is text.
            if kept.count == 1, octet <= ASCII.space || ASCII.isDigit(octet) || octet == ASCII.less {
                put(ASCII.less, into: &output)
                put(octet, into: &output)
                place = .text
            }
            return
        }
        place = .text
        if !isTagTooLong, kept.contains(ASCII.at), !kept.contains(where: { $0 <= ASCII.space }) {
            output.append(ASCII.less)
            output += kept
            put(ASCII.greater, into: &output)
        } else {
            breakLine(output: &output)
        }
    }

    private mutating func takeEntity(_ octet: UInt8, into output: inout Octets) {
        if octet == ASCII.semicolon {
            place = .text
            let meant = HTMLText.octet(ofEntity: kept)
            put(meant, into: &output)
            // `<p>&nbsp;</p>` is how an empty line is written.
            if meant == ASCII.space, last == ASCII.lf { last = meant }
        } else if kept.count < HTMLText.longestEntity, ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == 0x23 {
            kept.append(octet)
        } else {
            place = .text
            put(0x26, into: &output)
            for octet in kept { put(octet, into: &output) }
            takeText(octet, into: &output)
        }
    }

    private static func octet(ofEntity name: Octets) -> UInt8 {
        if ASCII.equal(name, "lt") { return ASCII.less }
        if ASCII.equal(name, "gt") { return ASCII.greater }
        if ASCII.equal(name, "amp") { return 0x26 }
        if ASCII.equal(name, "quot") { return ASCII.quote }
        guard name.first == 0x23 else { return ASCII.space }
        let isHex = name.count > 2 && name[1] | 0x20 == 0x78
        let value = Int(String(decoding: name.dropFirst(isHex ? 2 : 1), as: UTF8.self), radix: isHex ? 16 : 10) ?? 0x20
        return value > 0x20 && value < 0x7F ? UInt8(value) : ASCII.space
    }

    /// What the tag does to the line: `br` ends it, what stands in a block of its own begins one, a cell behind `Name:`
    /// holds the field's body.
    private mutating func breakLine(output: inout Octets) {
        let name = kept.drop { $0 == 0x2F }.prefix { ASCII.isLetter($0) || ASCII.isDigit($0) }
        let isBreak = ASCII.equal(name, "br")
        if last == ASCII.colon, ASCII.equal(name, "td") || ASCII.equal(name, "th") {
            output.append(ASCII.space)
            isBehindBreak = true
        } else if isBreak || HTMLText.isBlock(name) {
            if isBreak || last != ASCII.lf { put(ASCII.lf, into: &output) }
            isBehindBreak = true
        }
    }

    private static func isBlock(_ name: ArraySlice<UInt8>) -> Bool {
        ASCII.equal(name, "p") || ASCII.equal(name, "div") || ASCII.equal(name, "tr") || ASCII.equal(name, "td") || ASCII.equal(name, "th")
            || ASCII.equal(name, "li") || ASCII.equal(name, "pre") || ASCII.equal(name, "table") || ASCII.equal(name, "hr")
            || ASCII.equal(name, "body") || ASCII.equal(name, "h1") || ASCII.equal(name, "h2") || ASCII.equal(name, "h3")
    }
}
