// The Date field, as far as it is needed to tell whether a mail is older than a moment. RFC 5322 §3.3, with the obsolete
// zones and two-digit years of §4.3. Comments are passed over only at the end, where they are usual.

enum MessageDate {
    private static let months: [StaticString] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// - Parameter body: a Date field's body, unfolded.
    /// - Returns: seconds since 1970; nil when it is no date.
    static func seconds(_ body: Span<UInt8>) -> Int64? {
        var words: [Range<Int>] = []
        split(body, into: &words)
        if let first = words.first, !ASCII.isDigit(body[first.lowerBound]) { words.removeFirst() }
        guard words.count >= 4, let day = number(body, words[0]), let month = months.firstIndex(where: { body.spells($0, in: words[1]) }),
              let year = year(body, words[2]), let time = time(body, words[3])
        else { return nil }
        let zone = words.count > 4 ? offset(body, words[4]) : 0
        return UTC.time(year, month + 1, day, time.hour, time.minute, time.second).map { $0 - Int64(zone) }
    }

    /// Words end at white space and commas; at most five are of use.
    private static func split(_ body: Span<UInt8>, into words: inout [Range<Int>]) {
        var index = 0
        while index < body.count, words.count < 6 {
            let start = index
            while index < body.count, body[index] > ASCII.space, body[index] != 0x2C { index += 1 }
            if index > start { words.append(start..<index) } else { index += 1 }
        }
    }

    private static func number(_ body: Span<UInt8>, _ word: Range<Int>) -> Int? {
        guard (1...4).contains(word.count) else { return nil }
        var value = 0
        for index in word {
            guard ASCII.isDigit(body[index]) else { return nil }
            value = value * 10 + Int(body[index] - ASCII.zero)
        }
        return value
    }

    private static func year(_ body: Span<UInt8>, _ word: Range<Int>) -> Int? {
        guard let value = number(body, word), word.count >= 2 else { return nil }
        switch word.count {
        case 2: return value < 50 ? value + 2000 : value + 1900
        case 3: return value + 1900
        default: return value >= 1900 ? value : nil
        }
    }

    private static func time(_ body: Span<UInt8>, _ word: Range<Int>) -> (hour: Int, minute: Int, second: Int)? {
        var parts: [Int] = []
        var start = word.lowerBound
        for index in word.lowerBound...word.upperBound where index == word.upperBound || body[index] == 0x3A {
            guard index - start <= 2, let part = number(body, start..<index) else { return nil }
            parts.append(part)
            start = index + 1
        }
        guard (2...3).contains(parts.count) else { return nil }
        return (parts[0], parts[1], parts.count == 3 ? parts[2] : 0)
    }

    /// Seconds east of Greenwich; letters that are not known count as none (§4.3).
    private static func offset(_ body: Span<UInt8>, _ word: Range<Int>) -> Int {
        let sign = body[word.lowerBound]
        if sign == 0x2B || sign == ASCII.hyphen, word.count == 5, let digits = number(body, word.lowerBound + 1..<word.upperBound) {
            let seconds = (digits / 100 * 60 + digits % 100) * 60
            return sign == ASCII.hyphen ? -seconds : seconds
        }
        let zones: [(StaticString, Int)] = [("est", -5), ("edt", -4), ("cst", -6), ("cdt", -5), ("mst", -7), ("mdt", -6), ("pst", -8), ("pdt", -7)]
        return (zones.first { body.spells($0.0, in: word) }?.1 ?? 0) * 3600
    }
}
