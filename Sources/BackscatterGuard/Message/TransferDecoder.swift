// Undoes quoted-printable and base64, line by line, into lines. Only where a part says that it is encoded: blind
// decoding spoils ids such as `<x=Aa@host>`. Lenient where mail is wrong about itself: a line of plain text in a
// base64 part stays text, and `=xx` in lower case counts only where it stands for printable ASCII. NUL is left out: so
// UTF-16, which some web mailers write, becomes the ASCII that field names and ids are made of. RFC 2045 6.7, 6.8.

struct TransferDecoder: Sendable {
    enum Encoding: Sendable { case identity, quotedPrintable, base64 }

    let encoding: Encoding
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var isPadded = false

    init(_ encoding: Encoding) { self.encoding = encoding }

    /// The encoding that a field names.
    ///
    /// - Parameter field: body of Content-Transfer-Encoding; other names mean identity.
    static func encoding(_ field: Span<UInt8>) -> Encoding {
        // Comments may stand anywhere (RFC 2045 6.1 with RFC 5322 3.2.2); they are rare, and so is their removal.
        if field.firstIndex(of: ASCII.openParenthesis) != nil { return named(ContentType.withoutComments(field).span) }
        return named(field)
    }

    private static func named(_ field: Span<UInt8>) -> Encoding {
        var name: Octets = []
        for index in 0..<field.count where field[index] > ASCII.space && field[index] != ASCII.quote && field[index] != ASCII.semicolon {
            name.append(field[index])
            if name.count == 16 { break }
        }
        if ASCII.equal(name, "quoted-printable") { return .quotedPrintable }
        return ASCII.equal(name.prefix(6), "base64") ? .base64 : .identity
    }

    /// Appends what a line means to `output`.
    ///
    /// - Parameter endsLine: whether the line ended with a line end; a piece of a long line did not.
    mutating func decode(_ line: Span<UInt8>, endsLine: Bool, into output: inout Octets) {
        switch encoding {
        case .identity:
            output.append(line)
            if endsLine { output.append(ASCII.lf) }
        case .quotedPrintable: decodeQuoted(line, endsLine: endsLine, into: &output)
        case .base64: decodeBase64(line, into: &output)
        }
    }

    private func decodeQuoted(_ line: Span<UInt8>, endsLine: Bool, into output: inout Octets) {
        var end = line.count
        while end > 0, ASCII.isBlank(line[end - 1]) { end -= 1 }
        let isSoft = endsLine && end > 0 && line[end - 1] == ASCII.equals
        if isSoft { end -= 1 }
        if TransferDecoder.looksRaw(line.extracting(0..<end)) {
            output.append(line.extracting(0..<end))
        } else {
            TransferDecoder.decodeEscapes(line, end, into: &output)
        }
        if !isSoft, endsLine { output.append(ASCII.lf) }
    }

    private static func decodeEscapes(_ line: Span<UInt8>, _ end: Int, into output: inout Octets) {
        var index = 0
        while index < end {
            if line[index] == ASCII.equals, index + 2 < end, let octet = escaped(line[index + 1], line[index + 2]) {
                if octet != 0 { output.append(octet) }
                index += 3
            } else {
                output.append(line[index])
                index += 1
            }
        }
    }

    /// A Message-ID line that would decode to 8-bit or control octets was never encoded, whatever the part says.
    private static func looksRaw(_ line: Span<UInt8>) -> Bool {
        guard line.count > 14, line.spells("message-id:") else { return false }
        for index in 11..<(line.count - 2) where line[index] == ASCII.equals {
            if let high = hexDigit(line[index + 1]), let low = hexDigit(line[index + 2]) {
                let octet = high << 4 | low
                if octet >= 0x7F || (octet < ASCII.space && octet != ASCII.tab) { return true }
            }
        }
        return false
    }

    /// Lower-case digits are not allowed, yet mail readers take them, so a forger may write them: they count where they
    /// stand for printable ASCII. Elsewhere they are more likely part of an id (`=aa`) in a part that was never encoded.
    private static func escaped(_ first: UInt8, _ second: UInt8) -> UInt8? {
        if let high = hexDigit(first), let low = hexDigit(second) { return high << 4 | low }
        guard let high = hexDigit(upper(first)), let low = hexDigit(upper(second)) else { return nil }
        let octet = high << 4 | low
        return octet >= ASCII.space && octet < ASCII.del ? octet : nil
    }

    private static func upper(_ octet: UInt8) -> UInt8 { octet >= 0x61 && octet <= 0x66 ? octet - 0x20 : octet }

    private static func hexDigit(_ octet: UInt8) -> UInt8? {
        if ASCII.isDigit(octet) { return octet - ASCII.zero }
        return octet >= 0x41 && octet <= 0x46 ? octet - 0x37 : nil
    }

    private mutating func decodeBase64(_ line: Span<UInt8>, into output: inout Octets) {
        if TransferDecoder.looksLikeText(line) {
            if bitCount > 0 || !output.isEmpty { output.append(ASCII.lf) }
            bits = 0
            bitCount = 0
            output.append(line)
            output.append(ASCII.lf)
            return
        }
        for index in 0..<line.count {
            let octet = line[index]
            guard let value = TransferDecoder.base64Value(octet) else {
                if octet == ASCII.equals { bits = 0; bitCount = 0 }
                continue
            }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                let octet = UInt8(truncatingIfNeeded: bits >> UInt32(bitCount))
                if octet != 0 { output.append(octet) }
            }
        }
    }

    /// `Name: text`, or words: no encoder writes that.
    private static func looksLikeText(_ line: Span<UInt8>) -> Bool {
        var blanks = 0
        for index in 0..<min(line.count, 80) {
            let octet = line[index]
            if octet == ASCII.colon && index > 0 && index + 1 < line.count && line[index + 1] == ASCII.space { return true }
            if octet == ASCII.space { blanks += 1 }
        }
        return blanks >= 3
    }

    private static func base64Value(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x41...0x5A: octet - 0x41
        case 0x61...0x7A: octet - 0x47
        case 0x30...0x39: octet + 4
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}
