// Durations and sizes as people write them: "10d", "500ms", "256KiB". A plain integer counts seconds or octets. The
// same units are written into the generated files, so what is printed can be read back.

/// Text forms of amounts of time and of octets.
enum ConfigurationUnits {
    static let durationHelp = "a number with ms, s, m, h or d, as \"300s\" or \"10d\""
    static let sizeHelp = "a number with B, KiB, MiB or GiB, as \"256KiB\""

    private static let durations: [(unit: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]
    private static let sizes: [(unit: String, octets: Int)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)]

    /// - Returns: nil for another type, unit or sign, and for what doesn't fit into 63 bits of milliseconds.
    static func duration(_ value: ConfigurationValue) -> Duration? {
        switch value {
        case .integer(let seconds): amount(seconds, times: 1_000).map { .milliseconds($0) }
        case .text(let text): amount(text, in: durations.map { ($0.unit, $0.milliseconds) }).map { .milliseconds($0) }
        case .boolean, .array, .table, .other: nil
        }
    }

    /// - Returns: octets; nil for another type, unit or sign, and for what doesn't fit into 63 bits.
    static func size(_ value: ConfigurationValue) -> Int? {
        switch value {
        case .integer(let octets): amount(octets, times: 1)
        case .text(let text): amount(text, in: sizes.map { ($0.unit, $0.octets) })
        case .boolean, .array, .table, .other: nil
        }
    }

    /// In the largest unit that leaves no rest, but seconds up to ten minutes.
    static func text(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        if milliseconds % 1_000 == 0, milliseconds <= 600_000 { return "\(milliseconds / 1_000)s" }
        return text(milliseconds, in: durations.map { ($0.unit, $0.milliseconds) })
    }

    static func text(size: Int) -> String { size == 0 ? "0" : text(size, in: sizes.map { ($0.unit, $0.octets) }) }

    private static func text(_ amount: Int, in units: [(String, Int)]) -> String {
        for (unit, factor) in units where amount % factor == 0 { return "\(amount / factor)\(unit)" }
        return String(amount)
    }

    private static func amount(_ text: String, in units: [(String, Int)]) -> Int? {
        let digits = text.utf8.prefix(while: ASCII.isDigit)
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int(String(digits) ?? ""), let factor = units.first(where: { $0.0 == unit })?.1 else { return nil }
        return amount(number, times: factor)
    }

    private static func amount(_ number: Int, times factor: Int) -> Int? {
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return number >= 0 && !overflow ? product : nil
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
