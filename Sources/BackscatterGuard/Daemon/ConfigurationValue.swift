// A TOML document as a plain value: what TOMLKit parsed, taken over at once, so that the rest of the configuration knows
// neither its classes nor its pointers.

import TOMLKit

/// A value of the configuration file, or of a flag.
enum ConfigurationValue: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case boolean(Bool)
    case array([ConfigurationValue])
    case table([String: ConfigurationValue])
    /// What no option takes, by the name of its type.
    case other(String)

    /// For messages: "a text", "an integer", …
    var typeName: String {
        switch self {
        case .text: "a text"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .array: "a list"
        case .table: "a table"
        case .other(let name): "a \(name)"
        }
    }

    /// Parses a document.
    ///
    /// - Throws: one fault, with the line where the syntax ends to be TOML.
    static func parse(_ octets: Octets, file: String) throws(ConfigurationError) -> [String: ConfigurationValue] {
        // Behind it stands C++ that reads up to a NUL: the rest of the file would be ignored in silence.
        if let place = octets.firstIndex(of: ASCII.nul) {
            throw fault(file, 1 + octets[..<place].count { $0 == ASCII.lf }, "a NUL octet; this is no text file")
        }
        guard let text = String(validating: octets, as: UTF8.self) else { throw fault(file, nil, "not in UTF-8; save it so") }
        do {
            return table(try TOMLTable(string: text))
        } catch let error as TOMLParseError {
            throw fault(file, error.source.begin.line, "\(error.description) (TOML: a text stands in double quotes, a key once)")
        } catch {
            throw fault(file, nil, "not TOML: \(error)")
        }
    }

    private static func fault(_ file: String, _ line: Int?, _ problem: String) -> ConfigurationError {
        ConfigurationError([.init(file: file, line: line, problem: problem)])
    }

    // Recursion is safe here: the file is the administrator's, and the parser stops at 256 levels.
    private static func table(_ table: TOMLTable) -> [String: ConfigurationValue] {
        var values: [String: ConfigurationValue] = [:]
        for key in table.keys {
            guard let value = table[key] else { continue }
            values[key] = convert(value)
        }
        return values
    }

    private static func convert(_ value: any TOMLValueConvertible) -> ConfigurationValue {
        if let text = value.string { return .text(text) }
        if let number = value.int { return .integer(number) }
        if let truth = value.bool { return .boolean(truth) }
        if let list = value.array { return .array(list.map(convert)) }
        if let inner = value.table { return .table(table(inner)) }
        return .other(value.type.description)
    }
}
