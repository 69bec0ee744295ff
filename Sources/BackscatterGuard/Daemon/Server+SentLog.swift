// Which sent log the daemon uses: its own, or one that machines share.

extension Server {
    /// The log, and what makes a worker's reader of it.
    struct OpenLog {
        let log: any SentLog
        /// Of a shared log: it wants to know how far the sources have read.
        var reading: ReadingClock?
        let makeReader: @Sendable (EventLoop) throws(ReactorError) -> any SentLogReader
    }

    /// - Parameter isSuccessor: another guardd still serves what it began.
    static func openSentLog(_ configuration: Configuration, isSuccessor: Bool, _ log: LogWriter) throws(ServerError) -> OpenLog {
        let shared: SharedLogSettings?
        do { shared = try configuration.sharedLogSettings() } catch { throw .configuration(error) }
        do throws(SentLogError) {
            if let shared { return try openShared(shared, configuration, isSuccessor: isSuccessor, log) }
            return try openOwn(configuration, isSuccessor: isSuccessor, log)
        } catch { throw .sentLog(error) }
    }

    private static func openOwn(_ configuration: Configuration, isSuccessor: Bool, _ log: LogWriter) throws(SentLogError) -> OpenLog {
        let sentLog = try LMDBSentLog(configuration.sentLogSettings, at: EventLoop.seconds()) { alarm in
            log.write(.error, "sent log: \(alarm.text)")
        }
        let open = OpenLog(log: sentLog) { _ throws(ReactorError) in LocalSentLogReader(sentLog) }
        guard configuration.recordsOutgoingMail else { return open }
        // Nothing leaves through a listener that is not there: from here on all is recorded.
        try sentLog.startCovering(at: EventLoop.seconds())
        // But for what the guardd before this one still lets pass: its hole is closed when it has ended.
        if !isSuccessor { try sentLog.closeHole(at: EventLoop.seconds()) }
        return open
    }

    private static func openShared(
        _ settings: SharedLogSettings, _ configuration: Configuration, isSuccessor: Bool, _ log: LogWriter
    ) throws(SentLogError) -> OpenLog {
        let reading = ReadingClock(sources: configuration.sources.count)
        if let fault = settings.local.fault { throw .settings(fault) }
        let report: @Sendable (Severity, String) -> Void = { log.write($0, $1) }
        let opener = SharedLogOpener(settings)
        for warning in opener.warnings() { log.write(.warning, warning) }
        guard let key = try opener.key() else { throw .noLog(directory: settings.local.stateDirectory) }
        let sentLog = try RedisSentLog(settings, key: key, isSuccessor: isSuccessor, reading: reading, report: report)
        if configuration.recordsOutgoingMail {
            sentLog.change(.start(at: EventLoop.seconds())) { _ in }
            sentLog.change(.closeHole(at: EventLoop.seconds())) { _ in }
        }
        if isSuccessor { try sentLog.waitUntilKnown(started: configuration.recordsOutgoingMail) }
        let shared = RedisLogReader.Shared(settings, key: key, report: report)
        return OpenLog(log: sentLog, reading: reading) { loop throws(ReactorError) in try RedisLogReader(shared, loop: loop) }
    }
}
