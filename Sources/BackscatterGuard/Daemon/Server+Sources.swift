// What fills the sent log besides guardd's own listeners: logs of mail servers, each followed on a thread of its own.

extension Server {
    static func makeSources(
        _ configuration: Configuration, _ policy: Policy, _ opened: OpenLog, _ log: LogWriter
    ) throws(ServerError) -> SourceKeeper {
        do throws(SentLogError) {
            return try SourceKeeper(configuration, policy, sentLog: opened.log, reading: opened.reading, log: log)
        } catch { throw .sentLog(error) }
    }

    /// Called when all else runs.
    func startSources() throws(ServerError) {
        do throws(SentLogError) {
            try sources.start()
        } catch {
            stop()
            throw .sentLog(error)
        }
    }
}
