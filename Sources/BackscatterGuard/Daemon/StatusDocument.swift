// `/status.json`: how a guardd is at one moment. The schema is public (docs/status.md): fields may be added within a
// number, a field that goes or changes its meaning makes a new one. JSON names are these in snake_case; a field without a
// value is left out. Times are seconds since 1970.

import Foundation

/// The state of a running guardd.
public struct StatusDocument: Codable, Sendable, Equatable {
    public static let currentSchema = 1

    public struct Listener: Codable, Sendable, Equatable {
        public var address: String
        /// `inbound`, `outbound`, `auto`.
        public var direction: String
        /// `smtp`, `milter`.
        public var kind: String
    }

    public struct Worker: Codable, Sendable, Equatable {
        /// Milliseconds since its loop has turned last; more than some seconds: it hangs.
        public var lastTurn: Int64
        public var sessions: Int
        public var heldOctets: Int
    }

    public struct Upstream: Codable, Sendable, Equatable {
        /// As the configuration writes it.
        public var name: String
        /// `up`; `questionable`: its last greeting was no good one; `down`.
        public var state: String
        public var reason: String?
    }

    public struct SentLog: Codable, Sendable, Equatable {
        /// `local`, `shared`.
        public var kind: String
        /// What was asked of it last was answered.
        public var isOpen: Bool
        /// Since when, without a hole, everything is recorded; left out: it isn't.
        public var recordedSince: Int64?
        /// Seconds that must be complete before an unknown id is refused.
        public var bounceWindow: Int64
        public var isCovered: Bool
        /// Mail has been leaving unrecorded since.
        public var holeSince: Int64?
        /// Of the file, of a local log only.
        public var octets: Int?
        public var ids: Int?
        public var pairs: Int?
    }

    public struct Source: Codable, Sendable, Equatable {
        public var name: String
        public var format: String
        public var isAlive: Bool
        public var problem: String?
        /// Seconds since all that had been written was recorded; left out: not yet since the start.
        public var lag: Int64?
        /// Octets that were written and not read yet.
        public var behind: Int
        public var lines: Int
        /// Mails of ours in them.
        public var mails: Int
        /// When the mail that was recorded last was sent.
        public var lastSent: Int64?
    }

    public struct Domain: Codable, Sendable, Equatable {
        /// As `protected_domains` writes it.
        public var pattern: String
        /// `enforced`, `observed`, `not_covered`, `blocked`.
        public var state: String
        /// For people.
        public var text: String
    }

    public var schema = Self.currentSchema
    public var version = GuarddVersion.text
    public var process: Int32 = 0
    /// The real path of its configuration file; left out: it was started with flags alone.
    public var configuration: String?
    public var time: Int64 = 0
    /// When the process began to serve.
    public var started: Int64 = 0
    /// `serving`, `handing_over`, `retiring`, `stopping`.
    public var state = ""
    /// It takes mail, an upstream is there, the sent log answers.
    public var isReady = false
    /// What an administrator should look at, one line each, the worst first. What keeps it from being ready is among them.
    public var problems: [String] = []
    public var listeners: [Listener] = []
    public var workers: [Worker] = []
    public var upstreams: [Upstream] = []
    public var sentLog = SentLog(kind: "local", isOpen: false, bounceWindow: 0, isCovered: false)
    public var sources: [Source] = []
    public var domains: [Domain] = []
    /// Those that occurred.
    public var verdicts: [Verdict] = []
    /// The last two hours by the minute, the last day by ten.
    public var history: [History] = []
    /// The newest first.
    public var events: [Event] = []
    /// Of the last 24 hours: hosts that brought forged bounces, and whom they were for.
    public var topHosts: [Top] = []
    public var topVictims: [Top] = []
    public var page: Page?

    public init() {}

    /// Every protected domain is enforced, but for those that are only to be observed.
    public var isEnforced: Bool { !domains.isEmpty && domains.allSatisfy { $0.state == "enforced" || $0.state == "observed" } }

    public var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }

    /// - Returns: nil for what is no document of this schema.
    public init?(json: [UInt8]) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let read = try? decoder.decode(Self.self, from: Data(json)), read.schema == Self.currentSchema else { return nil }
        self = read
    }
}
