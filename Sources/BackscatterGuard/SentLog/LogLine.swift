// What syslog puts before a message: an optional priority, a stamp, the host, the program with its process number.
// Postfix's maillog_file writes the same form; sendmail's own file leaves the host away. FreeBSD's syslogd -v has the
// priority behind the stamp, busybox behind the host, Solaris behind the program. RFC 5424's fields: LogLine+Fields.swift.

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
        var index = afterPriority(line, at: 0)
        if line.octet(at: index) == 0x31, line.octet(at: index + 1) == ASCII.space { return fields(line, from: index + 2, &clock) }
        guard let stamp = clock.stamp(line, at: index), line.octet(at: stamp.end) == ASCII.space else { return nil }
        index = line.skippingBlanks(from: afterPriority(line, at: line.skippingBlanks(from: stamp.end)))
        guard var end = tokenEnd(line, at: index) else { return nil }
        if line[end - 1] != ASCII.colon {
            index = line.skippingBlanks(from: end)
            guard let second = tokenEnd(line, at: index) else { return nil }
            end = second
        }
        if line[end - 1] != ASCII.colon, isPriority(line.extracting(index..<end)) {
            index = line.skippingBlanks(from: end)
            guard let third = tokenEnd(line, at: index) else { return nil }
            end = third
        }
        return line[end - 1] == ASCII.colon ? tag(line, index..<end, stamp.time) : nil
    }

    /// The octet behind `<22>`, `<mail.info>` or `<2.6>`; `start` where there is none.
    private static func afterPriority(_ line: Span<UInt8>, at start: Int) -> Int {
        guard line.octet(at: start) == ASCII.less else { return start }
        var index = start + 1
        while index < start + 24, let octet = line.octet(at: index), ASCII.isDigit(octet) || ASCII.isLetter(octet) || octet == ASCII.dot { index += 1 }
        return index > start + 1 && line.octet(at: index) == ASCII.greater ? index + 1 : start
    }

    /// `mail.info`: facility and severity by their names.
    private static func isPriority(_ token: Span<UInt8>) -> Bool {
        guard let dot = token.firstIndex(of: ASCII.dot), dot > 0 else { return false }
        for index in 0..<dot where !ASCII.isLetter(token[index]) && !ASCII.isDigit(token[index]) { return false }
        return severities.contains { ASCII.equal(token.extracting(dot + 1..<token.count).copied(), $0) }
    }

    private static let severities: [StaticString] = ["debug", "info", "notice", "warning", "warn", "err", "error", "crit", "alert", "emerg", "panic"]

    /// The end of the token at `start`: at a space, or at the end of the line; nil when it is empty or too long.
    static func tokenEnd(_ line: Span<UInt8>, at start: Int) -> Int? {
        guard start < line.count else { return nil }
        let end = line.firstIndex(of: ASCII.space, from: start) ?? line.count
        return end > start && end - start <= nameLimit ? end : nil
    }

    /// `program[123]:` or `program:`; behind it, on Solaris, `[ID 197553 mail.info]`.
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
        var text = line.skippingBlanks(from: range.upperBound)
        if line.isWord("[ID ", at: text), let close = line.firstIndex(of: 0x5D, from: text), close - text <= 64 {
            text = line.skippingBlanks(from: close + 1)
        }
        return LogLine(time: time, program: range.lowerBound..<end, process: process, text: text)
    }
}
