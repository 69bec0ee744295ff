// The content as its writer meant it: without the dots that SMTP puts before lines that begin with one.
// For readers inside guardd only; what goes upstream keeps its dots.

/// Removes the dots of RFC 5321 4.5.2, in any division, without copying. A line begins after CRLF, nowhere else.
public struct DotUnstuffer: Sendable {
    private enum State { case lineStart, afterCR, inLine }
    private var state = State.lineStart

    public init() {}

    /// Hands on the octets of `span` in order, less the dots.
    ///
    /// - Parameter span: content, without the final `.` CRLF.
    /// - Parameter body: called with parts of `span`, never empty ones.
    /// - Complexity: O(count)
    public mutating func unstuff(_ span: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        guard !span.isEmpty else { return }
        var sent = 0
        var index = 0
        while let dot = span.firstIndex(of: ASCII.dot, from: index) {
            if isLineStart(dot, in: span) {
                if dot > sent { body(span.extracting(sent..<dot)) }
                sent = dot + 1
            }
            index = dot + 1
        }
        if sent < span.count { body(span.extracting(sent..<span.count)) }
        if isLineStart(span.count, in: span) {
            state = .lineStart
        } else {
            let endsInCR = span[span.count - 1] == ASCII.cr
            state = endsInCR ? .afterCR : .inLine
        }
    }

    private func isLineStart(_ index: Int, in span: Span<UInt8>) -> Bool {
        if index == 0 { return state == .lineStart }
        guard span[index - 1] == ASCII.lf else { return false }
        return index == 1 ? state == .afterCR : span[index - 2] == ASCII.cr
    }
}
