// Where a process keeps its journal for a shared log and its name among the log's senders: state_dir/shared, and for one
// that takes over from another that still runs (SIGUSR2) a folder of its own in it. Each is locked by who writes it. What
// an ended process has left is kept by the next: it puts into the log what is missing, and goes on vouching for it.

import Glibc

/// A locked folder. Any thread.
final class SharedSlot: Sendable {
    /// More processes than these, one after the other within the hour that a journal is kept, are refused.
    static let limit = 32

    let settings: SharedLogSettings
    private let lock: Descriptor

    /// - Returns: nil when another process has it.
    init?(_ settings: SharedLogSettings, number: Int) throws(SentLogError) {
        var settings = settings
        settings.slot = number
        self.settings = settings
        if unsafe mkdir(settings.journalDirectory, 0o700) != 0, errno != EEXIST {
            throw .cannotOpen(file: settings.journalDirectory, reason: systemReason())
        }
        guard let lock = Descriptor(settings.journalDirectory + "/lock", O_RDWR | O_CREAT) else {
            throw .cannotOpen(file: settings.journalDirectory, reason: systemReason())
        }
        guard lock.lock(.exclusiveIfFree) else { return nil }
        self.lock = lock
    }

    /// The folder of a process that starts.
    ///
    /// - Parameter isSuccessor: another guardd still uses one.
    static func take(_ settings: SharedLogSettings, isSuccessor: Bool) throws(SentLogError) -> SharedSlot {
        for number in 0..<(isSuccessor ? limit : 1) {
            if let slot = try SharedSlot(settings, number: number) { return slot }
        }
        let reason = isSuccessor ? "\(limit) guardds have taken over within an hour; restart guardd" : "another guardd uses it"
        throw .cannotOpen(file: settings.journalDirectory, reason: reason)
    }

    /// Folders that ended processes have left, locked.
    ///
    /// - Parameter known: numbers that are not looked at.
    static func left(_ settings: SharedLogSettings, besides known: Set<Int>) -> [SharedSlot] {
        used(settings, besides: known).compactMap { other in try? SharedSlot(other, number: other.slot) }
    }

    /// Names in the log of all others of this machine, running or not.
    static func senders(besides settings: SharedLogSettings) -> [String] {
        used(settings, besides: [settings.slot]).compactMap { try? SenderIdentity.load($0.senderFile).number }
    }

    private static func used(_ settings: SharedLogSettings, besides known: Set<Int>) -> [SharedLogSettings] {
        (0..<limit).filter { !known.contains($0) }.compactMap { number in
            var other = settings
            other.slot = number
            return unsafe access(other.senderFile, F_OK) == 0 ? other : nil
        }
    }

    /// Removes what stands in it; the lock stays, for somebody may wait for it.
    func clear() {
        unsafe unlink(settings.senderFile)
        unsafe unlink(settings.holeFile)
        SentJournal.remove(directory: settings.journalDirectory)
    }
}
