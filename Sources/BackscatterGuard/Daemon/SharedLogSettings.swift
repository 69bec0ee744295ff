// Where a log that several machines share is, and how to speak to it.

/// The value of `sent_log`: a Redis server and the number of a database in it.
public struct SharedLogAddress: Sendable, Equatable {
    static let standardPort = 6379
    static let form = "\"redis://host:port/db\", \"redis://user@host/db\" or \"redis+unix:///path\""

    /// As the configuration writes it; holds no secret.
    public let text: String
    let place: Configuration.Upstream
    /// nil: the server's default user.
    let user: String?
    let database: Int

    /// - Throws: what is wrong with it, and what to write.
    init(_ text: String) throws(WrongValue) {
        self.text = text
        if let path = text.wholeMatch(of: /redis\+unix:\/\/(\/[^?]+)(?:\?db=(\d{1,4}))?/) {
            (place, user, database) = (.unix(String(path.1)), nil, path.2.flatMap { Int($0) } ?? 0)
            return
        }
        if text.hasPrefix("rediss:") {
            throw WrongValue(problem: "TLS to Redis is not spoken; write \"redis://…\" to a server on a network of your own, or through stunnel on this machine")
        }
        guard let parts = text.wholeMatch(of: /redis:\/\/(?:([^:@\/]+)(:[^@\/]*)?@)?(\[[0-9a-fA-F:.]+\]|[^:@\/\[\]]+)(?::(\d{1,5}))?(?:\/(\d{1,4})?)?/) else {
            throw WrongValue(problem: "won't do; write \(SharedLogAddress.form)")
        }
        guard parts.2 == nil else { throw WrongValue(problem: "no password here, where everybody reads it; write it into a file and name that in sent_log_password_file") }
        guard let place = ConfigurationAddress.upstream("\(parts.3):\(parts.4.map(String.init) ?? String(SharedLogAddress.standardPort))") else {
            throw WrongValue(problem: "won't do; write \(SharedLogAddress.form)")
        }
        self.place = place
        user = parts.1.map(String.init)
        database = parts.5.flatMap { Int($0) } ?? 0
    }
}

/// All that one machine needs to use a shared log.
public struct SharedLogSettings: Sendable {
    public var address: SharedLogAddress
    /// Without the line end; empty: none is asked for.
    var password: Octets = []
    /// Keys in Redis begin with it.
    var prefix = Octets("guardd".utf8)
    /// Milliseconds that a lookup may take.
    var timeout: Int64 = 500
    /// Ids a day that the site sends; only for the log that is begun.
    var daily = 10_000_000
    /// Of this machine, for people.
    var name: Octets = []
    /// Which of this machine's processes it is, while one takes over from another (SharedSlot).
    var slot = 0
    /// Directory of the key and of what this machine keeps itself; times of the log.
    var local: SentLogSettings

    public init(address: SharedLogAddress, local: SentLogSettings) {
        self.address = address
        self.local = local
    }

    /// What an operator should know of the server, a line each; asks it, for a second or two at most.
    public func warnings() -> [String] { SharedLogOpener(self).warnings() }

    var keyFile: SentKeyFile { SentKeyFile(path: local.keyFile, directory: local.stateDirectory) }
    var journalDirectory: String { local.stateDirectory + "/shared" + (slot == 0 ? "" : "/\(slot + 1)") }
    var senderFile: String { journalDirectory + "/sender" }
    var holeFile: String { journalDirectory + "/hole" }
}
