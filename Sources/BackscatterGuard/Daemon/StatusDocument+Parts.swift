// Parts of the document that tell what happened: verdicts over time, the newest events, who brings them, and the page's
// own view of it all.

extension StatusDocument {
    /// Verdicts in equal spans of time, the present one last.
    public struct History: Codable, Sendable, Equatable {
        /// Seconds of a span.
        public var step: Int64
        public var delivered: [Int]
        /// Let pass for want of coverage, or because of mode observe.
        public var wouldRefuse: [Int]
        public var deferred: [Int]
        public var refused: [Int]
    }

    /// A judged notification, or several that were folded into one.
    public struct Event: Codable, Sendable, Equatable {
        public var time: Int64
        public var verdict: String
        public var reason: String
        public var wouldRefuse: Bool
        /// Left out for several.
        public var client: String?
        /// Some of the recipients.
        public var to: [String]
        public var recipientCount: Int
        /// The one that decided.
        public var messageId: String?
        /// How many notifications it stands for.
        public var count: Int
    }

    public struct Top: Codable, Sendable, Equatable {
        public var name: String
        public var count: Int
    }

    public struct Verdict: Codable, Sendable, Equatable {
        public var verdict: String
        public var reason: String
        /// Since the start.
        public var count: Int
    }

    /// What the page shows, as text. It may change with any version.
    public struct Page: Codable, Sendable, Equatable {
        public var tone: String
        public var headline: String
        public var figures: [Figure]
        /// Rows by the table's id.
        public var tables: [String: [[String]]]
    }

    public struct Figure: Codable, Sendable, Equatable {
        public var id: String
        public var name: String
        public var value: String
    }
}

extension StatusDocument.Event {
    init(_ event: VerdictEvent) {
        self.init(
            time: event.time, verdict: event.verdict.rawValue, reason: event.reason.rawValue, wouldRefuse: event.wouldRefuse, client: event.client,
            to: event.recipients, recipientCount: event.recipientCount, messageId: event.messageID, count: event.count)
    }
}

extension StatusDocument.History {
    init(_ spans: [VerdictTally], step: Int64) {
        self.init(step: step, delivered: spans.map(\.delivered), wouldRefuse: spans.map(\.wouldRefuse), deferred: spans.map(\.deferred), refused: spans.map(\.refused))
    }
}
