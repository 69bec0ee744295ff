// Encoded words in fields that people read: `=?charset?B?...?=` and `=?charset?Q?...?=`. Only for looking at Subject and
// From, whose words tell what kind of message this is; nothing that is compared octet by octet passes here. RFC 2047.

enum EncodedWords {
    private struct Word {
        /// Where the charset, the one letter of the encoding and the text stand; `end` is behind the closing `?=`.
        var charset: Range<Int>
        var encoding: UInt8
        var text: Range<Int>
        var end: Int
    }

    /// Whether decoding would change anything: nearly never.
    static func mayStand(in body: Span<UInt8>) -> Bool {
        var index = 0
        while let start = body.firstIndex(of: ASCII.equals, from: index) {
            if body.octet(at: start + 1) == question { return true }
            index = start + 1
        }
        return false
    }

    /// The body with its encoded words decoded: UTF-8 and what is written in Latin-1 as UTF-8, other charsets as their octets.
    /// Blanks between two encoded words go (RFC 2047 6.2). What is no encoded word stays as it is.
    ///
    /// - Complexity: O(body.count): a `=?` without an end is looked at to the end of its piece only.
    static func decoded(_ body: Span<UInt8>) -> Octets {
        var output: Octets = []
        output.reserveCapacity(body.count)
        var index = 0, isBehindWord = false
        while index < body.count {
            if body[index] == ASCII.equals, let word = word(body, at: index) {
                append(word, of: body, to: &output)
                index = word.end
                isBehindWord = true
                continue
            }
            if isBehindWord {
                let next = body.skippingWhite(from: index)
                if next > index, next < body.count, body[next] == ASCII.equals, word(body, at: next) != nil { index = next; continue }
            }
            isBehindWord = false
            output.append(body[index])
            index += 1
        }
        return output
    }

    private static let question: UInt8 = 0x3F
    private static let base64: UInt8 = 0x62
    private static let quotedPrintable: UInt8 = 0x71
    /// RFC 2047 2 allows 75 for the whole word; programs write longer ones.
    private static let longestName = 40
    private static let longestText = 1024

    private static func word(_ body: Span<UInt8>, at start: Int) -> Word? {
        guard body.octet(at: start + 1) == question else { return nil }
        let head = body.extracting(0..<min(body.count, start + 2 + longestName))
        guard let name = head.firstIndex(of: question, from: start + 2), name > start + 2 else { return nil }
        guard let letter = body.octet(at: name + 1).map(ASCII.lowercase), letter == base64 || letter == quotedPrintable else { return nil }
        guard body.octet(at: name + 2) == question else { return nil }
        let tail = body.extracting(0..<min(body.count, name + 3 + longestText))
        guard let end = tail.firstIndex(of: question, from: name + 3), body.octet(at: end + 1) == ASCII.equals else { return nil }
        return Word(charset: (start + 2)..<name, encoding: letter, text: (name + 3)..<end, end: end + 2)
    }

    private static func append(_ word: Word, of body: Span<UInt8>, to output: inout Octets) {
        var octets: Octets = []
        if word.encoding == base64 {
            var decoder = TransferDecoder(.base64)
            decoder.decode(body.extracting(word.text), endsLine: false, into: &octets)
        } else {
            var text: Octets = []
            for index in word.text { text.append(body[index] == 0x5F ? ASCII.space : body[index]) }
            var decoder = TransferDecoder(.quotedPrintable)
            // A blank at the end of a line is no part of it, at the end of a word it is.
            text.append(ASCII.equals)
            decoder.decode(text.span, endsLine: true, into: &octets)
        }
        if isLatin(body.extracting(word.charset)) {
            for octet in octets {
                if octet >= 0x80 {
                    output.append(0xC0 | octet >> 6)
                    output.append(0x80 | octet & 0x3F)
                } else {
                    output.append(octet)
                }
            }
        } else {
            output += octets
        }
    }

    private static func isLatin(_ charset: Span<UInt8>) -> Bool {
        charset.spells("iso-8859-1") || charset.spells("windows-1252") || charset.spells("us-ascii")
    }
}

extension Span where Element == UInt8 {
    /// The index of the first octet from `start` on that is no blank and no control.
    fileprivate func skippingWhite(from start: Int) -> Int {
        var index = start
        while index < count, self[index] <= ASCII.space { index += 1 }
        return index
    }
}
