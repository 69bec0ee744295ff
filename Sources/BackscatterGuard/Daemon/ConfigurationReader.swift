// Walks a parsed file along the table of options. Collects every fault instead of stopping at the first.

/// Reads the tables of one file into values, and keeps what was wrong.
struct ConfigurationReader {
    private let file: String?
    private(set) var faults: [ConfigurationError.Fault] = []

    init(file: String?) {
        self.file = file
    }

    mutating func fault(_ keyPath: String?, _ problem: String) {
        faults.append(.init(file: file, keyPath: keyPath, problem: problem))
    }

    /// Reads the keys of one table.
    ///
    /// - Parameter path: the table's key path; empty at the top.
    /// - Parameter others: keys that may stand there too and are read elsewhere.
    mutating func read<Target>(
        _ table: [String: ConfigurationValue], at path: String, with options: [ConfigurationOption<Target>], others: [String] = [],
        into target: inout Target
    ) {
        for (key, value) in table.sorted(by: { $0.key < $1.key }) where !others.contains(key) {
            guard let option = options.first(where: { $0.key == key }) else {
                fault(Self.path(path, key), Self.unknown(key, in: options.map(\.key) + others, atTop: path.isEmpty))
                continue
            }
            read(value, with: option, at: Self.path(path, key), into: &target)
        }
    }

    mutating func read<Target>(_ value: ConfigurationValue, with option: ConfigurationOption<Target>, at path: String, into target: inout Target) {
        do {
            try option.read(value, &target)
        } catch {
            fault(path + error.place, error.problem)
        }
    }

    /// The table at a key; a fault when something else stands there.
    mutating func table(_ value: ConfigurationValue?, at path: String, example: String) -> [String: ConfigurationValue] {
        switch value {
        case nil: break
        case .table(let table)?: return table
        case let other?: fault(path, "\(other.shown) won't do; write a table, as \(example)")
        }
        return [:]
    }

    /// `listener[1].port`, `domain."example.org".mode`.
    static func path(_ path: String, _ key: String) -> String {
        let isBare = !key.isEmpty && key.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.hyphen || $0 == 0x5F }
        let name = isBare ? key : TOMLText.text(key)
        return path.isEmpty ? name : "\(path).\(name)"
    }

    private static func unknown(_ key: String, in known: [String], atTop: Bool) -> String {
        let topKeys = Options.top.flatMap(\.options).map(\.key)
        if !atTop, topKeys.contains(key) {
            return "unknown key here; \(key) belongs to the top of the file, before the first [table]"
        }
        if let near = NearestWord.find(key, in: known) { return "unknown key; did you mean \(near)?" }
        return known.count <= 16 ? "unknown key; there are \(known.joined(separator: ", "))" : "unknown key; docs/reference/guardd.toml.md lists all"
    }
}

/// The word that was probably meant.
enum NearestWord {
    /// - Returns: the nearest of `words` within a third of the length of `word`, but 2 at least; nil when none is.
    static func find(_ word: String, in words: [String]) -> String? {
        let limit = max(2, word.utf8.count / 3)
        let ranked = words.map { (word: $0, distance: distance(Octets(word.utf8), Octets($0.utf8))) }
        return ranked.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.word
    }

    /// Insertions, deletions and replacements that turn one into the other (Levenshtein).
    static func distance(_ one: Octets, _ other: Octets) -> Int {
        var row = Array(0...other.count)
        for (line, octet) in one.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, candidate) in other.enumerated() {
                let replaced = diagonal + (octet == candidate ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[other.count]
    }
}
