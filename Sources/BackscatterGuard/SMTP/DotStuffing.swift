// The other way round than DotUnstuffer, for guardd's own mail: demo and selftest.

enum DotStuffing {
    /// Content as DATA carries it, without the final dot: a line that begins with a dot gets another one (RFC 5321 §4.5.2).
    ///
    /// - Parameter content: lines that end with CRLF.
    static func stuffed(_ content: Octets) -> Octets {
        var result = Octets()
        var isLineStart = true
        for octet in content {
            if isLineStart, octet == ASCII.dot { result.append(ASCII.dot) }
            result.append(octet)
            isLineStart = octet == ASCII.lf
        }
        return result
    }
}
