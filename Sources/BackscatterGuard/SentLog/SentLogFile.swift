// One open log: environment, tables and key, which belong together. Several processes of one user may have the same
// log open. Each holds a shared flock on the data file, so that nobody moves a file aside that another still writes.

import Glibc

/// An open log file. Made by SentLogOpener; lookups and commits are in the extensions.
final class SentLogFile: Sendable {
    let path: String
    let key: SentKey
    let environment: LMDBEnvironment
    let tables: SentTables
    let times: SentTimes
    private let data: Descriptor

    /// - Parameter data: the open data file, locked shared.
    init(path: String, key: SentKey, environment: LMDBEnvironment, tables: SentTables, times: SentTimes, data: consuming Descriptor) {
        self.path = path
        self.key = key
        self.environment = environment
        self.tables = tables
        self.times = times
        self.data = data
    }

    /// Whether the path still leads to the file that is open.
    var isInPlace: Bool { FileIdentity(path: path) == FileIdentity(data.status) }

    /// Octets on disk.
    var size: Int { Int(data.status.st_size) }

    /// Lets the file be as long as its newest state says. LMDB may leave out pages at its end that it never wrote;
    /// without them a file that was cut off could not be told from a sound one.
    func complete() {
        let reach = environment.reach
        if size < reach { ftruncate(data.number, off_t(reach)) }
    }

    /// Waits for the readers that run. Gives up the lock too: the file may be moved aside now.
    func close() {
        environment.close()
        data.unlock()
    }
}
