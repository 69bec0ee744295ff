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
        let shown = octets.prefix(limit)
        // Nearly always there is nothing to wash.
        if shown.allSatisfy({ $0 >= space && $0 < del && $0 != backslash }) {
            text.append(contentsOf: shown)
        } else {
            appendEscaped(shown, to: &text)
        }
        if octets.count > limit { for _ in 0..<3 { text.append(dot) } }
    }

    private static func appendEscaped(_ octets: some Collection<UInt8>, to text: inout Octets) {
        for octet in octets {
            if octet < space || octet >= del || octet == backslash {
                text.append(backslash)
                text.append(0x78)
                text.append(hexDigit(octet >> 4))
                text.append(hexDigit(octet & 15))
            } else {
                text.append(octet)
            }
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? zero + value : 0x57 + value }
}
