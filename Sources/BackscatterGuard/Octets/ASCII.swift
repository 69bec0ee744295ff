// ASCII as octets: the named ones, classes, and comparison that ignores the case of A-Z only.

/// Names of the octets that the mail protocols give a meaning.
public enum ASCII {
    public static let nul: UInt8 = 0x00
    public static let tab: UInt8 = 0x09
    public static let lf: UInt8 = 0x0A
    public static let cr: UInt8 = 0x0D
    public static let space: UInt8 = 0x20
    public static let exclamation: UInt8 = 0x21
    public static let quote: UInt8 = 0x22
    public static let openParenthesis: UInt8 = 0x28
    public static let closeParenthesis: UInt8 = 0x29
    public static let comma: UInt8 = 0x2C
    public static let hyphen: UInt8 = 0x2D
    public static let dot: UInt8 = 0x2E
    public static let zero: UInt8 = 0x30
    public static let nine: UInt8 = 0x39
    public static let colon: UInt8 = 0x3A
    public static let semicolon: UInt8 = 0x3B
    public static let less: UInt8 = 0x3C
    public static let equals: UInt8 = 0x3D
    public static let greater: UInt8 = 0x3E
    public static let at: UInt8 = 0x40
    public static let backslash: UInt8 = 0x5C
    public static let del: UInt8 = 0x7F

    @inlinable public static func isDigit(_ octet: UInt8) -> Bool { octet >= zero && octet <= nine }
    @inlinable public static func isLetter(_ octet: UInt8) -> Bool { (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7A }
    /// Space or tab: RFC 5234 WSP.
    @inlinable public static func isBlank(_ octet: UInt8) -> Bool { octet == space || octet == tab }
    /// Below space, or DEL.
    @inlinable public static func isControl(_ octet: UInt8) -> Bool { octet < space || octet == del }
    /// Whether there is a control other than TAB. Looks at every octet, without a branch for any: short lines are faster so.
    static func hasControl(_ octets: Span<UInt8>) -> Bool {
        var found: UInt8 = 0
        for index in octets.indices {
            let octet = octets[index]
            found |= (octet < space && octet != tab ? 1 : 0) | (octet == del ? 1 : 0)
        }
        return found != 0
    }
    /// `A`-`Z` to `a`-`z`; all else as it is.
    @inlinable public static func lowercase(_ octet: UInt8) -> UInt8 { octet >= 0x41 && octet <= 0x5A ? octet | 0x20 : octet }

    /// Whether `octets` spell `word`, which must be given in lower case, in any case of A-Z.
    public static func equal(_ octets: some Sequence<UInt8>, _ word: StaticString) -> Bool {
        var index = 0
        for octet in octets {
            guard index < word.utf8CodeUnitCount, unsafe word.utf8Start[index] == lowercase(octet) else { return false }
            index += 1
        }
        return index == word.utf8CodeUnitCount
    }

    /// Lower-case copy.
    public static func lowercased(_ octets: some Sequence<UInt8>) -> Octets { octets.map(lowercase) }
}
