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
}
