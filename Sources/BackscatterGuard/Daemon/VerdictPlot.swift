// Verdicts over time as stacked bars: paths for an SVG. The page's script draws the same from status.json.

struct VerdictPlot {
    static let width = 720
    static let height = 150
    /// From the bottom up; names of `StatusDocument.History`'s fields in JSON.
    static let series = ["delivered", "deferred", "would_refuse", "refused"]

    /// Of the scale: 1, 2, 5, 10, …
    let top: Int
    /// By series.
    let paths: [String: String]

    init(_ history: StatusDocument.History) {
        let columns = [history.delivered, history.deferred, history.wouldRefuse, history.refused]
        let count = columns.map(\.count).min() ?? 0
        let top = Self.scale((0..<count).map { place in columns.reduce(0) { $0 + $1[place] } }.max() ?? 0)
        let width = Double(Self.width) / Double(max(1, count))
        var paths: [String: String] = [:]
        for (number, name) in Self.series.enumerated() {
            var path = ""
            for place in 0..<count where columns[number][place] > 0 {
                let below = columns[..<number].reduce(0) { $0 + $1[place] }
                let tall = Double(columns[number][place]) / Double(top) * Double(Self.height)
                let y = Double(Self.height) - Double(below) / Double(top) * Double(Self.height) - tall
                path += "M\(Self.text(Double(place) * width)) \(Self.text(y))h\(Self.text(width * 0.85))v\(Self.text(tall))h-\(Self.text(width * 0.85))z"
            }
            paths[name] = path
        }
        (self.top, self.paths) = (top, paths)
    }

    /// The least of 1, 2, 5, 10, 20, … that is not less.
    static func scale(_ most: Int) -> Int {
        var unit = 1
        while unit < Int.max / 100 {
            for factor in [1, 2, 5] where unit * factor >= most { return unit * factor }
            unit *= 10
        }
        return Int.max
    }

    /// Two digits behind the point suffice for a screen.
    private static func text(_ number: Double) -> String { String((number * 100).rounded() / 100) }
}
