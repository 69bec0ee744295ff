// Opens the log of a state directory, makes it when there is none, and moves a damaged one aside.
// All of it under an exclusive lock on the guard file, so that two processes never make or move at the same time.

import CLMDB
import Glibc

struct SentLogOpener {
    private enum Failure: Error {
        case damaged(String)
        case fault(SentLogError)
    }

    let settings: SentLogSettings
    /// Only for the name of a file that is moved aside.
    let now: Int64
    let alarm: @Sendable (SentLogAlarm) -> Void

    /// - Parameter knownDamage: the file was found damaged while in use: it is moved aside in any case.
    func open(knownDamage: String? = nil) throws(SentLogError) -> SentLogFile {
        if !settings.beginsLog, !isPresent {
            // Whether there is one nobody can tell who may not enter.
            if unsafe access(settings.logFile, F_OK) != 0, errno == EACCES { throw .cannotOpen(file: settings.logFile, reason: systemReason(EACCES)) }
            throw .noLog(directory: settings.stateDirectory)
        }
        try prepareDirectory()
        guard let lock = Descriptor(settings.guardFile, O_RDWR | O_CREAT), lock.lock(.exclusive) else {
            throw .cannotOpen(file: settings.guardFile, reason: systemReason())
        }
        defer { _ = lock.number }                               // the lock lives until the log is open
        let key = try key()
        if isPresent, let damage = knownDamage ?? headerDamage() { try moveAside(damage) }
        do throws(Failure) {
            return try attach(key)
        } catch {
            switch error {
            case .fault(let fault): throw fault
            case .damaged(let reason): try moveAside(reason)
            }
        }
        do throws(Failure) {
            return try attach(key)
        } catch {
            switch error {
            case .fault(let fault): throw fault
            case .damaged(let reason): throw .cannotOpen(file: settings.logFile, reason: reason)
            }
        }
    }

    func prepareDirectory() throws(SentLogError) {
        let directory = settings.stateDirectory
        if unsafe mkdir(directory, 0o700) != 0, errno != EEXIST { throw .cannotOpen(file: directory, reason: systemReason()) }
        try SentLogOpener.checkOwner(of: directory)
    }

    /// root works in a folder of its own only.
    static func checkOwner(of directory: String) throws(SentLogError) {
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else { throw .cannotOpen(file: directory, reason: systemReason()) }
        if geteuid() == 0, status.st_uid != 0 { throw .wrongUser(directory: directory, uid: status.st_uid) }
    }

    /// A file of no octets is a log that a crash kept from being begun.
    private var isPresent: Bool {
        var status = stat()
        return unsafe stat(settings.logFile, &status) == 0 && status.st_size > 0
    }

    private func key() throws(SentLogError) -> SentKey {
        let file = SentKeyFile(path: settings.keyFile, directory: settings.stateDirectory)
        if let key = try file.load() { return key }
        if isPresent { throw .keyMissing(file: settings.keyFile, log: settings.logFile) }
        return try file.make()
    }

    /// What the first pages tell before LMDB maps them; nil when they look sound or can't be read.
    private func headerDamage() -> String? {
        guard let data = Descriptor(settings.logFile, O_RDONLY) else { return nil }
        return LMDBHeader(data.read(LMDBHeader.size)) == nil ? "its first page is no LMDB page" : nil
    }

    private func attach(_ key: SentKey) throws(Failure) -> SentLogFile {
        let opened: (file: SentLogFile, fitness: SentTables.Fitness)
        do throws(LMDBFailure) {
            opened = try map(key)
        } catch {
            throw translated(error)
        }
        switch opened.fitness {
        case .fits: break
        case .otherKey: throw .fault(.keyMismatch(file: settings.keyFile, log: settings.logFile))
        case .otherVersion: throw .fault(.otherFormat(file: settings.logFile))
        }
        opened.file.complete()
        guard Descriptor.syncDirectory(settings.stateDirectory) else {
            throw .fault(.cannotOpen(file: settings.stateDirectory, reason: systemReason()))
        }
        return opened.file
    }

    private func map(_ key: SentKey) throws(LMDBFailure) -> (SentLogFile, SentTables.Fitness) {
        let environment = try LMDBEnvironment(file: settings.logFile, mapSize: settings.mapSize, tables: SentTables.count)
        guard let data = Descriptor(settings.logFile, O_RDWR), data.lock(.shared) else { throw LMDBFailure(code: errno) }
        guard data.status.st_size >= environment.reach else { throw LMDBFailure(code: MDB_CORRUPTED) }
        environment.clearDeadReaders()
        let (tables, fitness, times) = try environment.write { transaction throws(LMDBFailure) in
            let tables = try SentTables(transaction)
            let fitness = try tables.fitness(key, transaction)
            guard fitness == .fits else { return (tables, fitness, SentTimes(settings)) }
            return (tables, fitness, try tables.times(settings, transaction))
        }
        let file = SentLogFile(
            path: settings.logFile, key: key, environment: environment, tables: tables, times: times, data: data
        )
        return (file, fitness)
    }

    private func translated(_ failure: LMDBFailure) -> Failure {
        if failure.isDamage { return .damaged(failure.text) }
        if failure.code == MDB_VERSION_MISMATCH { return .fault(.otherFormat(file: settings.logFile)) }
        if case .diskFull(let file) = failure.error(settings.logFile) { return .fault(.diskFull(file: file)) }
        return .fault(.cannotOpen(file: settings.logFile, reason: failure.text))
    }

    /// - Throws: damagedInUse while another process has the file open: it would go on writing to the moved file.
    private func moveAside(_ reason: String) throws(SentLogError) {
        guard let data = Descriptor(settings.logFile, O_RDONLY) else {
            throw .cannotOpen(file: settings.logFile, reason: systemReason())
        }
        guard data.lock(.exclusiveIfFree) else { throw .damagedInUse(file: settings.logFile) }
        let stamp = UTC.text(now).filter { $0 != "-" && $0 != ":" }
        var target = settings.logFile + ".damaged-" + stamp
        var number = 1
        while FileIdentity(path: target) != nil {
            number += 1
            target = settings.logFile + ".damaged-\(stamp)-\(number)"
        }
        guard unsafe rename(settings.logFile, target) == 0 else {
            throw .cannotOpen(file: settings.logFile, reason: systemReason())
        }
        unsafe unlink(settings.mapLockFile)
        alarm(.movedAside(file: settings.logFile, to: target, reason: reason))
    }
}
