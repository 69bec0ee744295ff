// The stamps in front of log lines. Most tell local time, and the oldest form no year: it is guessed from the present.
// The stamp of the line before is kept: in a busy log most lines of a second begin alike.

import Glibc

/// Reads stamps: `Nov 22 03:31:00` (RFC 3164 4.1.2), `2026-11-22T03:49:03.428585+00:00` (RFC 3339),
/// `2026-11-22 03:32:32.120 +0100` (Exim), and the first with a year: `Nov 22 2026 03:31:00`, `2026 Nov 22 03:31:00`
/// (syslog-ng), `Sun Nov 22 03:31:00 2026` (OpenWrt).
struct LogClock: Sendable {
    /// A stamp with its end.
    struct Stamp: Equatable {
        /// Seconds since 1970.
        let time: Int64
        /// The octet behind it.
        let end: Int
    }

    /// A stamp may be so many seconds ahead of `now` before it counts as last year's.
    private static let ahead: Int64 = 2 * Day.seconds
    private static let months = Octets("janfebmaraprmayjunjulaugsepoctnovdec".utf8)
    private static let classicLength = 15

    /// The present, or for an old file when it was written last: what tells the year.
    var now: Int64
    private let isUTC: Bool
    private var lastOctets = Octets(repeating: 0, count: classicLength)
    private var lastTime: Int64 = 0
    private var lastNow: Int64 = .max

    /// - Parameter isUTC: stamps without a zone are UTC, whatever the machine's zone is.
    init(now: Int64, isUTC: Bool = false) {
        self.now = now
        self.isUTC = isUTC
    }

    /// The stamp at `start`; nil when there is none.
    mutating func stamp(_ line: Span<UInt8>, at start: Int) -> Stamp? {
        guard let first = line.octet(at: start) else { return nil }
        if ASCII.isDigit(first) {
            return line.octet(at: start + 4) == ASCII.space ? withYear(line, year: start, date: start + 5, time: start + 12, end: start + 20) : dated(line, at: start)
        }
        return ASCII.isLetter(first) ? classic(line, at: start) : nil
    }

    private mutating func classic(_ line: Span<UInt8>, at start: Int) -> Stamp? {
        let end = start + LogClock.classicLength
        guard line.count > end else { return nil }
        if now >= lastNow, now - lastNow < 60, isSame(line, at: start) { return Stamp(time: lastTime, end: LogClock.fractionEnd(line, at: end)) }
        guard let month = LogClock.month(line, at: start) else {
            return withYear(line, year: start + 20, date: start + 4, time: start + 11, end: start + 24)
        }
        guard line[start + 3] == ASCII.space, line[start + 6] == ASCII.space, let day = LogClock.number(line, start + 4, 2) else { return nil }
        guard let time = LogClock.timeOfDay(line, at: start + 7) else {
            return withYear(line, year: start + 7, date: start, time: start + 12, end: start + 20)
        }
        guard let found = guess(month: month, day: day, time) else { return nil }
        for index in 0..<LogClock.classicLength { lastOctets[index] = line[start + index] }
        (lastTime, lastNow) = (found, now)
        return Stamp(time: found, end: LogClock.fractionEnd(line, at: end))
    }

    /// Month and day at `date`, as `Nov 22`, each part where its form has it and a space before and behind it.
    private func withYear(_ line: Span<UInt8>, year: Int, date: Int, time: Int, end: Int) -> Stamp? {
        guard line.count >= end, line[date + 3] == ASCII.space, line[date + 6] == ASCII.space, line[time - 1] == ASCII.space,
            let month = LogClock.month(line, at: date), let day = LogClock.number(line, date + 4, 2), let yearNumber = LogClock.number(line, year, 4),
            let second = LogClock.timeOfDay(line, at: time), let found = seconds(yearNumber, month, day, second)
        else { return nil }
        return Stamp(time: found, end: LogClock.fractionEnd(line, at: end))
    }

    /// Behind `.123` or `,123`, if it is there.
    private static func fractionEnd(_ line: Span<UInt8>, at start: Int) -> Int {
        guard let point = line.octet(at: start), point == ASCII.dot || point == ASCII.comma else { return start }
        var index = start + 1
        while let octet = line.octet(at: index), ASCII.isDigit(octet) { index += 1 }
        return index
    }

    private func isSame(_ line: Span<UInt8>, at start: Int) -> Bool {
        var index = LogClock.classicLength - 1
        while index >= 0 {
            if lastOctets[index] != line[start + index] { return false }
            index -= 1
        }
        return true
    }

    /// The newest year in which the stamp is not in the future.
    private func guess(month: Int, day: Int, _ time: Int) -> Int64? {
        guard let year = civilYear() else { return nil }
        for candidate in [year + 1, year, year - 1, year - 2, year - 3, year - 4] {
            guard let found = seconds(candidate, month, day, time), found <= now + LogClock.ahead else { continue }
            return found
        }
        return nil
    }

    /// In UTC: near enough, for a year more and a year less are tried as well.
    private func civilYear() -> Int? { Int(UTC.day(Day.number(now)).prefix(4)) }

    /// `YYYY-MM-DD`, `T` or a space, `hh:mm:ss`, a fraction, a zone.
    private mutating func dated(_ line: Span<UInt8>, at start: Int) -> Stamp? {
        guard line.count >= start + 19, let year = LogClock.number(line, start, 4), line[start + 4] == ASCII.hyphen,
            let month = LogClock.number(line, start + 5, 2), line[start + 7] == ASCII.hyphen,
            let day = LogClock.number(line, start + 8, 2), line[start + 10] == 0x54 || line[start + 10] == ASCII.space,
            let time = LogClock.timeOfDay(line, at: start + 11)
        else { return nil }
        let end = LogClock.fractionEnd(line, at: start + 19)
        if let zone = LogClock.zone(line, at: end) {
            guard let found = UTC.time(year: year, month: month, day: day, second: time) else { return nil }
            return Stamp(time: found - Int64(zone.offset), end: zone.end)
        }
        guard let found = seconds(year, month, day, time) else { return nil }
        return Stamp(time: found, end: end)
    }

    /// `Z`, `+01:00`, ` +0100`.
    private static func zone(_ line: Span<UInt8>, at start: Int) -> (offset: Int, end: Int)? {
        var index = start
        if line.octet(at: index) == ASCII.space { index += 1 }
        guard let sign = line.octet(at: index) else { return nil }
        if sign == 0x5A, index == start { return (0, index + 1) }
        guard sign == 0x2B || sign == ASCII.hyphen, let hours = number(line, index + 1, 2) else { return nil }
        let minutesAt = line.octet(at: index + 3) == ASCII.colon ? index + 4 : index + 3
        guard let minutes = number(line, minutesAt, 2) else { return nil }
        let offset = hours * 3600 + minutes * 60
        return (sign == ASCII.hyphen ? -offset : offset, minutesAt + 2)
    }

    private func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: Int) -> Int64? {
        guard UTC.time(year: year, month: month, day: day, second: time) != nil else { return nil }
        if isUTC { return UTC.time(year: year, month: month, day: day, second: time) }
        var parts = unsafe tm()
        unsafe parts.tm_year = CInt(year - 1900)
        unsafe parts.tm_mon = CInt(month - 1)
        unsafe parts.tm_mday = CInt(day)
        unsafe parts.tm_hour = CInt(time / 3600)
        unsafe parts.tm_min = CInt(time / 60 % 60)
        unsafe parts.tm_sec = CInt(time % 60)
        unsafe parts.tm_isdst = -1
        return unsafe Int64(mktime(&parts))
    }

    /// `hh:mm:ss`, as seconds of the day.
    private static func timeOfDay(_ line: Span<UInt8>, at start: Int) -> Int? {
        guard let hour = number(line, start, 2), line.octet(at: start + 2) == ASCII.colon, let minute = number(line, start + 3, 2),
            line.octet(at: start + 5) == ASCII.colon, let second = number(line, start + 6, 2), hour < 24, minute < 60, second < 61
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private static func month(_ line: Span<UInt8>, at start: Int) -> Int? {
        for month in 0..<12 {
            let name = month * 3
            if months[name] == ASCII.lowercase(line[start]), months[name + 1] == ASCII.lowercase(line[start + 1]),
                months[name + 2] == ASCII.lowercase(line[start + 2])
            { return month + 1 }
        }
        return nil
    }

    /// Digits, the first of which may be a space.
    private static func number(_ line: Span<UInt8>, _ start: Int, _ count: Int) -> Int? {
        guard start >= 0, start + count <= line.count else { return nil }
        var value = 0
        for index in start..<start + count {
            let octet = line[index]
            if octet == ASCII.space, index == start, count == 2 { continue }
            guard ASCII.isDigit(octet) else { return nil }
            value = value * 10 + Int(octet - ASCII.zero)
        }
        return value
    }
}
