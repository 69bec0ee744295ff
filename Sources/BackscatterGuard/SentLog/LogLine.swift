// What syslog puts before a message: an optional priority, a stamp, the host, the program with its process number.
// Postfix's maillog_file writes the same form; sendmail's own file leaves the host away.

/// Where the parts of a log line lie; the text goes on to its end.
struct LogLine: Equatable {
    /// Seconds since 1970.
    let time: Int64
    /// As `postfix/cleanup`, `exim`, `sm-mta`; never empty.
    let program: Range<Int>
    /// Process number; 0 when the line tells none.
    let process: Int
    /// First octet of the message.
    let text: Int

    /// Longest name of a host or program.
    private static let nameLimit = 255

    /// - Returns: nil for a line that is none of syslog's.
    static func cut(_ line: Span<UInt8>, _ clock: inout LogClock) -> LogLine? {
        var index = afterPriority(line)
        guard let stamp = clock.stamp(line, at: index), line.octet(at: stamp.end) == ASCII.space else { return nil }
        index = line.skippingBlanks(from: stamp.end)
        guard let first = tokenEnd(line, at: index) else { return nil }
        if line[first - 1] == ASCII.colon { return tag(line, index..<first, stamp.time) }
        index = line.skippingBlanks(from: first)
        guard let second = tokenEnd(line, at: index), line[second - 1] == ASCII.colon else { return nil }
        return tag(line, index..<second, stamp.time)
    }

    /// `<22>`.
    private static func afterPriority(_ line: Span<UInt8>) -> Int {
        guard line.octet(at: 0) == ASCII.less else { return 0 }
        var index = 1
        while index < 5, let octet = line.octet(at: index), ASCII.isDigit(octet) { index += 1 }
        return index > 1 && line.octet(at: index) == ASCII.greater ? index + 1 : 0
    }

    /// The end of the token at `start`: at a space, or at the end of the line; nil when it is empty or too long.
    private static func tokenEnd(_ line: Span<UInt8>, at start: Int) -> Int? {
        guard start < line.count else { return nil }
        let end = line.firstIndex(of: ASCII.space, from: start) ?? line.count
        return end > start && end - start <= nameLimit ? end : nil
    }

    /// `program[123]:` or `program:`.
    private static func tag(_ line: Span<UInt8>, _ range: Range<Int>, _ time: Int64) -> LogLine? {
        var end = range.upperBound - 1
        var process = 0
        if end > range.lowerBound, line[end - 1] == 0x5D {
            var open = end - 1
            while open > range.lowerBound, line[open - 1] != 0x5B { open -= 1 }
            guard open > range.lowerBound else { return nil }
            for index in open..<end - 1 {
                guard ASCII.isDigit(line[index]), process < 1 << 40 else { return nil }
                process = process * 10 + Int(line[index] - ASCII.zero)
            }
            end = open - 1
        }
        guard end > range.lowerBound else { return nil }
        let text = line.octet(at: range.upperBound) == ASCII.space ? range.upperBound + 1 : range.upperBound
        return LogLine(time: time, program: range.lowerBound..<end, process: process, text: text)
    }
}
