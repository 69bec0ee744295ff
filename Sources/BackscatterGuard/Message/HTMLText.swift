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
        default: output.append(octet)
        }
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
                output.append(ASCII.less)
                output.append(octet)
                place = .text
            }
            return
        }
        place = .text
        if !isTagTooLong, kept.contains(ASCII.at), !kept.contains(where: { $0 <= ASCII.space }) {
            output.append(ASCII.less)
            output += kept
            output.append(ASCII.greater)
        } else if HTMLText.breaksLine(kept) {
            output.append(ASCII.lf)
        }
    }

    private mutating func takeEntity(_ octet: UInt8, into output: inout Octets) {
        if octet == ASCII.semicolon {
            place = .text
            output.append(HTMLText.octet(ofEntity: kept))
        } else if kept.count < HTMLText.longestEntity, ASCII.isLetter(octet) || ASCII.isDigit(octet) || octet == 0x23 {
            kept.append(octet)
        } else {
            place = .text
            output.append(0x26)
            output += kept
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

    private static func breaksLine(_ tag: Octets) -> Bool {
        let name = tag.drop { $0 == 0x2F }.prefix { ASCII.isLetter($0) || ASCII.isDigit($0) }
        return ASCII.equal(name, "br") || ASCII.equal(name, "p") || ASCII.equal(name, "div") || ASCII.equal(name, "tr")
            || ASCII.equal(name, "td") || ASCII.equal(name, "li") || ASCII.equal(name, "pre") || ASCII.equal(name, "table")
            || ASCII.equal(name, "hr") || ASCII.equal(name, "body") || ASCII.equal(name, "h1") || ASCII.equal(name, "h2") || ASCII.equal(name, "h3")
    }
}
