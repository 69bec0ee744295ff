// A hole in coverage that could not be written to the log, because the disk is full or the log damaged: the very
// reason why mail left unrecorded. It stands in memory, and in the guard file, whose room on disk is taken in advance.

import Glibc
import Synchronization

/// The begin of a hole that the log does not know yet. Any thread.
final class PendingHole: Sendable {
    private let path: String
    private let begin = Mutex<Int64?>(nil)

    /// Reads what an earlier process had to leave.
    ///
    /// - Parameter path: the guard file; 8 octets are taken in it when it has none.
    init(path: String) throws(SentLogError) {
        self.path = path
        guard let file = Descriptor(path, O_RDWR | O_CREAT) else { throw .cannotOpen(file: path, reason: systemReason()) }
        var reader = IntegerReader(file.read(8))
        guard let left = reader.next(Int64.self) else {
            guard file.writeDurably(PendingHole.octets(nil)) else { throw .diskFull(file: path) }
            return
        }
        if left != 0 { begin.withLock { $0 = left } }
    }

    var since: Int64? { begin.withLock { $0 } }

    /// Takes effect at once.
    func open(at now: Int64) {
        begin.withLock { $0 = min($0 ?? now, now) }
    }

    /// Writes the begin to the guard file, in place.
    func keep() {
        write(since)
    }

    /// The log knows the hole that began at `known`.
    func settle(_ known: Int64) {
        let isSettled = begin.withLock { begin in
            guard begin == known else { return false }
            begin = nil
            return true
        }
        if isSettled { write(nil) }
    }

    private func write(_ begin: Int64?) {
        guard let file = Descriptor(path, O_RDWR) else { return }
        var reader = IntegerReader(file.read(8))
        if reader.next(Int64.self) != begin ?? 0 { _ = file.writeDurably(PendingHole.octets(begin)) }
    }

    private static func octets(_ begin: Int64?) -> Octets {
        var octets = Octets()
        octets.appendInteger(begin ?? 0)
        return octets
    }
}
