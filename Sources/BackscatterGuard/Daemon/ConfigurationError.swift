// A configuration that can't be used. All faults that were found are told at once, one line each, so that the
// administrator mends them in one go; the command line prints them and exits with 78 (EX_CONFIG) before listening.

/// Why a configuration was refused.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One fault: where it is, what it is, and what to write instead.
    public struct Fault: Sendable, Equatable, CustomStringConvertible {
        /// The file as it was named; nil when a flag, or the whole, is at fault.
        public var file: String?
        /// Line of the file, from 1. Known for syntax errors and for the list of protected domains.
        public var line: Int?
        /// `listener[1].port`, or the flag, `--listen`.
        public var keyPath: String?
        /// What is wrong and the remedy, in one line.
        public var problem: String

        public init(file: String? = nil, line: Int? = nil, keyPath: String? = nil, problem: String) {
            self.file = file
            self.line = line
            self.keyPath = keyPath
            self.problem = problem
        }

        /// `guardd.toml: listener[1].port: …`, `guardd.toml:7: …`, `--listen: …`.
        public var description: String {
            let place = file.map { name in line.map { "\(name):\($0)" } ?? name }
            let text = [place, keyPath, problem].compactMap(\.self).joined(separator: ": ")
            return String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
        }
    }

    /// `EX_CONFIG` of sysexits.h.
    public static let exitStatus: Int32 = 78

    /// At least one.
    public let faults: [Fault]

    public init(_ faults: [Fault]) {
        self.faults = faults
    }

    /// A line for each fault.
    public var lines: [String] { faults.map(\.description) }
    public var description: String { lines.joined(separator: "\n") }
}
