// Looks for many phrases in a text at once. Nearly all words of a text begin no phrase, so a filter on their first three
// octets comes first; the phrases lie in one store, for an array of arrays costs a count of references at every look.

/// A set of lower-case phrases of three octets or more, looked for at the beginnings of words.
struct PhraseSet: Sendable {
    private static let keyLength = 3
    private static let filterBits = 4096

    private var octets: Octets = []
    /// Where each phrase begins in `octets`; behind the last one its end.
    private var starts: [Int] = [0]
    /// The first three octets of each phrase.
    private var keys: [UInt32] = []
    /// The first phrase of each first octet; the phrases stand in the order of these.
    private var buckets: [Int] = []
    /// A bit for each key.
    private var filter: [UInt64] = Array(repeating: 0, count: filterBits / 64)

    init(_ phrases: [String]) {
        var sorted: [[Octets]] = Array(repeating: [], count: 256)
        for phrase in phrases.map({ Octets($0.utf8) }) where phrase.count >= PhraseSet.keyLength { sorted[Int(phrase[0])].append(phrase) }
        for bucket in sorted {
            buckets.append(starts.count - 1)
            for phrase in bucket {
                octets += phrase
                starts.append(octets.count)
                keys.append(PhraseSet.key(phrase.span, 0))
                let bit = PhraseSet.filterBit(PhraseSet.key(phrase.span, 0))
                filter[bit / 64] |= 1 << UInt64(bit % 64)
            }
        }
        buckets.append(starts.count - 1)
    }

    /// Whether one of the phrases stands in `text`, in any case of A-Z; single blanks between words.
    ///
    /// - Complexity: O(text.count), and for the words that pass the filter the phrases that share their first letters.
    func isFound(in text: Span<UInt8>) -> Bool {
        var open = 0
        return isFound(in: text, open: &open)
    }

    /// The same for a text of which more may come.
    ///
    /// - Parameter open: lowered to the first place where a phrase may have begun that `text` does not end.
    func isFound(in text: Span<UInt8>, open: inout Int) -> Bool {
        let last = text.count - PhraseSet.keyLength
        var isWordStart = true
        for index in 0..<text.count {
            let octet = text[index]
            if isWordStart {
                if index > last {
                    open = min(open, index)
                    return false
                }
                if isFound(in: text, at: index, open: &open) { return true }
            }
            isWordStart = !(ASCII.isLetter(octet) || octet >= 0x80)
        }
        return false
    }

    /// Whether `line` begins with one of the phrases, in any case, from its first letter on: dashes, bars and stars
    /// before it don't count, nor does how many blanks stand between the words.
    func isPrefix(of line: Span<UInt8>, from start: Int = 0) -> Bool {
        var first = start
        while first < line.count, !ASCII.isLetter(line[first]), !ASCII.isDigit(line[first]), line[first] < 0x80 { first += 1 }
        guard first + PhraseSet.keyLength <= line.count else { return false }
        let key = PhraseSet.key(line, first)
        guard mayHold(key) else { return false }
        for phrase in phrases(at: line[first]) where keys[phrase] == key && isLoose(phrase, line, first) { return true }
        return false
    }

    private func isFound(in text: Span<UInt8>, at start: Int, open: inout Int) -> Bool {
        let key = PhraseSet.key(text, start)
        guard mayHold(key) else { return false }
        for phrase in phrases(at: text[start]) where keys[phrase] == key {
            let length = starts[phrase + 1] - starts[phrase]
            let known = min(length, text.count - start)
            guard isExact(starts[phrase], known, text, start) else { continue }
            if known == length { return true }
            open = min(open, start)
        }
        return false
    }

    private func mayHold(_ key: UInt32) -> Bool {
        let bit = PhraseSet.filterBit(key)
        return filter[bit / 64] & (1 << UInt64(bit % 64)) != 0
    }

    private func phrases(at first: UInt8) -> Range<Int> {
        let bucket = Int(ASCII.lowercase(first))
        return buckets[bucket]..<buckets[bucket + 1]
    }

    /// The same for all that may stand for the same phrase: behind a blank there may be more of them.
    private static func key(_ text: Span<UInt8>, _ start: Int) -> UInt32 {
        let first = UInt32(ASCII.lowercase(text[start])) << 16
        if ASCII.isBlank(text[start + 1]) { return first | UInt32(ASCII.space) << 8 }
        let third = text[start + 2] == ASCII.tab ? ASCII.space : ASCII.lowercase(text[start + 2])
        return first | UInt32(ASCII.lowercase(text[start + 1])) << 8 | UInt32(third)
    }

    private static func filterBit(_ key: UInt32) -> Int { Int((key &* 0x9E37_79B1) >> 20) }

    private func isExact(_ phrase: Int, _ length: Int, _ text: Span<UInt8>, _ start: Int) -> Bool {
        for index in 0..<length where ASCII.lowercase(text[start + index]) != octets[phrase + index] { return false }
        return true
    }

    private func isLoose(_ phrase: Int, _ line: Span<UInt8>, _ start: Int) -> Bool {
        guard starts[phrase + 1] - starts[phrase] <= line.count - start else { return false }
        var place = start
        for index in starts[phrase]..<starts[phrase + 1] {
            guard place < line.count else { return false }
            if octets[index] == ASCII.space {
                guard ASCII.isBlank(line[place]) else { return false }
                while place < line.count, ASCII.isBlank(line[place]) { place += 1 }
            } else {
                guard ASCII.lowercase(line[place]) == octets[index] else { return false }
                place += 1
            }
        }
        return true
    }
}
