// What the daemon has for programs of other users on its machine: the control socket and the spool.

/// Opened at start, closed before the sent log.
final class HookInputs {
    private let importer: SpoolImporter?
    private let control: ControlSocket?

    private let log: LogWriter

    /// Imports what lies in the spool, and makes the socket.
    ///
    /// - Parameter isSuccessor: the guardd before this one still answers at the socket's path.
    /// - Throws: what keeps the socket or the spool from being made.
    init(_ configuration: Configuration, isSuccessor: Bool, loop: EventLoop, sentLog: any SentLog, log: LogWriter) throws(ServerError) {
        self.log = log
        do throws(SentLogError) {
            importer = try HookInputs.openSpool(configuration, sentLog, log)
        } catch { throw .sentLog(error) }
        importer?.runAndWait()
        guard let place = configuration.controlPlace else {
            control = nil
            return
        }
        do throws(ReactorError) {
            control = try ControlSocket(place, isSuccessor: isSuccessor, loop: loop, sentLog: sentLog, log: log)
        } catch {
            importer?.close()
            throw .listen(address: place.path, error)
        }
        take(configuration)
    }

    private static func openSpool(_ configuration: Configuration, _ sentLog: any SentLog, _ log: LogWriter) throws(SentLogError) -> SpoolImporter? {
        guard let path = configuration.spoolPath else { return nil }
        let folder = SpoolFolder(path: path)
        let place = configuration.controlPlace
        try folder.make(group: configuration.controlGroup?.number, isForAll: (place?.mode ?? 0) & 0o002 != 0)
        if path.hasPrefix(configuration.stateDirectory + "/"), !ConfigurationSystem.othersMayEnter(configuration.stateDirectory) {
            log.write(.warning, "spool: other users can't reach \(path), because \(configuration.stateDirectory) is closed to them: chmod 711 it, or name another spool_directory")
        }
        return try SpoolImporter(folder, into: sentLog, now: { EventLoop.seconds() }) { log.write(.error, $0.text) }
    }

    /// From now on programs find this process at the socket's path.
    func open() {
        do throws(ReactorError) {
            try control?.open()
        } catch {
            log.write(.error, "control socket: \(error.text): nobody can reach it")
        }
    }

    /// What a reload may change.
    func take(_ configuration: Configuration) { control?.keepsAllPairs = configuration.recordPairs == .always }

    /// A reader for a worker's loop: asks `inner` when nothing is left in the spool.
    static func reader(_ inner: any SentLogReader, _ spool: SpoolImporter?, loop: EventLoop) -> any SentLogReader {
        guard let spool, let reader = try? SpoolReader(inner, spool, loop: loop) else { return inner }
        return reader
    }

    var spool: SpoolImporter? { importer }

    /// Every second: what no lookup asks for is imported all the same.
    func tick() {
        control?.tick()
        guard let importer, !importer.isClean else { return }
        importer.run { _ in }
    }

    /// Idempotent.
    func close() {
        control?.close()
        importer?.close()
    }
}
