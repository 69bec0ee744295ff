// A pattern for reverse-paths that mark a notification as `<>` does: `MAILER-DAEMON@*`. About a fifth of real bounces
// come with such an address instead of the null reverse-path.

/// An address with `*` for any run of octets, compared without regard to the case of A-Z.
public struct AddressPattern: Sendable, Hashable {
    private let pattern: Octets

    /// - Parameter text: printable ASCII without blanks and angle brackets, 1-320 octets.
    public init?(_ text: some Collection<UInt8>) {
        guard (1...320).contains(text.count) else { return nil }
        guard text.allSatisfy({ $0 > ASCII.space && $0 < ASCII.del && $0 != ASCII.less && $0 != ASCII.greater }) else { return nil }
        pattern = ASCII.lowercased(text)
    }

    public var text: String { String(decoding: pattern, as: UTF8.self) }

    /// Whether the whole of `address` fits.
    ///
    /// On a mismatch the latest `*` takes one octet more; earlier ones need no second try.
    ///
    /// - Complexity: O(address × pattern); both are bounded by a command line and 320 octets.
    public func matches(_ address: Octets) -> Bool {
        var place = 0
        var step = 0
        var star: (step: Int, place: Int)?
        while place < address.count {
            if step < pattern.count, pattern[step] == 0x2A {
                star = (step, place)
                step += 1
            } else if step < pattern.count, pattern[step] == ASCII.lowercase(address[place]) {
                step += 1
                place += 1
            } else if let last = star {
                star = (last.step, last.place + 1)
                step = last.step + 1
                place = last.place + 1
            } else {
                return false
            }
        }
        return pattern[step...].allSatisfy { $0 == 0x2A }
    }
}
