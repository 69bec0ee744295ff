// RFC 5424 §6: STAMP HOST APP-NAME PROCID MSGID STRUCTURED-DATA MSG, behind `<PRI>1 `. rsyslog writes it with its template
// RSYSLOG_SyslogProtocol23Format, FreeBSD's syslogd with -O rfc5424.

extension LogLine {
    /// - Parameter start: of the stamp, which may be `-`: unknown, and so the present.
    static func fields(_ line: Span<UInt8>, from start: Int, _ clock: inout LogClock) -> LogLine? {
        let time: Int64
        var index: Int
        if line.octet(at: start) == ASCII.hyphen {
            (time, index) = (clock.now, start + 1)
        } else {
            guard let stamp = clock.stamp(line, at: start) else { return nil }
            (time, index) = (stamp.time, stamp.end)
        }
        guard let host = token(line, &index), !host.isEmpty, let program = token(line, &index), let process = token(line, &index), token(line, &index) != nil,
            line.octet(at: index) == ASCII.space, let end = structuredDataEnd(line, from: index + 1)
        else { return nil }
        var text = line.skippingBlanks(from: end)
        if line.octet(at: text) == 0xEF, line.octet(at: text + 1) == 0xBB, line.octet(at: text + 2) == 0xBF { text = line.skippingBlanks(from: text + 3) }
        return LogLine(time: time, program: program, process: number(line.extracting(process)), text: text)
    }

    /// The next token behind one space; `index` moves to its end.
    private static func token(_ line: Span<UInt8>, _ index: inout Int) -> Range<Int>? {
        guard line.octet(at: index) == ASCII.space, let end = tokenEnd(line, at: index + 1) else { return nil }
        defer { index = end }
        return index + 1..<end
    }

    /// `-`, or elements in brackets in whose quoted values a backslash hides what would end them (§6.3).
    private static func structuredDataEnd(_ line: Span<UInt8>, from start: Int) -> Int? {
        if line.octet(at: start) == ASCII.hyphen { return start + 1 }
        guard line.octet(at: start) == 0x5B else { return nil }
        var index = start
        var (isQuoted, isOpen) = (false, false)
        while index < line.count {
            switch line[index] {
            case ASCII.backslash where isQuoted: index += 1
            case ASCII.quote: isQuoted.toggle()
            case 0x5B where !isQuoted: isOpen = true
            case 0x5D where !isQuoted: isOpen = false
            case _ where !isOpen: return index
            default: break
            }
            index += 1
        }
        return isOpen || isQuoted ? nil : line.count
    }

    private static func number(_ digits: Span<UInt8>) -> Int {
        var value = 0
        for index in digits.indices {
            guard ASCII.isDigit(digits[index]), value < 1 << 40 else { return 0 }
            value = value * 10 + Int(digits[index] - ASCII.zero)
        }
        return value
    }
}
