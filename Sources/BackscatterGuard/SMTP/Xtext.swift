// How ENVID, ORCPT, AUTH= and XCLIENT carry any octets inside one word: RFC 3461 4. Unencoded, a client's HELO name
// could add attributes to guardd's XCLIENT (THREATS 2.3).

/// xtext: `+`, `=` and all outside 33...126 stand as `+HH`.
public enum Xtext {
    /// - Returns: at most three octets for one; only 33...126, never `=`.
    public static func encode(_ octets: some Sequence<UInt8>) -> Octets {
        var text = Octets()
        for octet in octets {
            if isLiteral(octet) {
                text.append(octet)
            } else {
                text += [plus, hexDigits[Int(octet >> 4)], hexDigits[Int(octet & 15)]]
            }
        }
        return text
    }

    /// - Returns: nil when `text` is no xtext; `+` must be followed by two digits of 0-9 and A-F.
    public static func decode(_ text: some Sequence<UInt8>) -> Octets? {
        var octets = Octets()
        var pending: UInt8?
        var expected = 0
        for octet in text {
            if expected > 0 {
                guard let digit = hexDigits.firstIndex(of: octet) else { return nil }
                expected -= 1
                if let high = pending { octets.append(high << 4 | UInt8(digit)); pending = nil } else { pending = UInt8(digit) }
            } else if octet == plus {
                expected = 2
            } else if isLiteral(octet) {
                octets.append(octet)
            } else {
                return nil
            }
        }
        return expected == 0 ? octets : nil
    }

    private static let plus: UInt8 = 0x2B
    private static let hexDigits = Octets("0123456789ABCDEF".utf8)

    private static func isLiteral(_ octet: UInt8) -> Bool {
        octet > ASCII.space && octet < ASCII.del && octet != plus && octet != ASCII.equals
    }
}
