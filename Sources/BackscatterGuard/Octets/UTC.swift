// Days and points in time as text, in UTC, by arithmetic alone: the log's days must not depend on a time zone.

/// Days since 1970, the grain in which records expire.
public enum Day {
    public static let seconds: Int64 = 86_400

    /// The day of a time; outside ±5 million years the last one that fits.
    static func number(_ time: Int64) -> Int32 {
        let day = time >= 0 ? time / seconds : -((-(time + 1)) / seconds) - 1
        return Int32(clamping: day)
    }

    static func start(_ day: Int32) -> Int64 { Int64(day) * seconds }
}

/// Points in time as people write them.
public enum UTC {
    /// `2026-11-22T05:23:00Z`
    public static func text(_ time: Int64) -> String {
        let (year, month, day) = civil(Day.number(time))
        let second = Int(time - Day.start(Day.number(time)))
        return "\(padded(year, 4))-\(padded(month))-\(padded(day))T\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))Z"
    }

    /// `2026-11-22`
    public static func day(_ day: Int32) -> String {
        let (year, month, day) = civil(day)
        return "\(padded(year, 4))-\(padded(month))-\(padded(day))"
    }

    /// Reads `2026-11-22`, `2026-11-22T05:23`, `2026-11-22 05:23:00Z` (all UTC), `@1795324980` (until 2106) or an age such as `10d`, `36h`.
    ///
    /// - Returns: nil when it is none of these, or no such day or time exists.
    public static func time(_ text: String, now: Int64) -> Int64? {
        if text.hasPrefix("@") { return UInt32(text.dropFirst()).map(Int64.init) }
        if let unit = text.utf8.last, let factor = [0x64: Day.seconds, 0x68: 3600][Int(unit)] {
            guard let count = UInt32(text.dropLast()) else { return nil }
            return now - Int64(count) * factor
        }
        return stamp(text)
    }

    private static func stamp(_ text: String) -> Int64? {
        var octets = Octets(text.utf8)
        if octets.last == 0x5A, octets.count > 10 { octets.removeLast() }
        guard [10, 16, 19].contains(octets.count) else { return nil }
        let mould = Octets("0000-00-00T00:00:00".utf8)
        for (index, octet) in octets.enumerated() {
            let fits = switch mould[index] {
            case ASCII.zero: ASCII.isDigit(octet)
            case 0x54: octet == 0x54 || octet == ASCII.space
            default: octet == mould[index]
            }
            guard fits else { return nil }
        }
        func number(_ at: Int, _ count: Int) -> Int {
            guard at < octets.count else { return 0 }
            return octets[at..<at + count].reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
        }
        let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2))
        let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2))
        return time(year, month, day, hour, minute, second)
    }

    /// Seconds since 1970; nil when no such day or time exists. The second may be a leap second.
    static func time(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int) -> Int64? {
        let days = serial(year, month, day)
        guard civil(days) == (year, month, day), hour < 24, minute < 60, second < 61 else { return nil }
        return Day.start(days) + Int64(hour * 3600 + minute * 60 + second)
    }

    /// A date and seconds of its day; nil when there is no such day, or it is not between the years 1970 and 9999.
    static func time(year: Int, month: Int, day: Int, second: Int) -> Int64? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        let days = serial(year, month, day)
        return civil(days) == (year, month, day) ? Day.start(days) + Int64(second) : nil
    }

    /// Proleptic Gregorian date of a day number; years begin in March so that the leap day is last.
    private static func civil(_ day: Int32) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(day) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * ofYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static func serial(_ year: Int, _ month: Int, _ day: Int) -> Int32 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let ofEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear
        return Int32(clamping: era * 146_097 + ofEra - 719_468)
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
