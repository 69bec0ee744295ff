// Scanning of raw octets. Knows no protocol; everything is bounded by the length of the span it is given.
// Wire data is `[UInt8]` or `Span<UInt8>`, never `String`: Swift's Character folds CR LF into one and compares
// canonical equivalents as equal, both wrong for SMTP and for the identity of a Message-ID.

import Glibc

/// Octets that are kept: a command line, a Message-ID, a reply.
public typealias Octets = [UInt8]

extension Span where Element == UInt8 {
    /// The place of the first `octet` at or after `start`, found by memchr.
    ///
    /// - Parameter start: 0...count; `count` finds nothing.
    /// - Returns: an index into this span, nil when there is none.
    /// - Complexity: O(count - start)
    @inlinable
    public func firstIndex(of octet: UInt8, from start: Int = 0) -> Int? {
        guard start < count else { return nil }
        return unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            guard let found = unsafe memchr(base + start, Int32(octet), count - start) else { return nil }
            return unsafe UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
        }
    }

    /// A kept copy of the octets.
    @inlinable
    public func copied() -> Octets {
        unsafe withUnsafeBufferPointer { unsafe Octets($0) }
    }
}

extension Array where Element == UInt8 {
    /// Appends the octets of a span.
    @inlinable
    public mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends text as UTF-8. Written out, because the standard library copies a `UTF8View` octet by octet.
    mutating func append(text: String) {
        let isDone: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe append(contentsOf: $0) }
        if isDone == nil { append(contentsOf: text.utf8) }
    }

    /// Appends a word of the program's own.
    mutating func append(word: StaticString) {
        word.withUTF8Buffer { unsafe append(contentsOf: $0) }
    }

    /// Appends a number in decimal digits.
    mutating func append(decimal number: UInt64) {
        if number > 9 { append(decimal: number / 10) }
        append(ASCII.zero + UInt8(number % 10))
    }
}
