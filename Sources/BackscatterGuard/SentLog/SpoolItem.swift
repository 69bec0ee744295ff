// What a file of the spool holds: items, one behind the other. Each begins with a line of its kind, time, length and
// checksum, so that of a torn file all before the tear is kept (THREATS R23).
//
//     guardd-spool record 1795348800 52 cbf43926
//     <one@example.org>  ann@example.org  bob@b.example

/// Something that a program under another user has to tell the sent log.
struct SpoolItem: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// A line of RecordLine, without its end.
        case record(Octets)
        /// A mail left unrecorded.
        case unrecorded
    }

    private static let magic = Octets("guardd-spool".utf8)
    /// A first line is at most this long.
    private static let longestHead = 80

    var kind: Kind
    /// When the mail was sent; seconds since 1970.
    var time: Int64

    var octets: Octets {
        let (word, body) = switch kind {
        case .record(let line): ("record", line + [ASCII.lf])
        case .unrecorded: ("unrecorded", Octets())
        }
        let sum = SpoolItem.sum(word, time, body)
        return SpoolItem.magic + Octets(" \(word) \(time) \(body.count) \(sum)\n".utf8) + body
    }

    /// - Returns: the items up to the first that is not whole, and whether there was one.
    static func read(_ file: Octets) -> (items: [SpoolItem], isDamaged: Bool) {
        var items: [SpoolItem] = []
        var rest = file[...]
        while !rest.isEmpty {
            guard let item = takeItem(&rest) else { return (items, true) }
            items.append(item)
        }
        return (items, false)
    }

    private static func takeItem(_ rest: inout ArraySlice<UInt8>) -> SpoolItem? {
        guard let end = rest.prefix(longestHead).firstIndex(of: ASCII.lf) else { return nil }
        let words = rest[..<end].split(separator: ASCII.space, omittingEmptySubsequences: false)
        guard words.count == 5, words[0].elementsEqual(magic), let time = number(words[2]), let length = number(words[3]),
              length <= rest.endIndex - end - 1
        else { return nil }
        let word = String(decoding: words[1], as: UTF8.self)
        let body = Octets(rest[(end + 1)..<(end + 1 + Int(length))])
        guard words[4].elementsEqual(sum(word, time, body).utf8) else { return nil }
        rest = rest[(end + 1 + Int(length))...]
        switch word {
        case "record" where body.last == ASCII.lf: return SpoolItem(kind: .record(body.dropLast()), time: time)
        case "unrecorded": return SpoolItem(kind: .unrecorded, time: time)
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard (1...12).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - ASCII.zero) }
    }

    private static func sum(_ word: String, _ time: Int64, _ body: Octets) -> String {
        let hex = String(Checksum.crc32(Octets("\(word) \(time)\n".utf8) + body), radix: 16)
        return String(repeating: "0", count: 8 - hex.count) + hex
    }
}

extension SpoolItem.Kind {
    fileprivate static func record(_ line: ArraySlice<UInt8>) -> Self { .record(Octets(line)) }
}
