// What `guardd top` shows: values only, so that the screen is a function of them.

/// The state of a guardd between two looks at it.
public struct TopValues: Sendable, Equatable {
    /// Something that is counted, and how often it came in a minute, lately.
    public struct Rate: Sendable, Equatable {
        public var name: String
        /// Since the start.
        public var total: Int
        /// Between the last two looks; nil at the first.
        public var perMinute: Double?

        public init(name: String, total: Int, perMinute: Double?) { (self.name, self.total, self.perMinute) = (name, total, perMinute) }
    }

    /// A name and a number or a word for it.
    public struct Row: Sendable, Equatable {
        public var name: String
        public var value: String
        /// To be looked at.
        public var isBad = false

        public init(_ name: String, _ value: String, isBad: Bool = false) { (self.name, self.value, self.isBad) = (name, value, isBad) }
    }

    public var title = ""
    /// Seconds since 1970.
    public var time: Int64 = 0
    public var started: Int64 = 0
    /// `serving`, …
    public var state = ""
    public var isReady = false
    public var problems: [String] = []
    public var sessions = 0
    public var heldOctets = 0
    public var verdicts: [Rate] = []
    /// Refused notifications in each of the last minutes, the oldest first.
    public var refusals: [Double] = []
    /// Notifications of the last 24 hours that were let pass because nothing may be refused.
    public var wouldRefuse = 0
    public var hosts: [Row] = []
    public var victims: [Row] = []
    public var upstreams: [Row] = []
    public var sources: [Row] = []

    public init() {}
}
