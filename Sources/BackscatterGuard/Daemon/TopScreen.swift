// The screen of `guardd top`, as a function of what it shows. Nothing is longer than the terminal is wide, and what is of a
// stranger stands there without controls: it can't move the cursor.

/// Draws values for a terminal of a size.
public struct TopScreen: Sendable {
    /// Columns and lines. Meant for 80 × 24 and more; smaller ones show what fits.
    public var width: Int
    public var height: Int
    /// Bars of Unicode; else of ASCII.
    public var isUTF8: Bool

    public init(width: Int, height: Int, isUTF8: Bool) { (self.width, self.height, self.isUTF8) = (width, height, isUTF8) }

    /// At most `height` lines of at most `width` characters.
    public func lines(_ values: TopValues) -> [String] {
        let head = [title(values), load(values), ""]
        let middle = verdictLines(values)
        let foot = ["", "q quits"]
        // The lists share what is left; each has a heading, and a line between the two pairs.
        let left = max(0, height - head.count - middle.count - foot.count - problemCount(values) - 4)
        let lower = min(max(values.upstreams.count, values.sources.count), max(1, left / 3))
        var lines = head + middle + [""]
        lines += pair("TOP BOUNCING HOSTS, 24 h", values.hosts, "TOP VICTIMS, 24 h", values.victims, rows: left - lower)
        lines.append("")
        lines += pair("UPSTREAMS", values.upstreams, "SOURCES", values.sources, rows: lower)
        lines += values.problems.prefix(problemCount(values)).map { "! " + $0 }
        while lines.count < height - foot.count { lines.append("") }
        return (lines.prefix(max(0, height - foot.count)) + foot).suffix(max(0, height)).map { cut($0, width) }
    }

    private func problemCount(_ values: TopValues) -> Int { min(values.problems.count, 3) }

    private func title(_ values: TopValues) -> String {
        let state = values.state + (values.isReady ? "" : ", NOT READY")
        return spread("\(values.title)  \(state)  up \(Self.age(values.time - values.started))", UTC.text(values.time), width)
    }

    private func load(_ values: TopValues) -> String {
        "sessions \(values.sessions)   held \(Self.octets(values.heldOctets))"
    }

    private func verdictLines(_ values: TopValues) -> [String] {
        let column = 34
        let rows = ["VERDICT        per minute     total"] + values.verdicts.map { rate in
            let perMinute = rate.perMinute.map(Self.number) ?? "-"
            return Self.padded(rate.name, 14) + Self.right(perMinute, 11) + Self.right(String(rate.total), 10)
        }
        let bars = sparkline(values.refusals, columns: width - column - 4)
        let notes = ["REFUSED A MINUTE", bars, "most: \(Self.number(values.refusals.suffix(max(0, width - column - 4)).max() ?? 0)), last: \(Self.number(values.refusals.last ?? 0))"]
            + (values.wouldRefuse > 0 ? ["", "would be refused, 24 h: \(values.wouldRefuse)"] : [])
        return rows.enumerated().map { index, row in
            index < notes.count && width > column + 20 ? Self.padded(row, column + 3) + " " + notes[index] : row
        }
    }

    /// A character for each value, the last at the right.
    public func sparkline(_ values: [Double], columns: Int) -> String {
        let levels = isUTF8 ? Array("▁▂▃▄▅▆▇█") : Array("_.:-=+*#")
        let shown = values.suffix(max(0, columns))
        guard let most = shown.max(), most > 0 else { return String(repeating: levels[0], count: shown.count) }
        return String(shown.map { value in
            // Something is never shown as nothing.
            let level = value <= 0 ? 0 : max(1, Int((value / most * Double(levels.count - 1)).rounded()))
            return levels[min(level, levels.count - 1)]
        })
    }

    // MARK: Lists

    private func pair(_ left: String, _ leftRows: [TopValues.Row], _ right: String, _ rightRows: [TopValues.Row], rows: Int) -> [String] {
        let half = max(10, (width - 2) / 2)
        let one = list(left, leftRows, width: half, rows: rows)
        let other = list(right, rightRows, width: half, rows: rows)
        return (0..<max(one.count, other.count)).map { index in
            Self.padded(index < one.count ? one[index] : "", half) + "  " + (index < other.count ? other[index] : "")
        }
    }

    private func list(_ heading: String, _ rows: [TopValues.Row], width: Int, rows count: Int) -> [String] {
        let shown = rows.prefix(max(0, count)).map { row in
            let value = cut(row.value, width / 2)
            return spread(cut((row.isBad ? "! " : "  ") + row.name, width - value.count - 1), value, width)
        }
        return [cut(heading, width)] + (rows.isEmpty && count > 0 ? ["  none"] : shown)
    }

    // MARK: Text

    private func spread(_ left: String, _ right: String, _ width: Int) -> String {
        cut(left + String(repeating: " ", count: max(1, width - left.count - right.count)) + right, width)
    }

    /// Printable ASCII and the bars; all else is a question mark, and takes one column.
    private func cut(_ text: String, _ width: Int) -> String {
        let plain = String(text.unicodeScalars.map { scalar in
            (0x20..<0x7F).contains(scalar.value) || (0x2581...0x2588).contains(scalar.value) ? Character(scalar) : "?"
        })
        guard plain.count > width else { return plain }
        return width < 4 ? String(plain.prefix(max(0, width))) : plain.prefix(width - 3) + "..."
    }

    private static func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

    private static func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }

    /// One decimal below ten, none above.
    static func number(_ value: Double) -> String {
        guard value.isFinite, value >= 0 else { return "0" }
        if value >= 1e15 { return "many" }
        if value >= 9.95 || value == value.rounded() { return String(Int(value.rounded())) }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// `3d 04:05`, `04:05:06`
    static func age(_ seconds: Int64) -> String {
        let seconds = max(0, seconds)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
        let time = "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60))"
        return seconds >= 86_400 ? "\(seconds / 86_400)d \(time)" : "\(time):\(two(seconds % 60))"
    }

    static func octets(_ count: Int) -> String {
        switch count {
        case ..<1_024: "\(max(0, count)) B"
        case ..<(1 << 20): number(Double(count) / 1_024) + " KiB"
        case ..<(1 << 30): number(Double(count) / 1_048_576) + " MiB"
        default: number(Double(count) / 1_073_741_824) + " GiB"
        }
    }
}
