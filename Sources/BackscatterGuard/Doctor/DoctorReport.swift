// The findings as a screen of text, as JSON, and as an exit status that monitoring understands.

/// All findings of one visit.
public struct DoctorReport: Sendable, Equatable {
    private static let width = 100
    /// Behind the words `warning`, `error`, … and two blanks at the left.
    private static let indent = 11

    /// In the order of the sections, and within one in the order of the configuration.
    public let findings: [Finding]
    /// The configuration file; nil when flags alone made it.
    public let file: String?

    init(_ findings: [Finding], file: String?) {
        self.file = file
        self.findings = Finding.Section.allCases.flatMap { section in findings.filter { $0.section == section } }
    }

    /// The gravest; what could not be looked at counts as good here, and is said.
    public var level: Finding.Level { max(.ok, findings.map(\.level).max() ?? .ok) }

    /// As monitoring plugins have it: 0 all is well, 1 warnings, 2 errors.
    public var exitStatus: Int32 {
        switch level {
        case .unseen, .ok: 0
        case .warning: 1
        case .error: 2
        }
    }

    public var text: String {
        var lines = ["guardd doctor: \(file ?? "flags")"]
        for section in Finding.Section.allCases {
            let here = findings.filter { $0.section == section }
            guard !here.isEmpty else { continue }
            lines += ["", section.rawValue]
            for finding in here {
                lines += DoctorReport.wrapped(finding.what, first: DoctorReport.label(finding.level))
                if !finding.remedy.isEmpty { lines += DoctorReport.wrapped(finding.remedy, first: DoctorReport.blanks(DoctorReport.indent - 3) + "-> ") }
            }
        }
        return (lines + ["", sum]).joined(separator: "\n")
    }

    /// One object; `version` counts up when a member changes its meaning.
    public var json: String {
        let list = findings.map { finding in
            InspectionJSON.object([
                ("section", InspectionJSON.string(finding.section.rawValue)), ("level", InspectionJSON.string(finding.level.rawValue)),
                ("what", InspectionJSON.string(finding.what)), ("remedy", InspectionJSON.string(finding.remedy)),
            ])
        }
        return InspectionJSON.object([
            ("version", "1"), ("file", file.map { InspectionJSON.string($0) } ?? "null"), ("level", InspectionJSON.string(level.rawValue)),
            ("findings", InspectionJSON.array(list)),
        ])
    }

    private var sum: String {
        func count(_ level: Finding.Level) -> Int { findings.count { $0.level == level } }
        func part(_ level: Finding.Level, _ one: String, _ more: String) -> String? {
            let number = count(level)
            return number == 0 ? nil : "\(number) \(number == 1 ? one : more)"
        }
        let parts = [
            part(.error, "error", "errors"), part(.warning, "warning", "warnings"), "\(count(.ok)) ok",
            part(.unseen, "could not be looked at", "could not be looked at"),
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }

    private static func label(_ level: Finding.Level) -> String {
        let word = "  " + level.rawValue
        return word + blanks(indent - word.utf8.count)
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    /// Words on as few lines as hold them; a longer word has a line of its own.
    private static func wrapped(_ text: String, first: String) -> [String] {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                (line, isEmpty) = (blanks(indent), true)
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }
}
