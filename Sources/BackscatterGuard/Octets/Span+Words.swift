// Reading of short words inside a span, in place: no copy, no String. Knows no protocol.

extension Span where Element == UInt8 {
    /// The octet at `index`, nil at or behind the end.
    @inlinable
    public func octet(at index: Int) -> UInt8? { index >= 0 && index < count ? self[index] : nil }

    /// Whether the octets from `start` begin with `word`, which must be given in lower case, in any case of A-Z.
    ///
    /// - Parameter start: 0...count.
    public func spells(_ word: StaticString, at start: Int = 0) -> Bool {
        let length = word.utf8CodeUnitCount
        guard start >= 0, count - start >= length else { return false }
        for index in 0..<length where unsafe word.utf8Start[index] != ASCII.lowercase(self[start + index]) { return false }
        return true
    }

    /// Whether exactly the octets of `range` are `word`, given in lower case, in any case of A-Z.
    public func spells(_ word: StaticString, in range: Range<Int>) -> Bool {
        range.count == word.utf8CodeUnitCount && spells(word, at: range.lowerBound)
    }

    /// The first place at or after `start` that holds neither space nor tab; `count` when there is none.
    @inlinable
    public func skippingBlanks(from start: Int) -> Int {
        var index = start
        while index < count, ASCII.isBlank(self[index]) { index += 1 }
        return index
    }

    /// The end of the octets from `start` on, less the spaces and tabs at the very end; at least `start`.
    @inlinable
    public func endWithoutBlanks(from start: Int) -> Int {
        var end = count
        while end > start, ASCII.isBlank(self[end - 1]) { end -= 1 }
        return end
    }

    /// Whether the octets of `range` are well-formed UTF-8. ASCII costs one look at each octet.
    public func isUTF8(in range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound, self[index] < 0x80 { index += 1 }
        guard index < range.upperBound else { return true }
        do {
            _ = try UTF8Span(validating: extracting(index..<range.upperBound))
            return true
        } catch {
            return false
        }
    }
}
