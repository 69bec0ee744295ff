// One JSON object on one line (RFC 8259), for log lines and events. Written out by hand: the order of the keys is part of
// the format, and it is written for every mail.

/// An object that is being written. Texts are washed already: printable ASCII, so only `"` and `\` need an escape.
struct JSONLine {
    private(set) var octets: Octets = [0x7B]

    mutating func add(_ key: StaticString, _ text: String) {
        begin(key)
        append(text)
    }

    mutating func add(_ key: StaticString, _ text: String?) {
        if let text { add(key, text) }
    }

    mutating func add(_ key: StaticString, _ number: Int?) {
        guard let number else { return }
        begin(key)
        octets.append(contentsOf: String(number).utf8)
    }

    mutating func add(_ key: StaticString, _ texts: [String]) {
        begin(key)
        octets.append(0x5B)
        for (index, text) in texts.enumerated() {
            if index > 0 { octets.append(ASCII.comma) }
            append(text)
        }
        octets.append(0x5D)
    }

    /// The whole object, without a line end.
    var closed: Octets { octets + [0x7D] }

    private mutating func begin(_ key: StaticString) {
        if octets.count > 1 { octets.append(ASCII.comma) }
        octets.append(ASCII.quote)
        key.withUTF8Buffer { unsafe octets.append(contentsOf: $0) }
        octets.append(ASCII.quote)
        octets.append(ASCII.colon)
    }

    /// Text of guardd's own may hold more than washed text does, such as the system's words in another language.
    private mutating func append(_ text: String) {
        octets.append(ASCII.quote)
        for octet in text.utf8 {
            switch octet {
            case ASCII.quote, ASCII.backslash:
                octets.append(ASCII.backslash)
                octets.append(octet)
            case _ where ASCII.isControl(octet):
                octets.append(contentsOf: "\\u00".utf8)
                octets.append(JSONLine.digits[Int(octet >> 4)])
                octets.append(JSONLine.digits[Int(octet & 15)])
            default: octets.append(octet)
            }
        }
        octets.append(ASCII.quote)
    }

    private static let digits = Octets("0123456789abcdef".utf8)
}
