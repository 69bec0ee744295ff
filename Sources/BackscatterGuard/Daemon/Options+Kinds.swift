// The kinds of option there are. Each takes its default from a fresh `Configuration` (or other target), so a default is
// written down once, where the property is.
//
// Rule broken (at most 5 parameters) because each call is a row of a table, and its labels are the columns.

typealias Field<Target, Value> = WritableKeyPath<Target, Value> & Sendable

extension ConfigurationOption {
    static func integer(_ key: String, _ field: Field<Target, Int>, of fresh: Target, in range: ClosedRange<Int>, _ prose: String) -> Self {
        let standard = String(fresh[keyPath: field])
        let rangeText = "\(range.lowerBound) to \(range.upperBound)"
        return Self(key: key, type: "integer", range: rangeText, standard: standard, sample: standard, prose: prose) { value, target throws(WrongValue) in
            guard case .integer(let number) = value, range.contains(number) else {
                throw WrongValue(problem: "\(value.shown) won't do; write an integer, \(rangeText)")
            }
            target[keyPath: field] = number
        }
    }

    static func boolean(_ key: String, _ field: Field<Target, Bool>, of fresh: Target, _ prose: String) -> Self {
        let standard = String(fresh[keyPath: field])
        return Self(key: key, type: "boolean", standard: standard, sample: standard, prose: prose) { value, target throws(WrongValue) in
            guard case .boolean(let truth) = value else { throw WrongValue(problem: "\(value.shown) won't do; write true or false, without quotes") }
            target[keyPath: field] = truth
        }
    }

    static func duration(
        _ key: String, _ field: Field<Target, Duration>, of fresh: Target, in range: ClosedRange<Duration>, _ prose: String
    ) -> Self {
        let standard = TOMLText.text(ConfigurationUnits.text(fresh[keyPath: field]))
        let rangeText = "\(ConfigurationUnits.text(range.lowerBound)) to \(ConfigurationUnits.text(range.upperBound))"
        return Self(key: key, type: "duration", range: rangeText, standard: standard, sample: standard, prose: prose) { value, target throws(WrongValue) in
            guard let duration = ConfigurationUnits.duration(value) else {
                throw WrongValue(problem: "\(value.shown) is no duration; write \(ConfigurationUnits.durationHelp)")
            }
            guard range.contains(duration) else { throw WrongValue(problem: "\(value.shown) won't do; write a duration, \(rangeText)") }
            target[keyPath: field] = duration
        }
    }

    static func size(_ key: String, _ field: Field<Target, Int>, of fresh: Target, in range: ClosedRange<Int>, _ prose: String) -> Self {
        let standard = TOMLText.text(ConfigurationUnits.text(size: fresh[keyPath: field]))
        let rangeText = "\(ConfigurationUnits.text(size: range.lowerBound)) to \(ConfigurationUnits.text(size: range.upperBound))"
        return Self(key: key, type: "size", range: rangeText, standard: standard, sample: standard, prose: prose) { value, target throws(WrongValue) in
            guard let size = ConfigurationUnits.size(value) else {
                throw WrongValue(problem: "\(value.shown) is no size; write \(ConfigurationUnits.sizeHelp)")
            }
            guard range.contains(size) else { throw WrongValue(problem: "\(value.shown) won't do; write a size, \(rangeText)") }
            target[keyPath: field] = size
        }
    }

    /// A word of a closed set.
    static func choice<Word: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, _ field: Field<Target, Word>, of fresh: Target, _ prose: String
    ) -> Self {
        word(key, standard: TOMLText.text(fresh[keyPath: field].rawValue), prose) { (word: Word, target) in target[keyPath: field] = word }
    }

    /// A word of a closed set that needn't be there: then `standard` tells what holds.
    static func word<Word: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, standard: String?, _ prose: String, _ put: @escaping @Sendable (Word, inout Target) -> Void
    ) -> Self {
        let words = Word.allCases.map { TOMLText.text($0.rawValue) }.joined(separator: ", ")
        let sample = standard ?? TOMLText.text(Word.allCases.first?.rawValue ?? "")
        return Self(key: key, type: "text", range: words, standard: standard, sample: sample, prose: prose) { value, target throws(WrongValue) in
            guard case .text(let text) = value, let word = Word(rawValue: text) else {
                throw WrongValue(problem: "\(value.shown) won't do; write one of \(words)")
            }
            put(word, &target)
        }
    }

    /// A text that `parse` reads; `expected` says which are right.
    static func text(
        _ key: String, standard: String?, sample: String, expected: String, _ prose: String,
        _ parse: @escaping @Sendable (String, inout Target) -> Bool
    ) -> Self {
        Self(key: key, type: "text", standard: standard, sample: TOMLText.text(sample), prose: prose) { value, target throws(WrongValue) in
            guard case .text(let text) = value, parse(text, &target) else {
                throw WrongValue(problem: "\(value.shown) won't do; write \(expected)")
            }
        }
    }

    /// A list of texts, each read by `parse`; replaces what the target had.
    static func list<Element>(
        _ key: String, _ field: Field<Target, [Element]>, standard: [String], sample: [String], expected: String, _ prose: String,
        _ parse: @escaping @Sendable (String) -> Element?
    ) -> Self {
        Self(key: key, type: "list of texts", standard: TOMLText.list(standard), sample: TOMLText.list(sample), prose: prose) { value, target throws(WrongValue) in
            guard case .array(let values) = value else {
                throw WrongValue(problem: "\(value.shown) won't do; write a list, as \(TOMLText.list(sample))")
            }
            var elements: [Element] = []
            for (index, value) in values.enumerated() {
                guard case .text(let text) = value, let element = parse(text) else {
                    throw WrongValue(place: "[\(index)]", problem: "\(value.shown) won't do; write \(expected)")
                }
                elements.append(element)
            }
            target[keyPath: field] = elements
        }
    }
}

extension ConfigurationValue {
    /// As a message quotes it: bounded and on one line.
    var shown: String {
        switch self {
        case .text(let text): TOMLText.text(text.count > 60 ? text.prefix(60) + "..." : text)
        case .integer(let number): String(number)
        case .boolean(let truth): String(truth)
        case .array, .table, .other: typeName
        }
    }
}

/// Values written as TOML.
enum TOMLText {
    static func text(_ text: some StringProtocol) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.properties.generalCategory == .control: quoted += " "
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    static func list(_ texts: [String]) -> String { "[" + texts.map { text($0) }.joined(separator: ", ") + "]" }
}
