// Makes octets of strangers fit for a log line or a reply: bounded, printable, on one line (CWE-117).

extension ASCII {
    /// Text in which every octet outside printable ASCII, and the backslash, stands as `\xHH`.
    ///
    /// - Parameter limit: at most so many octets are shown; `...` tells that there were more.
    /// - Returns: printable ASCII only. At most 4 × `limit` + 3 characters.
    public static func washed(_ octets: some Collection<UInt8>, limit: Int = 256) -> String {
        var text = Octets()
        text.reserveCapacity(min(octets.count, limit) + 3)
        appendWashed(octets, limit: limit, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Likewise, behind what is there: for lines that are written for every mail.
    public static func appendWashed(_ octets: some Collection<UInt8>, limit: Int = 256, to text: inout Octets) {
        appendWashed(Octets(octets.prefix(limit)).span, limit: limit, to: &text)
        if octets.count > limit { text.append(word: "...") }
    }

    /// Likewise.
    static func appendWashed(_ octets: Span<UInt8>, limit: Int = 256, to text: inout Octets) {
        let shown = octets.extracting(first: limit)
        // Nearly always there is nothing to wash.
        if isPrintable(shown) { text.append(shown) } else { appendEscaped(shown, to: &text) }
        if octets.count > limit { text.append(word: "...") }
    }

    private static func isPrintable(_ octets: Span<UInt8>) -> Bool {
        for index in octets.indices where needsEscape(octets[index]) { return false }
        return true
    }

    private static func needsEscape(_ octet: UInt8) -> Bool { octet < space || octet >= del || octet == backslash }

    private static func appendEscaped(_ octets: Span<UInt8>, to text: inout Octets) {
        for index in octets.indices {
            let octet = octets[index]
            if needsEscape(octet) {
                text.append(backslash)
                text.append(0x78)
                text.append(hexDigit(octet >> 4))
                text.append(hexDigit(octet & 15))
            } else {
                text.append(octet)
            }
        }
    }

    /// Of 0...15, in lower case.
    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? zero + value : 0x57 + value }
}
