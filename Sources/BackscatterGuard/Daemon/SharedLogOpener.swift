// What has to be right before a shared log is used: the key, and the server's settings. A server that does not answer
// stops nobody: mail has to go on.

/// Looks at key file and server.
final class SharedLogOpener {
    /// Milliseconds that a start waits for the server.
    private static let patience: Int64 = 1_500

    let settings: SharedLogSettings
    /// What the server is like; nil: it does not answer, for this reason.
    private let server: Result<RedisDesk, SentLogError>

    init(_ settings: SharedLogSettings) {
        self.settings = settings
        server = Result { () throws(SentLogError) in try RedisDesk(settings, key: nil, beginsLog: false, patience: SharedLogOpener.patience) }
    }

    deinit { if case .success(let desk) = server { desk.close() } }

    /// The key of this site. One is made only for a log that is not there yet.
    ///
    /// - Returns: nil when there is neither a key nor a log, and none is to be begun.
    /// - Throws: keyMissing, keyMismatch, otherFormat and other faults of files; failed when there is no key and nobody can say
    ///   whether there is a log.
    func key() throws(SentLogError) -> SentKey? {
        try SentLogOpener(settings: settings.local, now: 0) { _ in }.prepareDirectory()
        let known = try settings.keyFile.load()
        let desk: RedisDesk
        switch server {
        case .success(let reached): desk = reached
        case .failure(let error):
            if let known { return known }
            throw .failed(file: settings.address.text, reason: "\(reason(error)); there is no \(settings.local.keyFile) either: copy it from another machine, or start when Redis answers")
        }
        if desk.hello.log.isEmpty {
            if let known { return known }
            return settings.local.beginsLog ? try settings.keyFile.make() : nil
        }
        guard desk.hello.layout(settings.prefix) != nil else { throw .otherFormat(file: settings.address.text) }
        guard let known else { throw .keyMissing(file: settings.local.keyFile, log: settings.address.text) }
        guard desk.hello.log[Octets("fingerprint".utf8)] == known.fingerprint else {
            throw .keyMismatch(file: settings.local.keyFile, log: settings.address.text)
        }
        return known
    }

    /// What an operator should know of the server, a line each.
    func warnings() -> [String] {
        let desk: RedisDesk
        switch server {
        case .success(let reached): desk = reached
        case .failure(let error): return ["sent_log: \(settings.address.text) does not answer (\(reason(error)))"]
        }
        var commands: Octets = []
        commands.appendCommand("INFO", "memory")
        commands.appendCommand("INFO", "persistence")
        let replies: [RedisReply]
        do throws(SentLogError) { replies = try desk.call(commands, replies: 2) } catch { return ["sent_log: \(error.text)"] }
        let text = replies.compactMap(\.octets).map { String(decoding: $0, as: UTF8.self) }.joined()
        var warnings: [String] = []
        if let policy = text.firstMatch(of: /maxmemory_policy:([a-z-]+)/)?.1, policy != "noeviction" {
            warnings.append("sent_log: \(settings.address.text) has maxmemory-policy \(policy): it would throw records away, and their bounces would be refused; set it to noeviction")
        }
        if text.contains("aof_enabled:0") {
            warnings.append("sent_log: \(settings.address.text) keeps no append-only file: after its restart what was sent longer than an hour ago may be gone, a hole in coverage; set appendonly yes")
        }
        return warnings
    }

    private func reason(_ error: SentLogError) -> String {
        if case .failed(_, let reason) = error { reason } else { error.text }
    }
}
